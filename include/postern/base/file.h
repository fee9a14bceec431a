/*
 * Files: whole reads with a cap, atomic private writes, directories for one owner.
 * Every failure names the path and the cause in `e`. Any thread.
 */
#ifndef POSTERN_BASE_FILE_H
#define POSTERN_BASE_FILE_H

#include "postern/base/buf.h"
#include "postern/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads a whole file; over the buffer's cap is an error. */
bool file_read(const char *path, struct buf *out, struct error *e);
/* Temporary name, mode 0600, fsync, rename, fsync of the directory. */
bool file_write_private(const char *path, const void *data, size_t len, struct error *e);
/* The same for a file that is somebody's: owner, group and permissions are in place before the
 * name is. Only root gives files away. */
struct file_owner {
    uid_t uid;
    gid_t gid;
    mode_t mode;
};
bool file_write_as(const char *path, const struct file_owner *owner, const void *data, size_t len,
                   struct error *e);
/* Of what is there, so that its replacement can be the same; false with errno. */
bool file_owner_of(const char *path, struct file_owner *out);
/* fsync of a directory, or of the one where the path is: what was renamed, made or removed there
 * stays so. */
bool file_sync_dir(const char *dir, struct error *e);
bool file_sync_dir_of(const char *path, struct error *e);
/* Makes the directory (parents too) with mode 0700; one that is there must be ours and is
 * narrowed to 0700. */
bool file_make_private_dir(const char *path, struct error *e);
/* Writes it all, over EINTR and short writes. */
bool file_write_all(int fd, const void *data, size_t len);

#endif
