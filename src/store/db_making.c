/* Messages being made: what a killed process may have left half done. */
#include "mailbox_sql.h"
#include "postern/store/original.h"

bool store_making_begin(struct store_db *db, struct store_making *m, struct error *e)
{
    bool ok = false;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_MAKING_BEGIN, DB_SURVIVES_POWER, e);
    if (s) {
        db_bind_text(s, 1, m->folder);
        if (m->mark)
            db_bind_text(s, 2, m->mark);
        sqlite3_bind_int64(s, 3, m->began_ms);
        ok = db_run(db, s, e);
    }
    if (ok)
        m->key = sqlite3_last_insert_rowid(db->handle);
    db_unlock(db);
    return ok;
}

/* A write of one row by its key, and a text for some. */
static bool write_row(struct store_db *db, enum db_stmt which, enum db_safety safety, int64_t key,
                      const char *text_or_null, struct error *e)
{
    bool ok = false;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, which, safety, e);
    if (s) {
        sqlite3_bind_int64(s, 1, key);
        if (text_or_null)
            db_bind_text(s, 2, text_or_null);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}

bool store_making_known(struct store_db *db, int64_t key, const char *graph_id, struct error *e)
{
    return write_row(db, DB_MAKING_KNOWN, DB_SURVIVES_KILL, key, graph_id, e);
}

bool store_making_end(struct store_db *db, int64_t key, struct error *e)
{
    return write_row(db, DB_MAKING_END, DB_SURVIVES_POWER, key, NULL, e);
}

bool store_making_abandon(struct store_db *db, int64_t key, struct error *e)
{
    return write_row(db, DB_MAKING_ABANDON, DB_SURVIVES_KILL, key, NULL, e);
}

static void read_row(sqlite3_stmt *s, struct store_making *m)
{
    *m = (struct store_making){
        .key = sqlite3_column_int64(s, 0),
        .folder = db_column_text(s, 1),
        .mark = (const char *)sqlite3_column_text(s, 2),
        .graph_id = (const char *)sqlite3_column_text(s, 3),
        .began_ms = sqlite3_column_int64(s, 4),
    };
}

bool store_making_each(struct store_db *db, bool (*fn)(void *arg, const struct store_making *m),
                       void *arg, struct error *e)
{
    int rc = -1;
    bool go_on = true;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_stmt(db, DB_MAKING_EACH, e);
    while (s && go_on && (rc = db_step(db, s, e)) == 1) {
        struct store_making m;
        read_row(s, &m);
        go_on = fn(arg, &m);
    }
    if (s && !go_on)
        db_done(s);
    db_unlock(db);
    return rc >= 0;
}
