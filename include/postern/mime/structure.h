/*
 * The parts of a message with their exact places in it (RFC 2045, RFC 2046 section 5.1), as
 * BODYSTRUCTURE and BODY[section] need them (RFC 3501 section 7.4.2). Pure, any thread.
 *
 * One pass over the lines, no recursion. Lines end with CRLF or bare LF. What is broken is read as
 * other mail programs do: an end without closing boundary ends all parts, a boundary of an outer
 * part ends the inner ones, a part's header without a blank line ends at the boundary. A line is a
 * boundary that begins with one.
 */
#ifndef POSTERN_MIME_STRUCTURE_H
#define POSTERN_MIME_STRUCTURE_H

#include "postern/base/arena.h"
#include "postern/mime/param.h"

#include <stdbool.h>
#include <stddef.h>

#define MIME_DEPTH_MAX 100   /* parts inside each other; deeper ones are text of the last */
#define MIME_PARTS_MAX 10000 /* of one message; further ones are text of the last */
#define MIME_NO_PART   ((size_t)-1)

enum mime_kind {
    MIME_LEAF,
    MIME_MULTIPART, /* has one part at least; a multipart without any is a leaf */
    MIME_MESSAGE /* message/rfc822 with the message as its one part, also where its encoding makes
                    none of it (RFC 2046 section 5.2.1 forbids one): IMAP must tell an envelope */
};

struct mime_span {
    size_t start; /* offset in the message */
    size_t len;
};

struct mime_part {
    enum mime_kind kind;
    size_t parent; /* indices into parts; MIME_NO_PART if there is none */
    size_t first_child;
    size_t next_sibling;
    size_t depth;            /* 0 for the message itself */
    struct mime_span header; /* its blank line included, unless a boundary follows at once */
    struct mime_span body;   /* as encoded, without the line end that belongs to the boundary */
    size_t body_lines;       /* line ends in it: a last line without one does not count */
    struct mime_value content_type;
    bool type_given;               /* false: content_type holds the default (text/plain, in
                                      multipart/digest message/rfc822) */
    struct mime_value disposition; /* type "" if there is none */
    const char *encoding;          /* the word alone; NULL if there is none */
    /* Trimmed values of the part's own fields, unfolded, otherwise as written; NULL if absent. */
    const char *id;
    const char *description;
    const char *md5;
    const char *language;
    const char *location;
};

struct mime_structure {
    struct mime_part *parts; /* in the order in which they begin; the message itself first */
    size_t count;            /* 1 at least */
    bool cut;                /* a limit was reached */
};

/* Everything in `out` lives in `arena`. */
void mime_structure_parse(const char *message, size_t len, struct arena *arena,
                          struct mime_structure *out);

#endif
