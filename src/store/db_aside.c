/* Damaged databases, kept for whoever wants to look into them, but not without end. */
#include "db.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* On a disk that rots a database may be damaged again and again. */
#define KEPT_MAX 3
#define ASIDE    ".corrupt-"
#define WAL      "-wal"

static bool is_aside(const char *name, const char *file)
{
    size_t n = strlen(name), len = strlen(file);
    return strncmp(name, file, len) == 0 && strncmp(name + len, ASIDE, strlen(ASIDE)) == 0 &&
           strcmp(name + n - strlen(WAL), WAL) != 0;
}

/* How many are kept; *oldest is the name of the first by time, the caller's to free. */
static size_t look_around(const struct store_db *db, char **oldest)
{
    size_t count = 0;
    DIR *d = opendir(db->dir);
    *oldest = NULL;
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (!is_aside(entry->d_name, db->kind->file))
            continue;
        count++;
        if (*oldest && strcmp(*oldest, entry->d_name) <= 0)
            continue;
        free(*oldest);
        *oldest = xstrdup(entry->d_name);
    }
    if (d)
        closedir(d);
    return count;
}

static void drop_oldest(const struct store_db *db)
{
    char *oldest;
    bool removed = true;
    while (look_around(db, &oldest) > KEPT_MAX && removed) {
        char *path = xasprintf("%s/%s", db->dir, oldest);
        char *wal = xasprintf("%s" WAL, path);
        unlink(wal);
        removed = unlink(path) == 0;
        free(path);
        free(wal);
        free(oldest);
        oldest = NULL;
    }
    free(oldest);
}

bool db_set_aside(struct store_db *db, struct error *e)
{
    char when[CLOCK_ISO_SIZE];
    clock_format_iso(clock_wall_ms(), when);
    /* Closed before it is renamed: SQLite finds the WAL by name and would remove the new one. */
    db_close_handle(db, false);
    char *aside = xasprintf("%s" ASIDE "%s", db->path, when);
    char *wal = xasprintf("%s-wal", db->path);
    char *aside_wal = xasprintf("%s-wal", aside);
    char *shm = xasprintf("%s-shm", db->path);
    bool ok = rename(db->path, aside) == 0 || errno == ENOENT;
    if (ok)
        ok = rename(wal, aside_wal) == 0 || errno == ENOENT;
    if (ok)
        ok = unlink(shm) == 0 || errno == ENOENT;
    if (ok)
        drop_oldest(db);
    if (ok)
        log_error("the database %s is damaged; it is kept as %s and %s. Check the disk", db->path,
                  aside, db->kind->rebuilt);
    else
        error_set(e, ERROR_LOCAL, "cannot set the damaged database %s aside: %s", db->path,
                  strerror(errno));
    free(aside);
    free(wal);
    free(aside_wal);
    free(shm);
    db->damaged = false;
    return ok;
}
