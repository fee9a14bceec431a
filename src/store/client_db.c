/* Writing clients.db: what several threads bring at once is one transaction. */
#include "postern/store/client_db.h"

#include "client_sql.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/store/mailbox_db.h"

#include <stdlib.h>
#include <string.h>

/* Notes that wait while the file cannot be written; the oldest go first. */
#define WAITING_MAX 4096
/* Over CLIENT_ROWS_MAX so many rows more are dropped, since finding the oldest is work. */
#define DROPPED_MORE 500

struct client_db {
    char *dir;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t written_more;
    struct client_row *waiting;
    size_t count;
    size_t cap;
    uint64_t asked;   /* notes that came */
    uint64_t written; /* of these, tried */
    uint64_t lost;    /* since the log was told */
    bool failing;     /* the log was told */
    bool writing;     /* a thread is at it, and owns what follows */
    struct store_db *db;
    int64_t rows;
};

/* ---- one transaction; by the thread that is `writing` ---- */

static bool count_rows(struct client_db *c, struct error *e)
{
    sqlite3_stmt *s = db_stmt(c->db, CLIENT_COUNT, e);
    if (!s || db_step(c->db, s, e) != 1)
        return false;
    c->rows = sqlite3_column_int64(s, 0);
    db_done(s);
    return true;
}

static bool open_database(struct client_db *c, struct error *e)
{
    bool fresh;
    if (c->db && store_db_usable(c->db))
        return true;
    db_file_close(c->db);
    if (!(c->db = db_file_open(c->dir, &client_kind, &fresh, e)) || !db_lock(c->db, e))
        return false;
    bool ok = count_rows(c, e);
    db_unlock(c->db);
    return ok;
}

/* Runs a statement that deletes. */
static bool drop(struct client_db *c, sqlite3_stmt *s, struct error *e)
{
    if (!db_run(c->db, s, e))
        return false;
    c->rows -= sqlite3_changes(c->db->handle);
    return true;
}

/* After a new row: those that it is one too many for. */
static bool keep_bounds(struct client_db *c, const struct client_row *row, struct error *e)
{
    bool refused = row->logins == 0;
    sqlite3_stmt *s = db_write_stmt(c->db, refused ? CLIENT_DROP_REFUSED : CLIENT_DROP_PROGRAMS,
                                    DB_SURVIVES_KILL, e);
    if (!s)
        return false;
    db_bind_text(s, 1, row->network);
    if (refused) {
        sqlite3_bind_int(s, 2, CLIENT_REFUSED_MAX);
    } else {
        db_bind_text(s, 2, row->login);
        sqlite3_bind_int(s, 3, CLIENT_PROGRAMS_MAX);
    }
    if (!drop(c, s, e))
        return false;
    if (c->rows <= CLIENT_ROWS_MAX)
        return true;
    if (!(s = db_write_stmt(c->db, CLIENT_DROP_OLDEST, DB_SURVIVES_KILL, e)))
        return false;
    sqlite3_bind_int64(s, 1, c->rows - CLIENT_ROWS_MAX + DROPPED_MORE);
    return drop(c, s, e);
}

/* 1: found, 0: there is none, -1: failed. */
static int find(struct client_db *c, const struct client_row *row, int64_t *key, struct error *e)
{
    sqlite3_stmt *s = db_stmt(c->db, CLIENT_FIND, e);
    if (!s)
        return -1;
    client_bind_identity(s, row);
    int found = db_step(c->db, s, e);
    if (found == 1) {
        *key = sqlite3_column_int64(s, 0);
        db_done(s);
    }
    return found;
}

static bool add_one(struct client_db *c, const struct client_row *note, struct error *e)
{
    int64_t key = 0;
    int found = find(c, note, &key, e);
    if (found < 0)
        return false;
    sqlite3_stmt *s =
        db_write_stmt(c->db, found ? CLIENT_UPDATE : CLIENT_INSERT, DB_SURVIVES_KILL, e);
    if (!s)
        return false;
    client_bind_identity(s, note);
    client_bind_counts(s, note);
    if (found)
        sqlite3_bind_int64(s, 21, key);
    if (!db_run(c->db, s, e))
        return false;
    if (found)
        return true;
    c->rows++;
    return keep_bounds(c, note, e);
}

static bool add_notes(struct client_db *c, const struct client_row *notes, size_t count,
                      struct error *e)
{
    if (!open_database(c, e))
        return false;
    int64_t rows = c->rows;
    struct store_tx *tx = db_tx_begin(c->db, DB_SURVIVES_KILL, e);
    if (!tx)
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = add_one(c, &notes[i], e);
    if (ok)
        ok = store_tx_commit(&tx, e);
    else
        store_tx_rollback(&tx);
    if (!ok)
        c->rows = rows;
    return ok;
}

/* ---- the queue; the lock is held ---- */

static void append(struct client_db *c, const struct client_row *notes, size_t count)
{
    if (!count)
        return;
    if (c->count + count > c->cap) {
        c->cap = 2 * (c->count + count);
        c->waiting = xreallocarray(c->waiting, c->cap, sizeof *c->waiting);
    }
    memcpy(c->waiting + c->count, notes, count * sizeof *notes);
    c->count += count;
    if (c->count > WAITING_MAX) {
        size_t surplus = c->count - WAITING_MAX;
        memmove(c->waiting, c->waiting + surplus, WAITING_MAX * sizeof *c->waiting);
        c->count = WAITING_MAX;
        c->lost += surplus;
    }
}

static void complain(struct client_db *c, const struct error *e)
{
    if (!c->failing)
        log_error_value(LOG_LEVEL_ERROR, e, "who the clients are cannot be written down now");
    c->failing = true;
}

static void tell_recovery(struct client_db *c)
{
    if (c->failing)
        log_info("clients are written down again; %llu notes were lost meanwhile",
                 (unsigned long long)c->lost);
    c->failing = false;
    c->lost = 0;
}

/* Writes what waits, in the name of all who brought it. The lock is given up meanwhile. */
static void write_waiting(struct client_db *c)
{
    struct error e = ERROR_INIT;
    struct client_row *notes = c->waiting;
    size_t count = c->count;
    uint64_t until = c->asked;
    c->waiting = NULL;
    c->count = c->cap = 0;
    c->writing = true;
    pthread_mutex_unlock(&c->lock);
    bool ok = add_notes(c, notes, count, &e);
    if (!ok && c->db && !store_db_usable(c->db)) /* damaged: there is a new one now */
        ok = add_notes(c, notes, count, &e);
    pthread_mutex_lock(&c->lock);
    c->writing = false;
    c->written = until;
    if (ok) {
        tell_recovery(c);
    } else {
        struct client_row *later = c->waiting;
        size_t later_count = c->count;
        complain(c, &e);
        c->waiting = notes;
        c->count = c->cap = count;
        append(c, later, later_count);
        notes = later;
    }
    free(notes);
    pthread_cond_broadcast(&c->written_more);
}

/* Until nobody else writes. */
static void wait_for_turn(struct client_db *c)
{
    while (c->writing)
        pthread_cond_wait(&c->written_more, &c->lock);
}

/* ---- what others call ---- */

struct client_db *client_db_open(const char *state_dir, struct error *e)
{
    struct client_db *c = xcalloc(1, sizeof *c);
    c->dir = xstrdup(state_dir);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->written_more, NULL);
    if (!open_database(c, e))
        client_db_close(&c);
    return c;
}

void client_db_close(struct client_db **db)
{
    struct client_db *c = *db;
    if (!c)
        return;
    client_db_flush(c);
    db_file_close(c->db);
    pthread_cond_destroy(&c->written_more);
    pthread_mutex_destroy(&c->lock);
    free(c->waiting);
    free(c->dir);
    free(c);
    *db = NULL;
}

void client_db_add_all(struct client_db *c, const struct client_row *notes, size_t count)
{
    pthread_mutex_lock(&c->lock);
    append(c, notes, count);
    uint64_t mine = c->asked += count;
    while (c->written < mine) {
        if (c->writing)
            pthread_cond_wait(&c->written_more, &c->lock);
        else
            write_waiting(c);
    }
    pthread_mutex_unlock(&c->lock);
}

void client_db_add(struct client_db *c, const struct client_row *note)
{
    client_db_add_all(c, note, 1);
}

void client_db_leave(struct client_db *c, const struct client_row *note)
{
    pthread_mutex_lock(&c->lock);
    append(c, note, 1);
    c->asked++;
    pthread_mutex_unlock(&c->lock);
}

void client_db_flush(struct client_db *c)
{
    pthread_mutex_lock(&c->lock);
    wait_for_turn(c);
    if (c->count)
        write_waiting(c);
    pthread_mutex_unlock(&c->lock);
}

bool client_db_prune(struct client_db *c, int64_t before_ms, struct error *e)
{
    pthread_mutex_lock(&c->lock);
    wait_for_turn(c);
    c->writing = true;
    pthread_mutex_unlock(&c->lock);
    bool ok = open_database(c, e) && db_lock(c->db, e);
    if (ok) {
        sqlite3_stmt *s = db_write_stmt(c->db, CLIENT_PRUNE, DB_SURVIVES_KILL, e);
        if (s)
            sqlite3_bind_int64(s, 1, before_ms);
        ok = s && drop(c, s, e);
        db_unlock(c->db);
    }
    pthread_mutex_lock(&c->lock);
    c->writing = false;
    pthread_cond_broadcast(&c->written_more);
    pthread_mutex_unlock(&c->lock);
    return ok;
}
