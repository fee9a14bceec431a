/* Transactions. */
#include "db.h"
#include "postern/store/mailbox_db.h"

#include "postern/base/alloc.h"

#include <stdlib.h>

struct store_tx *db_tx_begin(struct store_db *db, enum db_safety safety, struct error *e)
{
    if (!db_lock(db, e))
        return NULL;
    bool ok = false;
    if (db->in_tx) {
        error_set(e, ERROR_LOCAL, "this thread has a transaction on %s open already", db->path);
    } else {
        sqlite3_stmt *s = db_write_stmt(db, DB_BEGIN, safety, e);
        ok = s && db_run(db, s, e);
    }
    if (!ok) {
        db_unlock(db);
        return NULL;
    }
    db->in_tx = true;
    db->tx_failed = false;
    struct store_tx *tx = xmalloc(sizeof *tx);
    tx->db = db;
    return tx;
}

static void end_tx(struct store_tx **tx)
{
    struct store_db *db = (*tx)->db;
    db->in_tx = false;
    db->tx_failed = false;
    free(*tx);
    *tx = NULL;
    db_unlock(db);
}

bool store_tx_commit(struct store_tx **tx, struct error *e)
{
    struct store_db *db = (*tx)->db;
    sqlite3_stmt *s = db_write_stmt(db, DB_COMMIT, DB_SURVIVES_POWER, e);
    if (!s || !db_run(db, s, e)) {
        store_tx_rollback(tx);
        return false;
    }
    end_tx(tx);
    return true;
}

void store_tx_rollback(struct store_tx **tx)
{
    if (!*tx)
        return;
    struct store_db *db = (*tx)->db;
    struct error ignored = ERROR_INIT;
    /* After some errors SQLite has rolled back already. */
    if (!sqlite3_get_autocommit(db->handle)) {
        sqlite3_stmt *s = db_stmt(db, DB_ROLLBACK, &ignored);
        if (s)
            db_run(db, s, &ignored);
    }
    end_tx(tx);
}
