/* Opening, checking and closing the database of a mailbox. */
#include "db.h"
#include "original_file.h"
#include "path.h"
#include "postern/store/mailbox_db.h"
#include "schema.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_NAME_DIGITS 32
/* An administrator's sqlite3 may hold the file for a moment. */
#define BUSY_TIMEOUT_MS 5000
/* A file this small is checked at every open; it takes about a tenth of a second. */
#define CHECK_ALWAYS_BYTES ((off_t)32 * 1024 * 1024)
/* Tombstones are asked for within minutes of a delete; a client that syncs by modseq and was away
 * for longer than this is told of all that is gone. */
#define TOMBSTONE_LIFE_MS ((int64_t)90 * 24 * 3600 * CLOCK_SECOND)

/* Makes the file or narrows it to us. SQLite gives a new -wal and -shm the mode of the database,
 * whatever the umask. */
static bool make_private_file(const char *path, bool *empty, struct error *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat st;
    bool ok = fd >= 0 && fstat(fd, &st) == 0;
    if (ok && (st.st_mode & 07777) != 0600)
        ok = fchmod(fd, 0600) == 0;
    if (!ok)
        error_set(e, ERROR_LOCAL, "cannot open %s: %s", path, strerror(errno));
    else
        *empty = st.st_size == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* What a crash left of the write-ahead log; a clean close leaves none. *clean: nothing is left. */
static bool look_at_wal(const struct store_db *db, bool *clean, struct error *e)
{
    char *wal = xasprintf("%s-wal", db->path);
    char *shm = xasprintf("%s-shm", db->path);
    bool ignored;
    *clean = true;
    bool ok = access(wal, F_OK) < 0 || make_private_file(wal, clean, e);
    ok = ok && (access(shm, F_OK) < 0 || make_private_file(shm, &ignored, e));
    free(wal);
    free(shm);
    return ok;
}

static bool check_pages(struct store_db *db, struct error *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &s, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    bool sound = rc == SQLITE_ROW && strcmp(db_column_text(s, 0), "ok") == 0;
    if (rc == SQLITE_ROW && !sound)
        rc = SQLITE_CORRUPT;
    if (!sound)
        db_fail(db, rc, e);
    sqlite3_finalize(s);
    return sound;
}

static bool refuse_newer(struct store_db *db, int version, struct error *e)
{
    return error_set(e, ERROR_LOCAL,
                     "the database %s is of format %d, and this program knows formats up to %d: "
                     "run the newer program that wrote it, or move the file away to rebuild it",
                     db->path, version, schema_version);
}

static int use_wal(sqlite3 *h)
{
    return sqlite3_exec(h,
                        "PRAGMA journal_mode = WAL;"
                        "PRAGMA journal_size_limit = 4194304;"
                        "PRAGMA synchronous = NORMAL;"
                        "PRAGMA foreign_keys = ON;"
                        "PRAGMA temp_store = MEMORY;",
                        NULL, NULL, NULL);
}

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

/* One try. On false with db->damaged the file can be set aside for a new one. */
static bool open_handle(struct store_db *db, bool *fresh, struct error *e)
{
    int version = 0;
    bool clean = true;
    struct stat st;
    if (!make_private_file(db->path, fresh, e) || !look_at_wal(db, &clean, e))
        return false;
    int rc =
        sqlite3_open_v2(db->path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return db_fail(db, rc, e);
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    if ((rc = schema_read_version(db->handle, &version)) != SQLITE_OK)
        return db_fail(db, rc, e);
    if (version > schema_version)
        return refuse_newer(db, version, e);
    if ((rc = schema_load(db->handle)) != SQLITE_OK || (rc = use_wal(db->handle)) != SQLITE_OK)
        return db_fail(db, rc, e);
    bool small = stat(db->path, &st) == 0 && st.st_size <= CHECK_ALWAYS_BYTES;
    if ((small || !clean) && !check_pages(db, e))
        return false;
    if ((rc = schema_migrate(db->handle, schema_steps, version, schema_version)) != SQLITE_OK)
        return db_fail(db, rc, e);
    /* On a full disk the mailbox can still be read. */
    bool tidied = drop_old_tombstones(db, e) && drop_old_emails(db, e) && abandon_makings(db, e);
    if (!tidied && !db->damaged)
        error_clear(e);
    return tidied || !db->damaged;
}

static bool open_or_replace(struct store_db *db, bool *fresh, struct error *e)
{
    if (open_handle(db, fresh, e))
        return true;
    if (!db->damaged || !db_set_aside(db, e))
        return false;
    error_clear(e);
    return open_handle(db, fresh, e);
}

static struct store_db *db_new(const char *state_dir, const char *tenant, const char *mailbox)
{
    char key[PATH_KEY_SIZE];
    path_key(key, tenant, mailbox, NULL);
    struct store_db *db = xcalloc(1, sizeof *db);
    db->dir = xasprintf("%s/mailboxes/%.*s", state_dir, DIR_NAME_DIGITS, key);
    db->path = xasprintf("%s/mail.db", db->dir);
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&db->mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    return db;
}

static void db_free(struct store_db *db)
{
    pthread_mutex_destroy(&db->mutex);
    free(db->dir);
    free(db->path);
    free(db);
}

struct store_db *store_db_open(const char *state_dir, const char *tenant, const char *mailbox,
                               bool *fresh, struct error *e)
{
    struct store_db *db = db_new(state_dir, tenant, mailbox);
    if (file_make_private_dir(db->dir, e) && open_or_replace(db, fresh, e)) {
        original_remove_spools(db->dir);
        return db;
    }
    db_close_handle(db, false);
    db_free(db);
    return NULL;
}

void store_db_close(struct store_db **db)
{
    if (!*db)
        return;
    db_close_handle(*db, true);
    db_free(*db);
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
