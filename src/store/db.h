/*
 * Inside of a mailbox database: the handle, its lock, its prepared statements, its errors.
 *
 * Each public call is db_lock() … db_unlock(). The lock is recursive, and a transaction holds it
 * from begin to end: other threads wait for the commit, and calls by the transaction's own
 * thread become part of it.
 */
#ifndef POSTERN_STORE_DB_H
#define POSTERN_STORE_DB_H

#include "postern/base/error.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum db_stmt {
    DB_BEGIN,
    DB_COMMIT,
    DB_ROLLBACK,
    DB_FOLDER_FIND,
    DB_FOLDER_INSERT,
    DB_FOLDER_UPDATE,
    DB_FOLDER_DELETE,
    DB_ALIAS_GET,
    DB_ALIAS_SET,
    DB_ALIAS_FORGET,
    DB_MESSAGE_PUT,
    DB_MESSAGE_BURY,
    DB_MESSAGE_DROP,
    DB_MESSAGE_ID,
    DB_MESSAGE_FIND,
    DB_MESSAGE_SET_SIZE,
    DB_MESSAGE_SET_FLAGS,
    DB_MESSAGE_SET_TOLD,
    DB_RETIRED_FIND,
    DB_MESSAGE_ELSEWHERE,
    DB_RETIRED_DROP,
    DB_UNSTAGE_ALL,
    DB_UNSTAGE_ONE,
    DB_ORIGINAL_PUT,
    DB_ORIGINAL_COPY,
    DB_ORIGINAL_FIND,
    DB_ORIGINAL_DROP,
    DB_ORIGINAL_IS_DRAFT,
    DB_ORIGINAL_TELL_DRAFT,
    DB_ORIGINAL_DUE,
    DB_ORIGINAL_LIVES,
    DB_MAKING_BEGIN,
    DB_MAKING_KNOWN,
    DB_MAKING_END,
    DB_MAKING_ABANDON,
    DB_MAKING_EACH,
    DB_FACT_GET,
    DB_FACT_PUT,
    DB_EMAIL_PUT,
    DB_EMAIL_OF,
    DB_EMAIL_BEARERS,
    DB_EMAIL_LIVES,
    DB_EMAIL_DROP,
    DB_FOLDER_TOTALS,
    DB_TREE_EACH,
    DB_TREE_CLEAR,
    DB_TREE_PUT,
    DB_TREE_REMOVE,
    DB_TREE_STATE,
    DB_TREE_SET_STATE,
    DB_TREE_COVER,
    DB_SUBSCRIPTION_SET,
    DB_SUBSCRIPTION_EACH,
    DB_VALIDITY_GET,
    DB_VALIDITY_SET,
    DB_STMT_COUNT
};

struct store_db {
    char *dir;
    char *path;
    pthread_mutex_t mutex; /* recursive; guards all below */
    unsigned depth;        /* how often the holder has locked it */
    sqlite3 *handle;       /* NULL once set aside */
    sqlite3_stmt *stmts[DB_STMT_COUNT];
    bool damaged; /* SQLite said so: set aside when the last lock goes */
    bool durable; /* PRAGMA synchronous is FULL now, not NORMAL */
    bool in_tx;
    bool tx_failed; /* a call inside the transaction failed: it can only be rolled back */
};

struct store_tx {
    struct store_db *db;
};

/* What a commit must outlive: a killed process only, or a power failure too. */
enum db_safety { DB_SURVIVES_KILL, DB_SURVIVES_POWER };

/* False, without the lock: the database was set aside. */
bool db_lock(struct store_db *db, struct error *e);
/* Sets a damaged file aside when the last lock goes. */
void db_unlock(struct store_db *db);

/* A prepared statement, reset; NULL with `e` set. Good until db_unlock(). */
sqlite3_stmt *db_stmt(struct store_db *db, enum db_stmt which, struct error *e);
/* The same for a statement that writes; a transaction's own safety goes before. */
sqlite3_stmt *db_write_stmt(struct store_db *db, enum db_stmt which, enum db_safety safety,
                            struct error *e);
/* 1: a row is there to read, then db_done(); 0: no row; -1: error. The last two reset it. */
int db_step(struct store_db *db, sqlite3_stmt *s, struct error *e);
void db_done(sqlite3_stmt *s);
/* Steps a statement that gives no rows, and resets it. */
bool db_run(struct store_db *db, sqlite3_stmt *s, struct error *e);
/* Turns an SQLite result code into an error, notes damage, and fails the open transaction. */
bool db_fail(struct store_db *db, int rc, struct error *e);

/* Renames a damaged file, so that a new one can take its place; says so in the log. The handle
 * is closed. False: it could not be renamed. */
bool db_set_aside(struct store_db *db, struct error *e);
void db_close_handle(struct store_db *db, bool checkpoint);

/* A NULL text is bound as NULL. The text must live until the statement was stepped. */
void db_bind_text(sqlite3_stmt *s, int index, const char *text);
/* Copy of a column; NULL for NULL. */
char *db_column_copy(sqlite3_stmt *s, int column);
/* The column as a string; "" for NULL. Good until the next step. */
const char *db_column_text(sqlite3_stmt *s, int column);

#endif
