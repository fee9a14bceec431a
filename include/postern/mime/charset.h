/*
 * Text of any charset as UTF-8 (RFC 3629). Pure functions, any thread.
 */
#ifndef POSTERN_MIME_CHARSET_H
#define POSTERN_MIME_CHARSET_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* A longer name is an unknown charset. */
#define MIME_CHARSET_NAME_MAX 40

/* Appends `data` as valid UTF-8, line ends and control characters as they are. What is not valid
 * in its charset becomes U+FFFD. An unknown charset, or NULL, is read as UTF-8, so that at
 * least ASCII shows. At most 3 bytes are written for one of most charsets, 18 for one of a few.
 * False: `out` is over its cap; it may hold part of the text. */
bool mime_charset_to_utf8(const char *charset, size_t charset_len, const char *data, size_t len,
                          struct buf *out);
/* Is it a charset that the function above can read? */
bool mime_charset_known(const char *charset, size_t len);

#endif
