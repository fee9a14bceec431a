/*
 * Looking for text in a message as a person reads it (RFC 3501 section 6.4.4): header fields with
 * encoded words decoded, parts with transfer encoding and charset decoded, case ignored
 * (mime/casemap.h). A match is a substring, anywhere; it does not cross from one part to another.
 *
 * Searched are parts of type text and message, what is between parts is not. Pure functions, any
 * thread. Memory: a few times the largest part.
 */
#ifndef POSTERN_MIME_MATCH_H
#define POSTERN_MIME_MATCH_H

#include "postern/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum mime_scope {
    MIME_IN_FIELD,     /* in a field of that name, unfolded */
    MIME_IN_LINE,      /* the same, with every run of white space as one space (Subject) */
    MIME_IN_ADDRESSES, /* in a field as it stands there, or in its addresses as ENVELOPE tells them,
                          written one way: "Name" <local@host>, <local@host>, Group: <local@host>;
                        */
    MIME_IN_BODY,      /* in the text of the parts */
    MIME_IN_TEXT       /* there, in the message's header, or in that of any part */
};

/* One thing to look for. Many are looked for in one pass. */
struct mime_match {
    enum mime_scope scope;
    const char *field; /* of the first three */
    const char *needle;
    size_t len; /* 0: is found wherever the field is, or in any message */
    bool found; /* set by the functions below, never cleared */
};

/* What to look for; the needle, valid UTF-8, is brought into comparable form in `arena`, `field`
 * is kept as it is. */
void mime_match_init(struct mime_match *m, enum mime_scope scope, const char *field,
                     const char *utf8, size_t len, struct arena *arena);
/* Looks through a message's header block: all scopes but MIME_IN_BODY. */
void mime_match_header(struct mime_match *matches, size_t count, const char *header, size_t len);
/* Looks through a whole message but its own header: MIME_IN_BODY and MIME_IN_TEXT. */
void mime_match_body(struct mime_match *matches, size_t count, const char *message, size_t len);

#endif
