/*
 * One level of an IMAP mailbox name, from and to Exchange's display name. Both ways without loss:
 * a name that no display name gives is refused. Pure, any thread.
 *
 * '/' and control characters are written "=XX" (upper-case hexadecimal); so is a '=' that would
 * read as such an escape, and the first letter of a top-level folder that would read as INBOX.
 * A folder without a name is "=00".
 */
#ifndef POSTERN_MAILBOX_NAMES_H
#define POSTERN_MAILBOX_NAMES_H

#include "postern/base/buf.h"

/* Of a display name, in bytes; Exchange takes 255 characters. */
#define NAME_LEVEL_MAX 1020

/* Appends the level; `top`: the folder's parent is the root. False: over the buffer's cap. */
bool name_encode(const char *display, bool top, struct buf *out);
/* Appends the display name of a level. False: not one that name_encode() gives, empty, or too
 * long for Exchange. */
bool name_decode(const char *level, size_t len, bool top, struct buf *out);

/* "INBOX", or a name below it, in any case of those five letters. */
bool name_is_inbox(const char *name);
bool name_below_inbox(const char *name);
/* The name with "INBOX" in upper case; the caller frees it. */
char *name_canonical(const char *name);

#endif
