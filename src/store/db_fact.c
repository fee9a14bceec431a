/* SQL of what was found out about messages once. */
#include "mailbox_sql.h"
#include "postern/store/fact_db.h"

int store_fact_get(struct store_db *db, int64_t folder, uint32_t uid, int kind, struct buf *out,
                   struct error *e)
{
    if (!db_lock(db, e))
        return -1;
    int found = -1;
    sqlite3_stmt *s = db_stmt(db, DB_FACT_GET, e);
    if (s) {
        sqlite3_bind_int64(s, 1, folder);
        sqlite3_bind_int64(s, 2, uid);
        sqlite3_bind_int(s, 3, kind);
        found = db_step(db, s, e);
    }
    if (found == 1) {
        const void *data = sqlite3_column_blob(s, 0);
        if (!buf_append(out, data ? data : "", (size_t)sqlite3_column_bytes(s, 0))) {
            error_set(e, ERROR_TOO_BIG, "what is stored of the message with UID %u is too large",
                      (unsigned)uid);
            found = -1;
        }
        db_done(s);
    }
    db_unlock(db);
    return found;
}

bool store_fact_put(struct store_db *db, int64_t folder, uint32_t uid, int kind, const void *data,
                    size_t len, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    bool ok = false;
    sqlite3_stmt *s = db_write_stmt(db, DB_FACT_PUT, DB_SURVIVES_KILL, e);
    if (s) {
        sqlite3_bind_int64(s, 1, folder);
        sqlite3_bind_int64(s, 2, uid);
        sqlite3_bind_int(s, 3, kind);
        sqlite3_bind_blob64(s, 4, data, len, SQLITE_STATIC);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}
