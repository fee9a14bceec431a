/* The folder tree, subscriptions, and the UIDVALIDITYs of names. */
#include "mailbox_sql.h"
#include "postern/store/tree_db.h"

#include "postern/base/alloc.h"

static bool put_text(struct store_db *db, sqlite3_stmt *s, int index, const char *text,
                     struct error *e)
{
    if (!s)
        return false;
    db_bind_text(s, index, text);
    return db_run(db, s, e);
}

bool store_tree_each(struct store_db *db, void (*fn)(void *arg, const struct store_tree_row *row),
                     void *arg, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    int more = -1;
    sqlite3_stmt *s = db_stmt(db, DB_TREE_EACH, e);
    while (s && (more = db_step(db, s, e)) == 1) {
        const struct store_tree_row row = {
            .graph_id = db_column_text(s, 0),
            .parent_id = db_column_text(s, 1),
            .name = db_column_text(s, 2),
            .hidden = sqlite3_column_int(s, 3) != 0,
            .children = sqlite3_column_int64(s, 4),
            .total = sqlite3_column_int64(s, 5),
            .unread = sqlite3_column_int64(s, 6),
            .change = (uint64_t)sqlite3_column_int64(s, 7),
            .covered = (uint64_t)sqlite3_column_int64(s, 8),
        };
        fn(arg, &row);
    }
    db_unlock(db);
    return more == 0;
}

int store_tree_state(struct store_db *db, char **link, uint64_t *round, struct error *e)
{
    *link = NULL;
    if (!db_lock(db, e))
        return -1;
    int found = -1;
    sqlite3_stmt *s = db_stmt(db, DB_TREE_STATE, e);
    if (s)
        found = db_step(db, s, e);
    if (found == 1) {
        *link = db_column_copy(s, 0);
        *round = (uint64_t)sqlite3_column_int64(s, 1);
        db_done(s);
    }
    db_unlock(db);
    return found;
}

bool store_tx_tree_clear(struct store_tx *tx, struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(tx->db, DB_TREE_CLEAR, DB_SURVIVES_POWER, e);
    return s && db_run(tx->db, s, e);
}

bool store_tx_tree_put(struct store_tx *tx, const struct store_tree_row *row, struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(tx->db, DB_TREE_PUT, DB_SURVIVES_POWER, e);
    if (!s)
        return false;
    db_bind_text(s, 2, row->parent_id);
    db_bind_text(s, 3, row->name);
    sqlite3_bind_int(s, 4, row->hidden);
    sqlite3_bind_int64(s, 5, row->children);
    sqlite3_bind_int64(s, 6, row->total);
    sqlite3_bind_int64(s, 7, row->unread);
    sqlite3_bind_int64(s, 8, (sqlite3_int64)row->change);
    sqlite3_bind_int64(s, 9, (sqlite3_int64)row->covered);
    return put_text(tx->db, s, 1, row->graph_id, e);
}

bool store_tx_tree_remove(struct store_tx *tx, const char *graph_id, struct error *e)
{
    return put_text(tx->db, db_write_stmt(tx->db, DB_TREE_REMOVE, DB_SURVIVES_POWER, e), 1,
                    graph_id, e);
}

bool store_tx_tree_state(struct store_tx *tx, const char *link_or_null, uint64_t round,
                         struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(tx->db, DB_TREE_SET_STATE, DB_SURVIVES_POWER, e);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 2, (sqlite3_int64)round);
    return put_text(tx->db, s, 1, link_or_null, e);
}

bool store_tree_cover(struct store_db *db, const char *graph_id, uint64_t change, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_TREE_COVER, DB_SURVIVES_KILL, e);
    if (s)
        sqlite3_bind_int64(s, 2, (sqlite3_int64)change);
    bool ok = put_text(db, s, 1, graph_id, e);
    db_unlock(db);
    return ok;
}

bool store_subscription_set(struct store_db *db, const char *name, bool subscribed, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_SUBSCRIPTION_SET, DB_SURVIVES_POWER, e);
    if (s)
        sqlite3_bind_int(s, 2, subscribed);
    bool ok = put_text(db, s, 1, name, e);
    db_unlock(db);
    return ok;
}

bool store_subscription_each(struct store_db *db,
                             void (*fn)(void *arg, const char *name, bool subscribed), void *arg,
                             struct error *e)
{
    if (!db_lock(db, e))
        return false;
    int more = -1;
    sqlite3_stmt *s = db_stmt(db, DB_SUBSCRIPTION_EACH, e);
    while (s && (more = db_step(db, s, e)) == 1)
        fn(arg, db_column_text(s, 0), sqlite3_column_int(s, 1) != 0);
    db_unlock(db);
    return more == 0;
}

int store_validity_get(struct store_db *db, const char *name, char **graph_id,
                       uint32_t *uidvalidity, struct error *e)
{
    *graph_id = NULL;
    *uidvalidity = 0;
    if (!db_lock(db, e))
        return -1;
    int found = -1;
    sqlite3_stmt *s = db_stmt(db, DB_VALIDITY_GET, e);
    if (s) {
        db_bind_text(s, 1, name);
        found = db_step(db, s, e);
    }
    if (found == 1) {
        *graph_id = xstrdup(db_column_text(s, 0));
        *uidvalidity = (uint32_t)sqlite3_column_int64(s, 1);
        db_done(s);
    }
    db_unlock(db);
    return found;
}

bool store_validity_set(struct store_db *db, const char *name, const char *graph_id,
                        uint32_t uidvalidity, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_VALIDITY_SET, DB_SURVIVES_POWER, e);
    if (s) {
        db_bind_text(s, 2, graph_id);
        sqlite3_bind_int64(s, 3, uidvalidity);
    }
    bool ok = put_text(db, s, 1, name, e);
    db_unlock(db);
    return ok;
}

bool store_folder_totals(struct store_db *db, int64_t folder, uint32_t recent_from,
                         struct store_totals *out, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    int found = -1;
    sqlite3_stmt *s = db_stmt(db, DB_FOLDER_TOTALS, e);
    if (s) {
        sqlite3_bind_int64(s, 1, folder);
        sqlite3_bind_int64(s, 2, recent_from);
        found = db_step(db, s, e);
    }
    if (found == 1) {
        out->messages = (uint32_t)sqlite3_column_int64(s, 0);
        out->unseen = (uint32_t)sqlite3_column_int64(s, 1);
        out->recent = (uint32_t)sqlite3_column_int64(s, 2);
        out->size = (uint64_t)sqlite3_column_int64(s, 3);
        db_done(s);
    }
    db_unlock(db);
    return found == 1;
}
