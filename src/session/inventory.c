#include "postern/session/inventory.h"

#include "address.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/base/text.h"
#include "postern/store/client_db.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REOPEN_MS (60 * CLOCK_SECOND)
#define PRUNE_MS  (24 * 3600 * (int64_t)CLOCK_SECOND)

struct inventory {
    char *state_dir;
    pthread_mutex_t lock; /* guards the next two; the database, once there, stays */
    struct client_db *db; /* NULL: it could not be opened */
    int64_t retention_ms;
    int64_t due_ms; /* the housekeeper's, monotonic: when to open it again, or to forget the old */
};

struct inventory_client {
    struct inventory *inventory;
    pthread_mutex_t lock;  /* guards what follows */
    struct client_row row; /* what is not written yet */
    unsigned commands;
    char last_command[CLIENT_WORD_SIZE];
    bool settled;      /* a part is written: the program stays what it was then */
    uint64_t bytes_in; /* of these, written */
    uint64_t bytes_out;
};

/* ---- the whole ---- */

static struct client_db *open_database(const struct inventory *i)
{
    struct error e = ERROR_INIT;
    struct client_db *db = client_db_open(i->state_dir, &e);
    if (!db)
        log_error_value(LOG_LEVEL_ERROR, &e, "who the clients are is not written down");
    return db;
}

static struct client_db *database(struct inventory *i)
{
    pthread_mutex_lock(&i->lock);
    struct client_db *db = i->db;
    pthread_mutex_unlock(&i->lock);
    return db;
}

struct inventory *inventory_new(const char *state_dir, int64_t retention_ms)
{
    struct inventory *i = xcalloc(1, sizeof *i);
    i->state_dir = xstrdup(state_dir);
    i->retention_ms = retention_ms;
    pthread_mutex_init(&i->lock, NULL);
    i->db = open_database(i);
    i->due_ms = i->db ? 0 : clock_mono_ms() + REOPEN_MS;
    return i;
}

void inventory_free(struct inventory **inventory)
{
    struct inventory *i = *inventory;
    if (!i)
        return;
    client_db_close(&i->db);
    pthread_mutex_destroy(&i->lock);
    free(i->state_dir);
    free(i);
    *inventory = NULL;
}

void inventory_set_retention(struct inventory *i, int64_t retention_ms)
{
    pthread_mutex_lock(&i->lock);
    i->retention_ms = retention_ms;
    pthread_mutex_unlock(&i->lock);
}

static void forget_old(struct inventory *i, int64_t retention_ms)
{
    struct error e = ERROR_INIT;
    if (!client_db_prune(i->db, clock_wall_ms() - retention_ms, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "clients of long ago are not forgotten yet");
}

void inventory_tick(struct inventory *i)
{
    int64_t now = clock_mono_ms();
    struct client_db *db = database(i);
    bool due = now >= i->due_ms;
    if (due && !db)
        db = open_database(i);
    if (due)
        i->due_ms = now + (db ? PRUNE_MS : REOPEN_MS);
    pthread_mutex_lock(&i->lock);
    i->db = db;
    int64_t retention_ms = i->retention_ms;
    pthread_mutex_unlock(&i->lock);
    if (db)
        client_db_flush(db);
    if (db && due)
        forget_old(i, retention_ms);
}

void inventory_flush(struct inventory *i)
{
    struct client_db *db = database(i);
    if (db)
        client_db_flush(db);
}

static void set_peer(struct client_row *row, const struct sockaddr *peer)
{
    address_format(peer, row->address);
    address_key(peer, row->network);
}

static void begin(struct client_row *row, const struct config_listener *listener,
                  const struct sockaddr *peer)
{
    set_peer(row, peer);
    text_clean(listener->name, row->listener, sizeof row->listener);
    text_clean(listener->protocol == PROTOCOL_POP3 ? "pop3" : "imap", row->protocol,
               sizeof row->protocol);
    row->tls = listener->tls == TLS_IMPLICIT ? CLIENT_TLS_UNKNOWN : 0;
    row->sessions = 1;
    row->first_ms = row->last_ms = clock_wall_ms();
}

void inventory_turned_away(struct inventory *i, const struct config_listener *listener,
                           const struct sockaddr *peer, const char *reason)
{
    struct client_db *db = i ? database(i) : NULL;
    struct client_row row = {.failures = 1};
    if (!db)
        return;
    begin(&row, listener, peer);
    text_clean(reason, row.reason, sizeof row.reason);
    client_db_leave(db, &row);
}

/* ---- one connection ---- */

struct inventory_client *inventory_client_new(struct inventory *i,
                                              const struct config_listener *listener,
                                              const struct sockaddr *peer)
{
    if (!i)
        return NULL;
    struct inventory_client *c = xcalloc(1, sizeof *c);
    c->inventory = i;
    begin(&c->row, listener, peer);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

/* Takes out what is to be written now; what is counted begins anew. */
static struct client_row take(struct inventory_client *c, uint64_t bytes_in, uint64_t bytes_out)
{
    struct client_row row = c->row;
    row.last_ms = clock_wall_ms();
    row.bytes_in = bytes_in - c->bytes_in;
    row.bytes_out = bytes_out - c->bytes_out;
    c->bytes_in = bytes_in;
    c->bytes_out = bytes_out;
    c->settled = true;
    c->row.sessions = c->row.logins = c->row.failures = 0;
    c->row.fetched = c->row.appended = 0;
    c->row.reason[0] = '\0';
    return row;
}

void inventory_client_end(struct inventory_client **client, uint64_t bytes_in, uint64_t bytes_out)
{
    struct inventory_client *c = *client;
    if (!c)
        return;
    struct client_db *db = database(c->inventory);
    struct client_row row = take(c, bytes_in, bytes_out);
    if (db)
        client_db_add(db, &row);
    pthread_mutex_destroy(&c->lock);
    free(c);
    *client = NULL;
}

void inventory_client_leave(struct inventory_client *c, uint64_t bytes_in, uint64_t bytes_out)
{
    struct client_db *db = c ? database(c->inventory) : NULL;
    if (!db)
        return;
    pthread_mutex_lock(&c->lock);
    /* Before the login it is not known yet whose row it is. */
    if (c->row.login[0]) {
        struct client_row row = take(c, bytes_in, bytes_out);
        client_db_leave(db, &row);
    }
    pthread_mutex_unlock(&c->lock);
}

void inventory_peer(struct inventory_client *c, const struct sockaddr *peer)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    set_peer(&c->row, peer);
    pthread_mutex_unlock(&c->lock);
}

void inventory_tls(struct inventory_client *c, int version, const char *cipher)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->row.tls = version;
    text_clean(cipher, c->row.cipher, sizeof c->row.cipher);
    pthread_mutex_unlock(&c->lock);
}

static void count_failure(struct inventory_client *c, const char *reason)
{
    c->row.failures++;
    text_clean(reason, c->row.reason, sizeof c->row.reason);
}

void inventory_tls_failed(struct inventory_client *c, int offered, const char *reason)
{
    if (!c || offered < 0)
        return;
    pthread_mutex_lock(&c->lock);
    c->row.tls = offered ? offered : CLIENT_TLS_UNKNOWN;
    count_failure(c, reason);
    pthread_mutex_unlock(&c->lock);
}

/* From now on the row is that of this login and mechanism. Failures of another one that the
 * connection tried before are written for that one. */
static void be(struct inventory_client *c, const char *mechanism, const char *login)
{
    struct client_row before = c->row;
    text_clean(mechanism, c->row.mechanism, sizeof c->row.mechanism);
    text_clean(login, c->row.login, sizeof c->row.login);
    if (!before.failures || (strcmp(before.mechanism, c->row.mechanism) == 0 &&
                             strcmp(before.login, c->row.login) == 0))
        return;
    struct client_db *db = database(c->inventory);
    before.sessions = 0;
    before.last_ms = clock_wall_ms();
    if (db)
        client_db_leave(db, &before);
    c->row.failures = 0;
    c->row.reason[0] = '\0';
}

void inventory_accepted(struct inventory_client *c, const char *mechanism, const char *login)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    be(c, mechanism, login);
    c->row.logins++;
    pthread_mutex_unlock(&c->lock);
}

void inventory_refused(struct inventory_client *c, const char *mechanism, const char *login,
                       const char *reason)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    be(c, mechanism, login ? login : "");
    count_failure(c, reason);
    pthread_mutex_unlock(&c->lock);
}

void inventory_told(struct inventory_client *c, const char *text)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    if (*text && !c->row.told && !c->settled) {
        text_clean(text, c->row.program, sizeof c->row.program);
        c->row.told = true;
    }
    pthread_mutex_unlock(&c->lock);
}

static bool characteristic(const struct inventory_client *c, const char *name)
{
    static const char *const passing[] = {"LOGOUT", "QUIT", "NOOP"};
    if (c->row.told || c->settled || c->commands == INVENTORY_COMMANDS ||
        strcmp(name, c->last_command) == 0)
        return false;
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        if (strcmp(name, passing[i]) == 0)
            return false;
    }
    return strlen(c->row.program) + strlen(name) + 1 < sizeof c->row.program;
}

void inventory_command(struct inventory_client *c, const char *name)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    if (characteristic(c, name)) {
        size_t len = strlen(c->row.program);
        snprintf(c->row.program + len, sizeof c->row.program - len, "%s%s", len ? "," : "", name);
        snprintf(c->last_command, sizeof c->last_command, "%s", name);
        c->commands++;
    }
    pthread_mutex_unlock(&c->lock);
}

void inventory_fetched(struct inventory_client *c, uint64_t messages)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->row.fetched += messages;
    pthread_mutex_unlock(&c->lock);
}

void inventory_appended(struct inventory_client *c, uint64_t messages)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->row.appended += messages;
    pthread_mutex_unlock(&c->lock);
}
