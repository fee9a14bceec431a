/* Reading clients.db beside a process that writes it. */
#include "client_sql.h"
#include "schema.h"

#include "postern/base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 5000

static bool fail(sqlite3 *h, int rc, const char *path, struct error *e)
{
    if ((rc & 0xff) == SQLITE_NOMEM)
        alloc_out_of_memory();
    return error_set(e, ERROR_LOCAL, "cannot read %s: %s", path,
                     h ? sqlite3_errmsg(h) : sqlite3_errstr(rc));
}

static bool read_rows(sqlite3 *h, struct client_row **rows, size_t *count, const char *path,
                      struct error *e)
{
    sqlite3_stmt *s = NULL;
    size_t cap = 0;
    int rc = sqlite3_prepare_v2(h, client_kind.sql[CLIENT_ALL], -1, &s, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(s);
        if (rc != SQLITE_ROW)
            break;
        if (*count == cap) {
            cap = cap ? 2 * cap : 64;
            *rows = xreallocarray(*rows, cap, sizeof **rows);
        }
        client_read_row(s, &(*rows)[(*count)++]);
    }
    bool ok = rc == SQLITE_DONE || fail(h, rc, path, e);
    sqlite3_finalize(s);
    return ok;
}

/* 0: nothing was ever written down in it. */
static bool check_version(sqlite3 *h, const char *path, int *version, struct error *e)
{
    int rc = schema_read_version(h, version);
    if (rc != SQLITE_OK)
        return fail(rc == SQLITE_CORRUPT ? NULL : h, rc, path, e);
    if (*version > *client_kind.version)
        return error_set(e, ERROR_LOCAL,
                         "%s is of format %d, and this program knows formats up to %d: run the "
                         "newer program that wrote it",
                         path, *version, *client_kind.version);
    if (*version && *version < *client_kind.version)
        return error_set(e, ERROR_LOCAL,
                         "%s is of the older format %d: `postern serve` brings it up to date when "
                         "it starts",
                         path, *version);
    return true;
}

static bool read_file(const char *path, struct client_row **rows, size_t *count, struct error *e)
{
    sqlite3 *h = NULL;
    int version = 0;
    int rc = sqlite3_open_v2(path, &h, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        fail(h, rc, path, e);
        sqlite3_close(h);
        return false;
    }
    sqlite3_busy_timeout(h, PATIENCE_MS);
    bool ok = check_version(h, path, &version, e);
    if (ok && version)
        ok = read_rows(h, rows, count, path, e);
    sqlite3_close(h);
    return ok;
}

enum client_db_read client_db_read(const char *state_dir, struct client_row **rows, size_t *count,
                                   struct error *e)
{
    char *path = xasprintf("%s/%s", state_dir, client_kind.file);
    enum client_db_read result = CLIENT_DB_FAILED;
    *rows = NULL;
    *count = 0;
    /* SQLite does not tell these causes apart. */
    if (access(path, R_OK) == 0) {
        if (read_file(path, rows, count, e))
            result = CLIENT_DB_READ;
    } else {
        result = errno == ENOENT   ? CLIENT_DB_NONE
                 : errno == EACCES ? CLIENT_DB_DENIED
                                   : CLIENT_DB_FAILED;
        error_set(e, ERROR_LOCAL, "cannot read %s: %s", path, strerror(errno));
    }
    free(path);
    return result;
}
