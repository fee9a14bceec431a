/* The database of one mailbox: which kind it is, and its opening and closing. */
#include "mailbox_sql.h"
#include "original_file.h"
#include "path.h"
#include "postern/store/mailbox_db.h"
#include "schema.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>

#define DIR_NAME_DIGITS 32
/* An administrator's sqlite3 may hold the file for a moment. */
#define BUSY_TIMEOUT_MS 5000
/* Tombstones are asked for within minutes of a delete; a client that syncs by modseq and was away
 * for longer than this is told of all that is gone. */
#define TOMBSTONE_LIFE_MS ((int64_t)90 * 24 * 3600 * CLOCK_SECOND)

/* A mailbox that lives by deleting would gather tombstones without end. */
static bool drop_old_tombstones(struct store_db *db, struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(db, DB_RETIRED_DROP, DB_SURVIVES_KILL, e);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, clock_wall_ms() - TOMBSTONE_LIFE_MS);
    return db_run(db, s, e);
}

/* The same of what was told of copies; those that live are left out first. */
static bool drop_old_emails(struct store_db *db, struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(db, DB_EMAIL_LIVES, DB_SURVIVES_KILL, e);
    if (!s || !db_run(db, s, e) || !(s = db_write_stmt(db, DB_EMAIL_DROP, DB_SURVIVES_KILL, e)))
        return false;
    sqlite3_bind_int64(s, 1, clock_wall_ms() - TOMBSTONE_LIFE_MS);
    return db_run(db, s, e);
}

/* What a process that ended was making, nobody makes any more. */
static bool abandon_makings(struct store_db *db, struct error *e)
{
    sqlite3_stmt *s = db_write_stmt(db, DB_MAKING_ABANDON, DB_SURVIVES_KILL, e);
    if (!s)
        return false;
    sqlite3_bind_int64(s, 1, 0);
    return db_run(db, s, e);
}

static bool tidy(struct store_db *db, struct error *e)
{
    return drop_old_tombstones(db, e) && drop_old_emails(db, e) && abandon_makings(db, e);
}

struct store_db *store_db_open(const char *state_dir, const char *tenant, const char *mailbox,
                               bool *fresh, struct error *e)
{
    static const struct db_kind kind = {.file = "mail.db",
                                        .rebuilt =
                                            "rebuilt from the mailbox when that is opened again",
                                        .busy_ms = BUSY_TIMEOUT_MS,
                                        .steps = schema_steps,
                                        .version = &schema_version,
                                        .sql = mailbox_sql,
                                        .sql_count = DB_STMT_COUNT,
                                        .tidy = tidy};
    char key[PATH_KEY_SIZE];
    path_key(key, tenant, mailbox, NULL);
    char *dir = xasprintf("%s/mailboxes/%.*s", state_dir, DIR_NAME_DIGITS, key);
    struct store_db *db = db_file_open(dir, &kind, fresh, e);
    if (db)
        original_remove_spools(dir);
    free(dir);
    return db;
}

void store_db_close(struct store_db **db)
{
    db_file_close(*db);
    *db = NULL;
}

const char *store_db_dir(const struct store_db *db)
{
    return db->dir;
}

bool store_db_usable(struct store_db *db)
{
    pthread_mutex_lock(&db->mutex);
    bool usable = db->handle != NULL;
    pthread_mutex_unlock(&db->mutex);
    return usable;
}
