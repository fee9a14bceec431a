/*
 * Modified UTF-7 of mailbox names (RFC 3501 section 5.1.3). Strict: what is not the one encoding
 * of valid Unicode is refused. Pure functions, any thread.
 */
#ifndef IMAP_UTF7_H
#define IMAP_UTF7_H

#include "postern/base/buf.h"

#include <stdbool.h>

/* Appends the UTF-8 name. False: malformed (8-bit bytes, bad base64, an unneeded shift, a lone
 * surrogate), or over the cap. */
bool imap_utf7_decode(const char *name, struct buf *out);
/* Appends the encoded name of valid UTF-8. */
bool imap_utf7_encode(const char *utf8, struct buf *out);

#endif
