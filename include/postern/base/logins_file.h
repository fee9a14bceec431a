/*
 * Changing a logins-file (postern.conf(5)) while the service runs: one password hash is replaced,
 * everything else stays byte for byte, comments too.
 */
#ifndef POSTERN_BASE_LOGINS_FILE_H
#define POSTERN_BASE_LOGINS_FILE_H

#include "postern/base/buf.h"
#include "postern/base/error.h"

enum logins_change {
    LOGINS_CHANGED,
    LOGINS_NOT_THERE, /* the file has no such login */
    LOGINS_FAILED     /* nothing was changed; `e` says why */
};

/* The text with the hash as the login's password: in place of the old one, or as the section's
 * first line. `out` is appended to; it is a secret. Pure. */
enum logins_change logins_text_set_password(const char *text, const char *login, const char *hash,
                                            struct buf *out, struct error *e);
/* The same for a file: what was read is locked (flock) against a second change, and replaced in one
 * step by a file of the same owner and mode, which is on the disk by then. A symbolic link stays.
 */
enum logins_change logins_file_set_password(const char *path, const char *login, const char *hash,
                                            struct error *e);
/* The logins-file that the config at a path names, to free(), whatever else is wrong with that
 * config; NULL: none, or it cannot be read. */
char *logins_file_of(const char *config_path);

#endif
