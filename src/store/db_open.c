/* Opening, checking and closing a database. */
#include "db.h"
#include "schema.h"

#include "postern/base/alloc.h"
#include "postern/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file this small is checked at every open; it takes about a tenth of a second. */
#define CHECK_ALWAYS_BYTES ((off_t)32 * 1024 * 1024)

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
                     db->path, version, *db->kind->version);
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
    sqlite3_busy_timeout(db->handle, db->kind->busy_ms);
    if ((rc = schema_read_version(db->handle, &version)) != SQLITE_OK)
        return db_fail(db, rc, e);
    if (version > *db->kind->version)
        return refuse_newer(db, version, e);
    if ((rc = schema_load(db->handle)) != SQLITE_OK || (rc = use_wal(db->handle)) != SQLITE_OK)
        return db_fail(db, rc, e);
    bool small = stat(db->path, &st) == 0 && st.st_size <= CHECK_ALWAYS_BYTES;
    if ((small || !clean) && !check_pages(db, e))
        return false;
    if ((rc = schema_migrate(db->handle, db->kind->steps, version, *db->kind->version)) !=
        SQLITE_OK)
        return db_fail(db, rc, e);
    /* On a full disk it can still be read. */
    bool tidied = !db->kind->tidy || db->kind->tidy(db, e);
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

static void db_free(struct store_db *db)
{
    pthread_mutex_destroy(&db->mutex);
    free(db->stmts);
    free(db->dir);
    free(db->path);
    free(db);
}

struct store_db *db_file_open(const char *dir, const struct db_kind *kind, bool *fresh,
                              struct error *e)
{
    struct store_db *db = xcalloc(1, sizeof *db);
    pthread_mutexattr_t attr;
    db->kind = kind;
    db->dir = xstrdup(dir);
    db->path = xasprintf("%s/%s", dir, kind->file);
    db->stmts = xcalloc(kind->sql_count, sizeof(sqlite3_stmt *));
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&db->mutex, &attr);
    pthread_mutexattr_destroy(&attr);
    if (file_make_private_dir(dir, e) && open_or_replace(db, fresh, e))
        return db;
    db_close_handle(db, false);
    db_free(db);
    return NULL;
}

void db_file_close(struct store_db *db)
{
    if (!db)
        return;
    db_close_handle(db, true);
    db_free(db);
}
