/*
 * ENVELOPE, BODY and BODYSTRUCTURE as text (RFC 3501 section 7.4.2). Pure, any thread.
 */
#ifndef IMAP_STRUCTURE_H
#define IMAP_STRUCTURE_H

#include "postern/base/arena.h"
#include "postern/base/buf.h"
#include "postern/mime/structure.h"

/* Appends "(date subject from sender reply-to to cc bcc in-reply-to message-id)" of a header
 * block. False: `out` is over its cap. */
bool imap_put_envelope(const char *header, size_t len, struct arena *a, struct buf *out);

/* Appends a message's BODYSTRUCTURE, with extension data; `message` is what the structure was
 * parsed of. Numbers count octets of it. False: `out` is over its cap. */
bool imap_put_structure(const struct mime_structure *structure, const char *message,
                        struct arena *a, struct buf *out);

/* Appends BODY, which is a BODYSTRUCTURE without its extension data. False: `text` is not what
 * imap_put_structure() writes, or `out` is over its cap. */
bool imap_put_structure_basic(const char *text, size_t len, struct buf *out);

#endif
