#include "postern/base/file.h"

#include "postern/base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(struct error *e, const char *what, const char *path)
{
    return error_set(e, ERROR_LOCAL, "cannot %s %s: %s", what, path, strerror(errno));
}

bool file_read(const char *path, struct buf *out, struct error *e)
{
    char piece[8192];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(e, "open", path);
    bool ok = false;
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fail(e, "read", path);
            break;
        }
        if (n == 0) {
            ok = true;
            break;
        }
        if (!buf_append(out, piece, (size_t)n)) {
            error_set(e, ERROR_TOO_BIG, "%s is larger than %zu bytes", path, out->max);
            break;
        }
    }
    explicit_bzero(piece, sizeof piece);
    close(fd);
    return ok;
}

bool file_write_all(int fd, const void *data, size_t len)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

bool file_sync_dir(const char *dir, struct error *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        fail(e, "sync the directory", dir);
    if (fd >= 0)
        close(fd);
    return ok;
}

bool file_sync_dir_of(const char *path, struct error *e)
{
    char *copy = xstrdup(path);
    bool ok = file_sync_dir(dirname(copy), e);
    free(copy);
    return ok;
}

bool file_owner_of(const char *path, struct file_owner *out)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return false;
    *out = (struct file_owner){st.st_uid, st.st_gid, st.st_mode & 07777};
    return true;
}

/* A new file has our ids and mode 0600. */
static bool give_to(int fd, const struct file_owner *owner)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    bool same = st.st_uid == owner->uid && st.st_gid == owner->gid;
    return (same || fchown(fd, owner->uid, owner->gid) == 0) && fchmod(fd, owner->mode) == 0;
}

/* `owner` NULL: as it is made, ours and with mode 0600. */
static bool replace(const char *path, const struct file_owner *owner, const void *data, size_t len,
                    struct error *e)
{
    char *tmp = xasprintf("%s.tmp-XXXXXX", path);
    int fd = mkostemp(tmp, O_CLOEXEC);
    bool ok = false;
    if (fd < 0) {
        fail(e, "make a temporary file beside", path);
    } else if (owner && !give_to(fd, owner)) {
        fail(e, "keep the owner and the permissions of", path);
    } else if (!file_write_all(fd, data, len) || fsync(fd) < 0) {
        fail(e, "write", tmp);
    } else if (rename(tmp, path) < 0) {
        fail(e, "replace", path);
    } else {
        ok = file_sync_dir_of(path, e);
    }
    if (fd >= 0) {
        close(fd);
        if (!ok)
            unlink(tmp);
    }
    free(tmp);
    return ok;
}

bool file_write_private(const char *path, const void *data, size_t len, struct error *e)
{
    return replace(path, NULL, data, len, e);
}

bool file_write_as(const char *path, const struct file_owner *owner, const void *data, size_t len,
                   struct error *e)
{
    return replace(path, owner, data, len, e);
}

bool file_make_private_dir(const char *path, struct error *e)
{
    struct stat st;
    if (mkdir(path, 0700) == 0)
        return true;
    if (errno == ENOENT) {
        char *copy = xstrdup(path);
        bool ok = strcmp(dirname(copy), path) != 0 && file_make_private_dir(copy, e);
        free(copy);
        if (!ok)
            return false;
        if (mkdir(path, 0700) == 0)
            return true;
    }
    if (errno != EEXIST)
        return fail(e, "make the directory", path);
    if (stat(path, &st) < 0)
        return fail(e, "look at", path);
    if (!S_ISDIR(st.st_mode))
        return error_set(e, ERROR_LOCAL, "%s is in the way: it is not a directory", path);
    if ((st.st_mode & 07777) == 0700)
        return true;
    if (st.st_uid != geteuid())
        return error_set(e, ERROR_LOCAL, "%s belongs to another user; it must be ours alone", path);
    if (chmod(path, 0700) < 0)
        return fail(e, "close to others", path);
    return true;
}
