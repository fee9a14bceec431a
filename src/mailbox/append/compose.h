/*
 * A message in MIME as JSON can say it to Graph: header fields, one body of text or HTML, files.
 * What comes out is valid UTF-8 without NULs, and lives in the arena or points into the message.
 * Pure functions, any thread.
 *
 * An attached message stays a file (.eml), since that keeps every byte of it; Graph's own kind of
 * attached message would lose its header.
 */
#ifndef POSTERN_MAILBOX_COMPOSE_H
#define POSTERN_MAILBOX_COMPOSE_H

#include "postern/base/buf.h"
#include "postern/graph/write.h"
#include "postern/mime/transfer.h"

/* People of one field; further ones are left out of what Outlook shows. */
#define COMPOSE_PEOPLE_MAX 2000
/* The header block, in UTF-8, that is given to Graph as a property, whose value Graph may refuse
 * when it is longer; such a block is cut at a line. */
#define COMPOSE_HEADER_MAX ((size_t)32 * 1024)
/* Text of the body; more is no text that a request of Graph could take. */
#define COMPOSE_BODY_MAX GRAPH_REQUEST_MAX

struct compose_file {
    const char *name, *content_type;
    const char *content_id; /* NULL: none */
    bool is_inline;         /* the HTML shows it */
    const char *raw;        /* as it stands in the message */
    size_t raw_len;
    enum mime_transfer encoding;
};

struct composed {
    struct graph_new message; /* without properties that are not in the message's header */
    struct compose_file *files;
    size_t file_count;
    const char *lossy; /* NULL, or what would lose something (a signature, a cut header …) */
    bool too_big;      /* the text is over COMPOSE_BODY_MAX */
};

/* Room for so many more properties is left behind message.properties. */
#define COMPOSE_SPARE_PROPERTIES 4

void compose(const char *message, size_t len, struct arena *a, struct composed *out);
/* Appends the file's bytes. False: `out` is over its cap. */
bool compose_file_decode(const struct compose_file *file, struct buf *out);
/* "<id>" of the Message-ID field; NULL: it has none. */
const char *compose_message_id(const char *message, size_t len, struct arena *a);

#endif
