/* SQL of what copies tell as their EMAILID. */
#include "mailbox_sql.h"
#include "postern/store/email_db.h"

#include "postern/base/clock.h"

#include <string.h>

static bool put(struct store_db *db, const char *graph_id, const uint8_t digest[SHA256_SIZE],
                const uint8_t email[SHA256_SIZE], struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(db, DB_EMAIL_PUT, DB_SURVIVES_KILL, e);
    if (!s)
        return false;
    db_bind_text(s, 1, graph_id);
    sqlite3_bind_blob(s, 2, digest, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_blob(s, 3, email, SHA256_SIZE, SQLITE_STATIC);
    sqlite3_bind_int64(s, 4, clock_wall_ms());
    return db_run(db, s, e);
}

bool store_email_copy(struct store_db *db, const char *from_id, const char *to_id, struct error *e)
{
    uint8_t from[SHA256_SIZE], to[SHA256_SIZE], email[SHA256_SIZE];
    sha256(from_id, strlen(from_id), from);
    sha256(to_id, strlen(to_id), to);
    if (!db_lock(db, e))
        return false;
    bool ok = store_email_of(db, from, email, e) && put(db, to_id, to, email, e);
    db_unlock(db);
    return ok;
}

bool store_email_of(struct store_db *db, const uint8_t digest[SHA256_SIZE],
                    uint8_t email[SHA256_SIZE], struct error *e)
{
    int found = -1;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_stmt(db, DB_EMAIL_OF, e);
    if (s) {
        sqlite3_bind_blob(s, 1, digest, SHA256_SIZE, SQLITE_STATIC);
        found = db_step(db, s, e);
    }
    if (found >= 0)
        memcpy(email, found ? sqlite3_column_blob(s, 0) : digest, SHA256_SIZE);
    if (found == 1)
        db_done(s);
    db_unlock(db);
    return found >= 0;
}

bool store_email_bearers(struct store_db *db, const uint8_t email[SHA256_SIZE], struct buf *digests,
                         struct error *e)
{
    int rc = -1;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_stmt(db, DB_EMAIL_BEARERS, e);
    if (s) {
        sqlite3_bind_blob(s, 1, email, SHA256_SIZE, SQLITE_STATIC);
        while ((rc = db_step(db, s, e)) == 1)
            buf_append(digests, sqlite3_column_blob(s, 0), SHA256_SIZE);
    }
    db_unlock(db);
    if (rc == 0 && digests->overflow)
        return error_set(e, ERROR_TOO_BIG, "too many messages are copies of the same one");
    return rc == 0;
}
