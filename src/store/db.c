#include "db.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <errno.h>
#include <string.h>

static const char *const stmt_sql[DB_STMT_COUNT] = {
    [DB_BEGIN] = "BEGIN IMMEDIATE",
    [DB_COMMIT] = "COMMIT",
    [DB_ROLLBACK] = "ROLLBACK",
    [DB_FOLDER_FIND] = "SELECT key, graph_id, uidvalidity, uidnext, modseq, uid_mode, synced, "
                       "marked, delta_link, resume_delta, resume_listing, listing_done, "
                       "delta_done, recent FROM folder WHERE graph_id = ?1",
    [DB_FOLDER_INSERT] = "INSERT INTO folder (graph_id, uidvalidity, uidnext, modseq, uid_mode, "
                         "synced, marked, delta_link, resume_delta, resume_listing, "
                         "listing_done, delta_done, recent) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [DB_FOLDER_UPDATE] = "UPDATE folder SET graph_id = ?1, uidvalidity = ?2, uidnext = ?3, "
                         "modseq = ?4, uid_mode = ?5, synced = ?6, marked = ?7, "
                         "delta_link = ?8, resume_delta = ?9, resume_listing = ?10, "
                         "listing_done = ?11, delta_done = ?12, recent = ?13 WHERE key = ?14",
    [DB_FOLDER_DELETE] = "DELETE FROM folder WHERE key = ?1",
    [DB_ALIAS_GET] = "SELECT graph_id FROM alias WHERE name = ?1",
    [DB_ALIAS_SET] = "INSERT INTO alias (name, graph_id) VALUES (?1, ?2) "
                     "ON CONFLICT (name) DO UPDATE SET graph_id = excluded.graph_id",
    [DB_ALIAS_FORGET] = "DELETE FROM alias WHERE graph_id = ?1",
    /* A given UID is never taken back, and a size that was told never changes with its UID. */
    [DB_MESSAGE_PUT] = "INSERT INTO message (folder, graph_id, uid, flags, received, article, "
                       "estimate, size, modseq, change_key, keywords, told, written) "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
                       "ON CONFLICT (folder, graph_id) DO UPDATE SET "
                       "uid = CASE excluded.uid WHEN 0 THEN uid ELSE excluded.uid END, "
                       "size = CASE WHEN size >= 0 AND (uid = 0 OR excluded.uid IN (0, uid)) "
                       "THEN size ELSE excluded.size END, "
                       "told = CASE WHEN told > 0 AND (uid = 0 OR excluded.uid IN (0, uid)) "
                       "THEN told ELSE excluded.told END, "
                       "flags = excluded.flags, received = excluded.received, "
                       "article = excluded.article, estimate = excluded.estimate, "
                       "modseq = excluded.modseq, change_key = excluded.change_key, "
                       "keywords = excluded.keywords, written = excluded.written",
    [DB_MESSAGE_BURY] = "INSERT INTO tombstone (folder, uid, id_hash, modseq, retired) "
                        "VALUES (?1, ?2, ?3, ?4, ?5)",
    [DB_MESSAGE_DROP] = "DELETE FROM message WHERE folder = ?1 AND uid = ?2 AND uid > 0",
    [DB_MESSAGE_ID] = "SELECT graph_id FROM message WHERE folder = ?1 AND uid = ?2 AND uid > 0",
    [DB_MESSAGE_FIND] = "SELECT graph_id, uid, flags, received, article, estimate, size, modseq, "
                        "change_key, keywords, told, written "
                        "FROM message WHERE folder = ?1 AND graph_id = ?2",
    [DB_MESSAGE_SET_SIZE] = "UPDATE message SET size = ?3 "
                            "WHERE folder = ?1 AND uid = ?2 AND uid > 0 AND size < 0",
    [DB_MESSAGE_SET_FLAGS] = "UPDATE message SET flags = ?3, keywords = ?4, change_key = ?5, "
                             "written = ?6, modseq = ?7 WHERE folder = ?1 AND uid = ?2 AND uid > 0",
    [DB_MESSAGE_SET_TOLD] = "UPDATE message SET told = ?3 "
                            "WHERE folder = ?1 AND uid = ?2 AND uid > 0 AND told = 0",
    [DB_MESSAGE_ELSEWHERE] =
        "SELECT 1 FROM folder WHERE key <> ?1 AND (EXISTS (SELECT 1 FROM message WHERE "
        "folder = folder.key AND graph_id = ?2) OR EXISTS (SELECT 1 FROM tombstone WHERE "
        "folder = folder.key AND id_hash = ?3))",
    [DB_RETIRED_FIND] = "SELECT max(retired) FROM tombstone WHERE folder = ?1 AND id_hash = ?2",
    [DB_RETIRED_DROP] = "DELETE FROM tombstone WHERE retired < ?1",
    [DB_UNSTAGE_ALL] = "DELETE FROM message WHERE folder = ?1 AND uid = 0",
    [DB_UNSTAGE_ONE] = "DELETE FROM message WHERE folder = ?1 AND uid = 0 AND graph_id = ?2",
    [DB_ORIGINAL_PUT] = "INSERT OR REPLACE INTO original (graph_id, size, received, flags, "
                        "look_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    [DB_ORIGINAL_COPY] = "INSERT OR REPLACE INTO original (graph_id, size, received, flags, "
                         "look_at) SELECT ?2, size, received, flags, ?3 FROM original "
                         "WHERE graph_id = ?1",
    [DB_ORIGINAL_FIND] = "SELECT size, received, flags FROM original WHERE graph_id = ?1",
    [DB_ORIGINAL_IS_DRAFT] = "UPDATE original SET flags = flags | ?2 WHERE graph_id = ?1",
    [DB_ORIGINAL_TELL_DRAFT] = "UPDATE original SET flags = (flags & ~?2) | ?3 WHERE graph_id = ?1",
    [DB_ORIGINAL_DROP] = "DELETE FROM original WHERE graph_id = ?1",
    [DB_ORIGINAL_DUE] = "SELECT graph_id FROM original WHERE look_at > 0 AND look_at <= ?1 "
                        "ORDER BY look_at LIMIT ?2",
    /* 0 while a row of the message is there: its going sets the time (see schema.c). */
    [DB_ORIGINAL_LIVES] = "UPDATE original SET look_at = CASE WHEN EXISTS (SELECT 1 FROM message "
                          "WHERE message.graph_id = ?1) THEN 0 ELSE ?2 END WHERE graph_id = ?1",
    [DB_MAKING_BEGIN] = "INSERT INTO making (folder, mark, began) VALUES (?1, ?2, ?3)",
    [DB_MAKING_KNOWN] = "UPDATE making SET graph_id = ?2 WHERE key = ?1",
    [DB_MAKING_END] = "DELETE FROM making WHERE key = ?1",
    [DB_MAKING_ABANDON] = "UPDATE making SET abandoned = 1 WHERE key = ?1 OR ?1 = 0",
    [DB_MAKING_EACH] = "SELECT key, folder, mark, graph_id, began FROM making "
                       "WHERE abandoned = 1 ORDER BY key",
    [DB_FACT_GET] = "SELECT data FROM fact WHERE folder = ?1 AND uid = ?2 AND kind = ?3",
    [DB_FACT_PUT] = "INSERT OR IGNORE INTO fact (folder, uid, kind, data) "
                    "SELECT ?1, ?2, ?3, ?4 WHERE EXISTS "
                    "(SELECT 1 FROM message WHERE folder = ?1 AND uid = ?2 AND uid > 0)",
    [DB_EMAIL_PUT] = "INSERT OR IGNORE INTO email (graph_id, digest, email, gone) "
                     "VALUES (?1, ?2, ?3, ?4)",
    [DB_EMAIL_OF] = "SELECT email FROM email WHERE digest = ?1",
    [DB_EMAIL_BEARERS] = "SELECT digest FROM email WHERE email = ?1 UNION ALL SELECT ?1 WHERE NOT "
                         "EXISTS (SELECT 1 FROM email WHERE digest = ?1) ORDER BY 1",
    [DB_EMAIL_LIVES] = "UPDATE email SET gone = 0 WHERE gone > 0 AND EXISTS (SELECT 1 FROM folder "
                       "WHERE EXISTS (SELECT 1 FROM message WHERE folder = folder.key "
                       "AND graph_id = email.graph_id))",
    [DB_EMAIL_DROP] = "DELETE FROM email WHERE gone > 0 AND gone < ?1",
    /* Bits: STORE_SEEN is 1, STORE_DELETED 32. */
    [DB_FOLDER_TOTALS] =
        "SELECT count(*), coalesce(sum((flags & 1) = 0), 0), "
        "coalesce(sum(uid >= ?2), 0), "
        "coalesce(sum(max(told, CASE WHEN size >= 0 THEN size "
        "ELSE max(estimate, 0) END)), 0) FROM message WHERE folder = ?1 AND uid > 0",
    [DB_TREE_EACH] = "SELECT graph_id, parent_id, name, hidden, children, total, unread, change, "
                     "covered FROM tree",
    [DB_TREE_CLEAR] = "DELETE FROM tree",
    [DB_TREE_PUT] = "INSERT OR REPLACE INTO tree (graph_id, parent_id, name, hidden, children, "
                    "total, unread, change, covered) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [DB_TREE_REMOVE] = "DELETE FROM tree WHERE graph_id = ?1",
    [DB_TREE_STATE] = "SELECT link, round FROM tree_state",
    [DB_TREE_SET_STATE] = "INSERT OR REPLACE INTO tree_state (one, link, round) VALUES (1, ?1, ?2)",
    [DB_TREE_COVER] = "UPDATE tree SET covered = ?2 WHERE graph_id = ?1",
    [DB_SUBSCRIPTION_SET] = "INSERT OR REPLACE INTO subscription (name, subscribed) "
                            "VALUES (?1, ?2)",
    [DB_SUBSCRIPTION_EACH] = "SELECT name, subscribed FROM subscription ORDER BY name",
    [DB_VALIDITY_GET] = "SELECT graph_id, uidvalidity FROM validity WHERE name = ?1",
    [DB_VALIDITY_SET] = "INSERT OR REPLACE INTO validity (name, graph_id, uidvalidity) "
                        "VALUES (?1, ?2, ?3)",
};

bool db_lock(struct store_db *db, struct error *e)
{
    pthread_mutex_lock(&db->mutex);
    if (db->handle) {
        db->depth++;
        return true;
    }
    pthread_mutex_unlock(&db->mutex);
    return error_set(e, ERROR_LOCAL,
                     "the database in %s was damaged and set aside; it is rebuilt when the mailbox "
                     "is opened again",
                     db->dir);
}

void db_unlock(struct store_db *db)
{
    struct error e = ERROR_INIT;
    if (--db->depth == 0 && db->damaged && !db_set_aside(db, &e))
        log_error_value(LOG_LEVEL_ERROR, &e, "the mailbox cannot be opened again");
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
        return error_set(e, ERROR_LOCAL,
                         "the database %s is damaged (%s); it is set aside and rebuilt from the "
                         "mailbox when that is opened again",
                         db->path, said);
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

sqlite3_stmt *db_stmt(struct store_db *db, enum db_stmt which, struct error *e)
{
    if (db->stmts[which])
        return db->stmts[which];
    int rc = sqlite3_prepare_v3(db->handle, stmt_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
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

sqlite3_stmt *db_write_stmt(struct store_db *db, enum db_stmt which, enum db_safety safety,
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
    for (int i = 0; i < DB_STMT_COUNT; i++) {
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
