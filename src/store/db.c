#include "db.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <errno.h>
#include <string.h>

bool db_lock(struct store_db *db, struct error *e)
{
    pthread_mutex_lock(&db->mutex);
    if (db->handle) {
        db->depth++;
        return true;
    }
    pthread_mutex_unlock(&db->mutex);
    return error_set(e, ERROR_LOCAL, "the database %s was damaged and set aside; it is %s",
                     db->path, db->kind->rebuilt);
}

void db_unlock(struct store_db *db)
{
    struct error e = ERROR_INIT;
    if (--db->depth == 0 && db->damaged && !db_set_aside(db, &e))
        log_error_value(LOG_LEVEL_ERROR, &e, "what is stored there is out of reach");
    pthread_mutex_unlock(&db->mutex);
}

static bool is_full(int rc, int cause)
{
    return (rc & 0xff) == SQLITE_FULL ||
           ((rc & 0xff) == SQLITE_IOERR && (cause == ENOSPC || cause == EDQUOT || cause == EFBIG));
}

bool db_fail(struct store_db *db, int rc, struct error *e)
{
    int primary = rc & 0xff;
    int cause = db->handle ? sqlite3_system_errno(db->handle) : 0;
    bool told = db->handle && (sqlite3_errcode(db->handle) & 0xff) == primary;
    const char *said = told ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
    if (primary == SQLITE_NOMEM)
        alloc_out_of_memory();
    db->tx_failed = db->in_tx;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
        db->damaged = true;
        return error_set(e, ERROR_LOCAL, "the database %s is damaged (%s); it is set aside and %s",
                         db->path, said, db->kind->rebuilt);
    }
    if (is_full(rc, cause))
        return error_set(e, ERROR_LOCAL,
                         "no room to write the database %s: free space on its file system or "
                         "raise its quota",
                         db->path);
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED)
        return error_set(e, ERROR_LOCAL,
                         "the database %s is locked by another program; end whatever has it open",
                         db->path);
    return error_set(e, ERROR_LOCAL, "the database %s failed: %s%s%s", db->path, said,
                     cause ? ": " : "", cause ? strerror(cause) : "");
}

sqlite3_stmt *db_stmt(struct store_db *db, unsigned which, struct error *e)
{
    if (db->stmts[which])
        return db->stmts[which];
    int rc = sqlite3_prepare_v3(db->handle, db->kind->sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                &db->stmts[which], NULL);
    if (rc != SQLITE_OK)
        db_fail(db, rc, e);
    return db->stmts[which];
}

/* SQLite changes this setting only between transactions. */
static bool set_safety(struct store_db *db, enum db_safety safety, struct error *e)
{
    bool durable = safety == DB_SURVIVES_POWER;
    if (durable == db->durable || db->in_tx)
        return true;
    int rc = sqlite3_exec(db->handle,
                          durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
                          NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return db_fail(db, rc, e);
    db->durable = durable;
    return true;
}

sqlite3_stmt *db_write_stmt(struct store_db *db, unsigned which, enum db_safety safety,
                            struct error *e)
{
    /* SQLite rolls back by itself after some errors; what follows must not commit alone. */
    if (db->in_tx && (db->tx_failed || sqlite3_get_autocommit(db->handle))) {
        error_set(e, ERROR_LOCAL, "an earlier write of this transaction on %s failed", db->path);
        return NULL;
    }
    return set_safety(db, safety, e) ? db_stmt(db, which, e) : NULL;
}

void db_done(sqlite3_stmt *s)
{
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

int db_step(struct store_db *db, sqlite3_stmt *s, struct error *e)
{
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        db_fail(db, rc, e);
    db_done(s);
    return rc == SQLITE_DONE ? 0 : -1;
}

bool db_run(struct store_db *db, sqlite3_stmt *s, struct error *e)
{
    int rc = db_step(db, s, e);
    if (rc == 1)
        db_done(s);
    return rc >= 0;
}

void db_close_handle(struct store_db *db, bool checkpoint)
{
    for (int i = 0; (unsigned)i < db->kind->sql_count; i++) {
        sqlite3_finalize(db->stmts[i]);
        db->stmts[i] = NULL;
    }
    if (db->handle)
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, checkpoint ? 0 : 1, NULL);
    sqlite3_close(db->handle);
    db->handle = NULL;
    db->durable = false;
}

void db_bind_text(sqlite3_stmt *s, int index, const char *text)
{
    if (text)
        sqlite3_bind_text(s, index, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(s, index);
}

char *db_column_copy(sqlite3_stmt *s, int column)
{
    return xstrdup_null((const char *)sqlite3_column_text(s, column));
}

const char *db_column_text(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text ? text : "";
}
