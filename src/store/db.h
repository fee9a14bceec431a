/*
 * Inside of a database of whatever kind: the handle, its lock, its prepared statements, its errors.
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

struct store_db;
struct store_tx;

/* The statements that every kind has, first in its table. */
enum { DB_BEGIN, DB_COMMIT, DB_ROLLBACK, DB_TX_COUNT };
#define DB_TX_SQL [DB_BEGIN] = "BEGIN IMMEDIATE", [DB_COMMIT] = "COMMIT", [DB_ROLLBACK] = "ROLLBACK"

/* What sets one kind of database apart from others. */
struct db_kind {
    const char *file;         /* its name in the directory */
    const char *rebuilt;      /* what becomes of a damaged one, after "it is set aside and" */
    int busy_ms;              /* how long another program may hold it */
    const char *const *steps; /* schema.h */
    const int *version;       /* how many */
    const char *const *sql;
    unsigned sql_count;
    /* At each open, NULL: nothing. False: what is wrong is in `e`; only damage is of interest. */
    bool (*tidy)(struct store_db *db, struct error *e);
};

struct store_db {
    const struct db_kind *kind;
    char *dir;
    char *path;
    pthread_mutex_t mutex; /* recursive; guards all below */
    unsigned depth;        /* how often the holder has locked it */
    sqlite3 *handle;       /* NULL once set aside */
    sqlite3_stmt **stmts;  /* as many as the kind has */
    bool damaged;          /* SQLite said so: set aside when the last lock goes */
    bool durable;          /* PRAGMA synchronous is FULL now, not NORMAL */
    bool in_tx;
    bool tx_failed; /* a call inside the transaction failed: it can only be rolled back */
};

struct store_tx {
    struct store_db *db;
};

/* What a commit must outlive: a killed process only, or a power failure too. */
enum db_safety { DB_SURVIVES_KILL, DB_SURVIVES_POWER };

/* Opens or makes DIR/FILE of a kind and runs its migrations; a damaged one is set aside for a new
 * one. *fresh: it is new and empty. NULL: `e` says why. */
struct store_db *db_file_open(const char *dir, const struct db_kind *kind, bool *fresh,
                              struct error *e);
/* NULL is fine. */
void db_file_close(struct store_db *db);

/* A transaction; to be ended by store_tx_commit() or store_tx_rollback(). */
struct store_tx *db_tx_begin(struct store_db *db, enum db_safety safety, struct error *e);

/* False, without the lock: the database was set aside. */
bool db_lock(struct store_db *db, struct error *e);
/* Sets a damaged file aside when the last lock goes. */
void db_unlock(struct store_db *db);

/* A prepared statement, reset; NULL with `e` set. Good until db_unlock(). */
sqlite3_stmt *db_stmt(struct store_db *db, unsigned which, struct error *e);
/* The same for a statement that writes; a transaction's own safety goes before. */
sqlite3_stmt *db_write_stmt(struct store_db *db, unsigned which, enum db_safety safety,
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
