/*
 * Content transfer encodings, as mail really uses them (RFC 2045 sections 6.7 and 6.8): nothing is
 * refused, the most is made of what is there. The strict base64 is in base/encode.h. Pure
 * functions, any thread.
 */
#ifndef POSTERN_MIME_TRANSFER_H
#define POSTERN_MIME_TRANSFER_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum mime_transfer { MIME_TRANSFER_NONE, MIME_TRANSFER_BASE64, MIME_TRANSFER_QUOTED_PRINTABLE };

/* What a Content-Transfer-Encoding value names; 7bit, 8bit, binary and unknown ones are NONE. */
enum mime_transfer mime_transfer_of(const char *value, size_t len);
/* The same. False: nobody knows that encoding, so that what is encoded is no text (RFC 2045
 * section 6.4). An empty value is 7bit. */
bool mime_transfer_known(const char *value, size_t len, enum mime_transfer *encoding);

/* Appends the decoded bytes, never more than `len`. False: `out` is over its cap. */
bool mime_transfer_decode(enum mime_transfer encoding, const char *data, size_t len,
                          struct buf *out);
/* Bytes that are not of the alphabet are passed over; padding ends a quartet, and text may go on
 * behind it. */
bool mime_base64_decode(const char *data, size_t len, struct buf *out);
/* A "=" that no two hexadecimal digits and no line end follow stands for itself. */
bool mime_quoted_printable_decode(const char *data, size_t len, struct buf *out);
/* The "Q" encoding of RFC 2047 section 4.2: "_" is a space, and there are no lines. */
bool mime_q_decode(const char *data, size_t len, struct buf *out);

#endif
