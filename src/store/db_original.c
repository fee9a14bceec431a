/* The rows of originals: what is told of appended messages, and when to look after them. */
#include "mailbox_sql.h"
#include "original_file.h"

#include "postern/base/clock.h"

/* A message that no folder shows us yet: its row has come by then, or it is looked for. */
#define FIRST_LOOK_MS ((int64_t)10 * 60 * CLOCK_SECOND)
/* Beside the flags, which have the lower 32 bits of their column. */
#define IS_DRAFT ((int64_t)1 << 32)

static bool put(struct store_db *db, const char *graph_id, const struct store_original *original,
                struct error *e)
{
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_ORIGINAL_PUT, DB_SURVIVES_POWER, e);
    bool ok = false;
    if (s) {
        db_bind_text(s, 1, graph_id);
        sqlite3_bind_int64(s, 2, original->size);
        sqlite3_bind_int64(s, 3, original->received_ms);
        sqlite3_bind_int64(s, 4, original->flags);
        sqlite3_bind_int64(s, 5, clock_wall_ms() + FIRST_LOOK_MS);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}

bool store_original_keep(struct store_db *db, struct store_spool *s, const char *graph_id,
                         const struct store_original *original, struct error *e)
{
    if (!original_name_spool(s, graph_id, e))
        return false;
    if (put(db, graph_id, original, e))
        return true;
    original_unlink(db, graph_id);
    return false;
}

bool store_original_copy(struct store_db *db, const char *from_id, const char *to_id,
                         struct error *e)
{
    struct store_original known;
    int found = store_original_find(db, from_id, &known, e);
    if (found != 1)
        return found == 0;
    if (!original_link(db, from_id, to_id, e) || !db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_ORIGINAL_COPY, DB_SURVIVES_POWER, e);
    bool ok = false;
    if (s) {
        db_bind_text(s, 1, from_id);
        db_bind_text(s, 2, to_id);
        sqlite3_bind_int64(s, 3, clock_wall_ms() + FIRST_LOOK_MS);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}

int store_original_find(struct store_db *db, const char *graph_id, struct store_original *out,
                        struct error *e)
{
    int found = -1;
    if (!db_lock(db, e))
        return -1;
    sqlite3_stmt *s = db_stmt(db, DB_ORIGINAL_FIND, e);
    if (s) {
        db_bind_text(s, 1, graph_id);
        found = db_step(db, s, e);
    }
    if (found == 1) {
        out->size = sqlite3_column_int64(s, 0);
        out->received_ms = sqlite3_column_int64(s, 1);
        out->flags = (uint32_t)sqlite3_column_int64(s, 2);
        out->draft = sqlite3_column_int64(s, 2) & IS_DRAFT;
        db_done(s);
    }
    db_unlock(db);
    return found;
}

bool store_original_is_draft(struct store_db *db, const char *graph_id, struct error *e)
{
    bool ok = false;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_ORIGINAL_IS_DRAFT, DB_SURVIVES_KILL, e);
    if (s) {
        db_bind_text(s, 1, graph_id);
        sqlite3_bind_int64(s, 2, IS_DRAFT);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}

bool store_original_tell_draft(struct store_db *db, const char *graph_id, bool told,
                               struct error *e)
{
    bool ok = false;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_ORIGINAL_TELL_DRAFT, DB_SURVIVES_KILL, e);
    if (s) {
        db_bind_text(s, 1, graph_id);
        sqlite3_bind_int64(s, 2, STORE_DRAFT);
        sqlite3_bind_int64(s, 3, told ? STORE_DRAFT : 0);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}

bool store_original_drop(struct store_db *db, const char *graph_id, struct error *e)
{
    bool ok = false;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_ORIGINAL_DROP, DB_SURVIVES_KILL, e);
    if (s) {
        db_bind_text(s, 1, graph_id);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    if (ok)
        original_unlink(db, graph_id);
    return ok;
}

int store_original_due(struct store_db *db, int64_t now_ms, char **ids, int max, struct error *e)
{
    int count = 0, rc = -1;
    if (!db_lock(db, e))
        return -1;
    sqlite3_stmt *s = db_stmt(db, DB_ORIGINAL_DUE, e);
    if (s) {
        sqlite3_bind_int64(s, 1, now_ms);
        sqlite3_bind_int(s, 2, max);
        while ((rc = db_step(db, s, e)) == 1)
            ids[count++] = db_column_copy(s, 0);
    }
    db_unlock(db);
    return rc < 0 && count == 0 ? -1 : count;
}

bool store_original_lives(struct store_db *db, const char *graph_id, int64_t when_ms,
                          struct error *e)
{
    bool ok = false;
    if (!db_lock(db, e))
        return false;
    sqlite3_stmt *s = db_write_stmt(db, DB_ORIGINAL_LIVES, DB_SURVIVES_KILL, e);
    if (s) {
        db_bind_text(s, 1, graph_id);
        sqlite3_bind_int64(s, 2, when_ms);
        ok = db_run(db, s, e);
    }
    db_unlock(db);
    return ok;
}
