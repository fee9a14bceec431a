/*
 * Message ids in fields (RFC 5322 section 3.6.4), as THREAD compares them (RFC 5256 section 2.2).
 * Pure, any thread.
 */
#ifndef POSTERN_MIME_MSGID_H
#define POSTERN_MIME_MSGID_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Replaces `out` with the next "local@domain" of a raw value from *pos on, without angle brackets,
 * quoting, comments and white space, and moves *pos behind it. Words without "<", and what has no
 * "@" or no end, are passed over. False: there is no more. `out` needs room for `len` bytes. */
bool mime_msgid_next(const char *value, size_t len, size_t *pos, struct buf *out);

#endif
