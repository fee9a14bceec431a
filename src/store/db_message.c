/* Messages: reading them, and the transactions of a sync. */
#include "mailbox_sql.h"
#include "postern/store/mailbox_db.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

#define ID_HASH_SIZE (SHA256_SIZE / 2)

#define MESSAGE_COLUMNS                                                                            \
    "graph_id, uid, flags, received, article, estimate, size, modseq, change_key, keywords, "      \
    "told, written"

static void hash_id(const char *graph_id, uint8_t out[ID_HASH_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    sha256(graph_id, strlen(graph_id), digest);
    memcpy(out, digest, ID_HASH_SIZE);
}

static void read_message(sqlite3_stmt *s, struct store_message *m)
{
    m->graph_id = db_column_text(s, 0);
    m->uid = (uint32_t)sqlite3_column_int64(s, 1);
    m->flags = (uint32_t)sqlite3_column_int64(s, 2);
    m->received_ms = sqlite3_column_int64(s, 3);
    m->article = sqlite3_column_int64(s, 4);
    m->estimate = sqlite3_column_int64(s, 5);
    m->size = sqlite3_column_int64(s, 6);
    m->modseq = (uint64_t)sqlite3_column_int64(s, 7);
    m->change_key = db_column_text(s, 8);
    m->keywords = db_column_text(s, 9);
    m->told = (uint32_t)sqlite3_column_int64(s, 10);
    m->written = sqlite3_column_int64(s, 11);
}

struct store_tx *store_tx_begin(struct store_db *db, struct error *e)
{
    return db_tx_begin(db, DB_SURVIVES_POWER, e);
}

bool store_tx_put(struct store_tx *tx, int64_t folder, const struct store_message *m,
                  struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(tx->db, DB_MESSAGE_PUT, DB_SURVIVES_POWER, e);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, folder);
    db_bind_text(s, 2, m->graph_id);
    sqlite3_bind_int64(s, 3, m->uid);
    sqlite3_bind_int64(s, 4, m->flags);
    sqlite3_bind_int64(s, 5, m->received_ms);
    sqlite3_bind_int64(s, 6, m->article);
    sqlite3_bind_int64(s, 7, m->estimate);
    sqlite3_bind_int64(s, 8, m->size);
    sqlite3_bind_int64(s, 9, (sqlite3_int64)m->modseq);
    db_bind_text(s, 10, m->change_key ? m->change_key : "");
    db_bind_text(s, 11, m->keywords ? m->keywords : "");
    sqlite3_bind_int64(s, 12, m->told);
    sqlite3_bind_int64(s, 13, m->written);
    return db_run(tx->db, s, e);
}

bool store_tx_set_flags(struct store_tx *tx, int64_t folder, const struct store_message *m,
                        struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(tx->db, DB_MESSAGE_SET_FLAGS, DB_SURVIVES_POWER, e);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, folder);
    sqlite3_bind_int64(s, 2, m->uid);
    sqlite3_bind_int64(s, 3, m->flags);
    db_bind_text(s, 4, m->keywords);
    db_bind_text(s, 5, m->change_key);
    sqlite3_bind_int64(s, 6, m->written);
    sqlite3_bind_int64(s, 7, (sqlite3_int64)m->modseq);
    return db_run(tx->db, s, e);
}

bool store_tx_set_told(struct store_tx *tx, int64_t folder, uint32_t uid, uint32_t told,
                       struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(tx->db, DB_MESSAGE_SET_TOLD, DB_SURVIVES_KILL, e);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, folder);
    sqlite3_bind_int64(s, 2, uid);
    sqlite3_bind_int64(s, 3, told);
    return db_run(tx->db, s, e);
}

/* 1: the id of that UID is in *graph_id, 0: no such UID, -1: error. */
static int find_id(struct store_db *db, int64_t folder, uint32_t uid, char **graph_id,
                   struct error *e)
{
    *graph_id = NULL;
    sqlite3_stmt *s = db_stmt(db, DB_MESSAGE_ID, e);
    if (!s)
        return -1;
    sqlite3_bind_int64(s, 1, folder);
    sqlite3_bind_int64(s, 2, uid);
    int found = db_step(db, s, e);
    if (found == 1) {
        *graph_id = xstrdup(db_column_text(s, 0));
        db_done(s);
    }
    return found;
}

static bool bury(struct store_tx *tx, int64_t folder, uint32_t uid, const char *graph_id,
                 uint64_t modseq, struct error *e)
{
    uint8_t hash[ID_HASH_SIZE];
    sqlite3_stmt *s = db_write_stmt(tx->db, DB_MESSAGE_BURY, DB_SURVIVES_POWER, e);
    if (!s)
        return false;
    hash_id(graph_id, hash);
    sqlite3_bind_int64(s, 1, folder);
    sqlite3_bind_int64(s, 2, uid);
    sqlite3_bind_blob(s, 3, hash, sizeof hash, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)modseq);
    sqlite3_bind_int64(s, 5, clock_wall_ms());
    return db_run(tx->db, s, e);
}

bool store_tx_expunge(struct store_tx *tx, int64_t folder, uint32_t uid, uint64_t modseq,
                      struct error *e)
{
    char *graph_id;
    int found = find_id(tx->db, folder, uid, &graph_id, e);
    if (found != 1)
        return found == 0;
    bool ok = bury(tx, folder, uid, graph_id, modseq, e);
    free(graph_id);
    sqlite3_stmt *s = ok ? db_write_stmt(tx->db, DB_MESSAGE_DROP, DB_SURVIVES_POWER, e) : NULL;
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, folder);
    sqlite3_bind_int64(s, 2, uid);
    return db_run(tx->db, s, e);
}

bool store_tx_unstage(struct store_tx *tx, int64_t folder, const char *graph_id_or_null,
                      struct error *e)
{
    enum db_stmt which = graph_id_or_null ? DB_UNSTAGE_ONE : DB_UNSTAGE_ALL;
    sqlite3_stmt *s = db_write_stmt(tx->db, which, DB_SURVIVES_POWER, e);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, folder);
    if (graph_id_or_null)
        db_bind_text(s, 2, graph_id_or_null);
    return db_run(tx->db, s, e);
}

/* 1: went through all, 0: the callback stopped it, -1: error. */
static int each(struct store_db *db, const char *sql, int64_t folder,
                bool (*fn)(void *arg, const struct store_message *m), void *arg, struct error *e)
{
    sqlite3_stmt *s = NULL;
    bool go_on = true;
    /* Prepared for this walk alone, so that a callback may walk too. */
    int rc = sqlite3_prepare_v2(db->handle, sql, -1, &s, NULL);
    if (rc == SQLITE_OK)
        sqlite3_bind_int64(s, 1, folder);
    while (rc == SQLITE_OK && go_on && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct store_message m;
        read_message(s, &m);
        go_on = fn(arg, &m);
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_OK && rc != SQLITE_DONE)
        db_fail(db, rc, e);
    sqlite3_finalize(s);
    if (rc == SQLITE_DONE)
        return 1;
    return go_on ? -1 : 0;
}

bool store_message_each(struct store_db *db, int64_t folder,
                        bool (*fn)(void *arg, const struct store_message *m), void *arg,
                        struct error *e)
{
    if (!db_lock(db, e))
        return false;
    int rc = each(db,
                  "SELECT " MESSAGE_COLUMNS " FROM message WHERE folder = ?1 AND uid = 0 "
                  "ORDER BY article < 0, article, received",
                  folder, fn, arg, e);
    if (rc == 1)
        rc = each(db,
                  "SELECT " MESSAGE_COLUMNS " FROM message WHERE folder = ?1 AND uid > 0 "
                  "ORDER BY uid",
                  folder, fn, arg, e);
    db_unlock(db);
    return rc >= 0;
}

int store_message_id_by_uid(struct store_db *db, int64_t folder, uint32_t uid, char **graph_id,
                            struct error *e)
{
    *graph_id = NULL;
    if (!db_lock(db, e))
        return -1;
    int found = find_id(db, folder, uid, graph_id, e);
    db_unlock(db);
    return found;
}

/* The strings of a row into one block. */
static char *own_strings(struct store_message *m)
{
    size_t id = strlen(m->graph_id) + 1, key = strlen(m->change_key) + 1;
    size_t words = strlen(m->keywords) + 1;
    char *own = xmalloc(id + key + words);
    m->graph_id = memcpy(own, m->graph_id, id);
    m->change_key = memcpy(own + id, m->change_key, key);
    m->keywords = memcpy(own + id + key, m->keywords, words);
    return own;
}

static bool find_retired(struct store_db *db, int64_t folder, const char *graph_id,
                         int64_t *retired_ms, struct error *e)
{
    uint8_t hash[ID_HASH_SIZE];
    sqlite3_stmt *s = db_stmt(db, DB_RETIRED_FIND, e);
    if (!s)
        return false;
    hash_id(graph_id, hash);
    sqlite3_bind_int64(s, 1, folder);
    sqlite3_bind_blob(s, 2, hash, sizeof hash, SQLITE_STATIC);
    int rc = db_step(db, s, e);
    if (rc == 1) {
        *retired_ms = sqlite3_column_int64(s, 0); /* NULL, nothing retired, reads as 0 */
        db_done(s);
    }
    return rc >= 0;
}

int store_message_find(struct store_db *db, int64_t folder, const char *graph_id,
                       struct store_message *out, char **own, int64_t *retired_ms, struct error *e)
{
    *own = NULL;
    *retired_ms = 0;
    if (!db_lock(db, e))
        return -1;
    int found = -1;
    sqlite3_stmt *s = db_stmt(db, DB_MESSAGE_FIND, e);
    if (s && find_retired(db, folder, graph_id, retired_ms, e)) {
        sqlite3_bind_int64(s, 1, folder);
        db_bind_text(s, 2, graph_id);
        found = db_step(db, s, e);
    }
    if (found == 1) {
        read_message(s, out);
        *own = own_strings(out);
        db_done(s);
    }
    db_unlock(db);
    return found;
}

int store_message_elsewhere(struct store_db *db, int64_t folder, const char *graph_id,
                            struct error *e)
{
    uint8_t hash[ID_HASH_SIZE];
    int found = -1;
    hash_id(graph_id, hash);
    if (!db_lock(db, e))
        return -1;
    sqlite3_stmt *s = db_stmt(db, DB_MESSAGE_ELSEWHERE, e);
    if (s) {
        sqlite3_bind_int64(s, 1, folder);
        db_bind_text(s, 2, graph_id);
        sqlite3_bind_blob(s, 3, hash, sizeof hash, SQLITE_STATIC);
        found = db_step(db, s, e);
        if (found == 1)
            db_done(s);
    }
    db_unlock(db);
    return found;
}

bool store_message_set_size(struct store_db *db, int64_t folder, uint32_t uid, int64_t size,
                            struct error *e)
{
    if (!db_lock(db, e))
        return false;
    bool ok = false;
    sqlite3_stmt *s = db_write_stmt(db, DB_MESSAGE_SET_SIZE, DB_SURVIVES_KILL, e);
    if (s) {
        sqlite3_bind_int64(s, 1, folder);
        sqlite3_bind_int64(s, 2, uid);
        sqlite3_bind_int64(s, 3, size);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}
