/* Folders and the names that were resolved to them. */
#include "mailbox_sql.h"
#include "postern/store/mailbox_db.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

void store_folder_free(struct store_folder *f)
{
    free(f->graph_id);
    free(f->delta_link);
    free(f->resume_delta);
    free(f->resume_listing);
    memset(f, 0, sizeof *f);
}

static void read_folder(sqlite3_stmt *s, struct store_folder *f)
{
    f->key = sqlite3_column_int64(s, 0);
    f->graph_id = db_column_copy(s, 1);
    f->uidvalidity = (uint32_t)sqlite3_column_int64(s, 2);
    f->uidnext = (uint32_t)sqlite3_column_int64(s, 3);
    f->modseq = (uint64_t)sqlite3_column_int64(s, 4);
    f->uid_mode =
        sqlite3_column_int(s, 5) == STORE_UID_EXACT ? STORE_UID_EXACT : STORE_UID_DIVERGED;
    f->synced = sqlite3_column_int(s, 6) != 0;
    f->marked = sqlite3_column_int(s, 7) != 0;
    f->delta_link = db_column_copy(s, 8);
    f->resume_delta = db_column_copy(s, 9);
    f->resume_listing = db_column_copy(s, 10);
    f->listing_done = sqlite3_column_int(s, 11) != 0;
    f->delta_done = sqlite3_column_int(s, 12) != 0;
    f->recent = (uint32_t)sqlite3_column_int64(s, 13);
}

static void bind_folder(sqlite3_stmt *s, const struct store_folder *f)
{
    db_bind_text(s, 1, f->graph_id);
    sqlite3_bind_int64(s, 2, f->uidvalidity);
    sqlite3_bind_int64(s, 3, f->uidnext);
    sqlite3_bind_int64(s, 4, (sqlite3_int64)f->modseq);
    sqlite3_bind_int(s, 5, (int)f->uid_mode);
    sqlite3_bind_int(s, 6, f->synced);
    sqlite3_bind_int(s, 7, f->marked);
    db_bind_text(s, 8, f->delta_link);
    db_bind_text(s, 9, f->resume_delta);
    db_bind_text(s, 10, f->resume_listing);
    sqlite3_bind_int(s, 11, f->listing_done);
    sqlite3_bind_int(s, 12, f->delta_done);
    sqlite3_bind_int64(s, 13, f->recent);
}

int store_folder_find(struct store_db *db, const char *graph_id, struct store_folder *out,
                      struct error *e)
{
    memset(out, 0, sizeof *out);
    if (!db_lock(db, e))
        return -1;
    int found = -1;
    sqlite3_stmt *s = db_stmt(db, DB_FOLDER_FIND, e);
    if (s) {
        db_bind_text(s, 1, graph_id);
        found = db_step(db, s, e);
    }
    if (found == 1) {
        read_folder(s, out);
        db_done(s);
    }
    db_unlock(db);
    return found;
}

bool store_folder_insert(struct store_db *db, struct store_folder *f, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    bool ok = false;
    sqlite3_stmt *s = db_write_stmt(db, DB_FOLDER_INSERT, DB_SURVIVES_POWER, e);
    if (s) {
        bind_folder(s, f);
        ok = db_run(db, s, e);
    }
    if (ok)
        f->key = sqlite3_last_insert_rowid(db->handle);
    db_unlock(db);
    return ok;
}

bool store_folder_delete(struct store_db *db, int64_t folder, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    bool ok = false;
    sqlite3_stmt *s = db_write_stmt(db, DB_FOLDER_DELETE, DB_SURVIVES_POWER, e);
    if (s) {
        sqlite3_bind_int64(s, 1, folder);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}

bool store_tx_folder(struct store_tx *tx, const struct store_folder *f, struct error *e)
{
    struct store_db *db = tx->db;
    sqlite3_stmt *s = db_write_stmt(db, DB_FOLDER_UPDATE, DB_SURVIVES_POWER, e);
    if (!s)
        return false;
    bind_folder(s, f);
    sqlite3_bind_int64(s, 14, f->key);
    if (!db_run(db, s, e))
        return false;
    if (sqlite3_changes(db->handle) == 1)
        return true;
    db->tx_failed = true;
    return error_set(e, ERROR_FOLDER_GONE,
                     "the folder was forgotten in the meantime; open it anew");
}

int store_alias_get(struct store_db *db, const char *name, char **graph_id, struct error *e)
{
    *graph_id = NULL;
    if (!db_lock(db, e))
        return -1;
    int found = -1;
    sqlite3_stmt *s = db_stmt(db, DB_ALIAS_GET, e);
    if (s) {
        db_bind_text(s, 1, name);
        found = db_step(db, s, e);
    }
    if (found == 1) {
        *graph_id = xstrdup(db_column_text(s, 0));
        db_done(s);
    }
    db_unlock(db);
    return found;
}

bool store_alias_set(struct store_db *db, const char *name, const char *graph_id, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    bool ok = false;
    sqlite3_stmt *s = db_write_stmt(db, DB_ALIAS_SET, DB_SURVIVES_KILL, e);
    if (s) {
        db_bind_text(s, 1, name);
        db_bind_text(s, 2, graph_id);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}

bool store_alias_forget(struct store_db *db, const char *graph_id, struct error *e)
{
    if (!db_lock(db, e))
        return false;
    bool ok = false;
    sqlite3_stmt *s = db_write_stmt(db, DB_ALIAS_FORGET, DB_SURVIVES_KILL, e);
    if (s) {
        db_bind_text(s, 1, graph_id);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}
