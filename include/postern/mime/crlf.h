/*
 * Line ends on the wire (RFC 5322 section 2.3: CR and LF only together; RFC 1939 section 3: the
 * dot). Streaming: state is carried between pieces, so that a message of any size passes
 * through a small buffer.
 */
#ifndef POSTERN_MIME_CRLF_H
#define POSTERN_MIME_CRLF_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mime_crlf {
    bool dot_stuff;  /* double a dot at the start of a line */
    bool literal;    /* see mime_crlf_init_literal() */
    bool after_cr;   /* private */
    bool mid_line;   /* private */
    uint64_t octets; /* written so far, stuffing not counted: the size POP3 and IMAP tell */
};

void mime_crlf_init(struct mime_crlf *c, bool dot_stuff);
/* The form of IMAP literals, which carry all that was appended (RFC 3501 section 4.3): a bare LF
 * becomes CRLF, a bare CR stays, and a last line without end stays without. */
void mime_crlf_init_literal(struct mime_crlf *c);
/* Appends `len` bytes of input in wire form: bare LF becomes CRLF; a bare CR becomes CRLF too,
 * since lines cannot carry it. At most 2 bytes are written for one of input. False: `out`
 * is over its cap and this conversion is spoilt. */
bool mime_crlf_feed(struct mime_crlf *c, const char *data, size_t len, struct buf *out);
/* Ends the last line with CRLF if it has none. */
bool mime_crlf_end(struct mime_crlf *c, struct buf *out);

#endif
