/* Locks between threads and processes: flock(2), which ends with whoever held it. */
#include "vault_inside.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Longer than a request for a token may take, retries included. */
#define PATIENCE_MS   (150 * CLOCK_SECOND)
#define LOOK_EVERY_MS 20

void vault_sweep(const char *path)
{
    char *for_dir = xstrdup(path), *for_name = xstrdup(path);
    char *prefix = xasprintf("%s.tmp-", basename(for_name));
    DIR *d = opendir(dirname(for_dir));
    for (struct dirent *entry; d && (entry = readdir(d));) {
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            unlinkat(dirfd(d), entry->d_name, 0);
    }
    if (d)
        closedir(d);
    free(prefix);
    free(for_name);
    free(for_dir);
}

/* False without an error: another has it. */
static bool try_lock(const char *path, int *fd, struct error *e)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return error_set(e, ERROR_LOCAL, "cannot open %s: %s", path, strerror(errno));
    while (flock(*fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            error_set(e, ERROR_LOCAL, "cannot lock %s: %s", path, strerror(errno));
        close(*fd);
        return false;
    }
    return true;
}

bool vault_lock(const struct store_vault *v, const char *name, int *fd, struct error *e)
{
    char *guarded = xasprintf("%s/%s", v->dir, name);
    char *path = xasprintf("%s.lock", guarded);
    error_clear(e);
    struct vault_rights was = vault_assume_owner(v);
    bool ok = try_lock(path, fd, e);
    if (ok)
        vault_sweep(guarded);
    vault_resume(&was);
    free(path);
    free(guarded);
    return ok;
}

bool vault_lock_wait(const struct store_vault *v, const char *name, int *fd, struct error *e)
{
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    while (!vault_lock(v, name, fd, e)) {
        if (e->kind != ERROR_NONE)
            return false;
        if (clock_mono_ms() >= until)
            return error_set(e, ERROR_TIMEOUT,
                             "another process of postern holds %s/%s.lock and does not let go of "
                             "it; is it stopped?",
                             v->dir, name);
        poll(NULL, 0, LOOK_EVERY_MS);
    }
    return true;
}
