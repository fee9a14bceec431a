/*
 * FETCH from the inside (RFC 3501 sections 6.4.5 and 7.4.2, RFC 3516, RFC 7162, RFC 8474):
 * fetch_parse.c makes a request of the arguments, section.c finds what a section names, message.c
 * holds the one message that is looked into, fetch_reply.c builds the response to one message,
 * fetch.c gets what that needs and says what went wrong.
 */
#ifndef IMAP_FETCH_H
#define IMAP_FETCH_H

#include "session.h"

#include "postern/mime/structure.h"

enum fetch_kind {
    FETCH_UID,
    FETCH_FLAGS,
    FETCH_INTERNALDATE,
    FETCH_SIZE,
    FETCH_MODSEQ,
    FETCH_EMAILID,
    FETCH_THREADID,
    FETCH_ENVELOPE,
    FETCH_BODY, /* BODYSTRUCTURE without extension data */
    FETCH_BODYSTRUCTURE,
    FETCH_SECTION, /* BODY[…], BODY.PEEK[…], RFC822, RFC822.HEADER, RFC822.TEXT */
    FETCH_BINARY,
    FETCH_BINARY_SIZE
};

enum section_kind {
    SECTION_WHOLE,
    SECTION_HEADER,
    SECTION_FIELDS,
    SECTION_FIELDS_NOT,
    SECTION_TEXT,
    SECTION_MIME
};

/* Part numbers are refused beyond this depth: no structure goes deeper. */
#define SECTION_DEPTH_MAX (2 * MIME_DEPTH_MAX)

struct fetch_section {
    enum section_kind kind;
    const uint32_t *path; /* part numbers */
    size_t depth;
    const char *const *fields; /* NULL-terminated */
};

struct fetch_item {
    enum fetch_kind kind;
    const char *label; /* as it is told: "BODY[1.HEADER.FIELDS (FROM)]<0>" */
    struct fetch_section section;
    bool partial;
    uint64_t offset, length;
};

/* What must be in hand before a message can be told. */
enum {
    FETCH_NEEDS_HEADER = 1 << 0,    /* the header block, from wherever */
    FETCH_NEEDS_STRUCTURE = 1 << 1, /* the structure as text */
    FETCH_NEEDS_BODY = 1 << 2,
    FETCH_NEEDS_SIZE = 1 << 3,
    FETCH_NEEDS_ENVELOPE = 1 << 4 /* the fields of an ENVELOPE as a block */
};

struct fetch_request {
    struct fetch_item *items;
    size_t count;
    bool over_limit; /* what is wrong is no fault of syntax: NO [LIMIT], not BAD */
    unsigned needs;
    bool sets_seen;
    bool wants_modseq;
    bool changed_since_given;
    uint64_t changed_since;
};

/* NULL: the request is in *out (in the arena); else what is wrong. */
const char *fetch_parse(const struct imap_command *c, struct arena *a, struct fetch_request *out);

/* ---- section.c: pure ---- */

/* Parses what stands between the brackets, up to the list of fields: "1.2.HEADER.FIELDS". False:
 * no section. */
bool section_parse(const char *text, size_t len, struct arena *a, struct fetch_section *out);

/* What a section is in a message. */
struct section_place {
    struct mime_span span;        /* of FIELDS and FIELDS_NOT: the header to choose from */
    const struct mime_part *part; /* that was named; NULL for the message itself */
};
/* False: the message has no such part. */
bool section_find(const struct fetch_section *section, const struct mime_structure *structure,
                  struct section_place *out);
/* Appends the chosen fields of a header block as they are. The blank line goes with them, with
 * HEADER.FIELDS.NOT so do lines that are no field. */
bool section_put_fields(const struct fetch_section *section, const char *header, size_t len,
                        struct buf *out);

/* Writes a section's span to `out`, which it makes, with the bodies that are encoded in it decoded,
 * and their headers, as far as they are in it, saying "binary" (RFC 3516 section 4.2). NULL: done;
 * else the name of an encoding that nobody knows. */
const char *section_decode(struct mime_span span, const struct mime_structure *structure,
                           const char *message, struct buf *out);

/* ---- message.c: one message's bytes, in the form of IMAP literals ---- */

/* The message last looked into. Its structure is kept for the next section; of its text only
 * little, between commands. */
struct imap_fetch_state {
    uint32_t uid;
    struct mailbox_body *body;
    bool same_as_stored; /* the file holds the literal form: places are offsets in it */
    struct buf text;     /* the whole message, or nothing */
    struct arena *arena; /* of the structure */
    struct mime_structure structure;
    bool parsed;
};

/* Makes the message the one that is looked into; takes over the reference to the body. */
struct imap_fetch_state *message_use(struct imap_session *s, uint32_t uid,
                                     struct mailbox_body *body);
uint64_t message_size(const struct imap_fetch_state *m);
/* NULL: `e`. */
const struct mime_structure *message_structure(struct imap_fetch_state *m, struct error *e);
/* The whole text in memory; NULL: `e`. */
const char *message_text(struct imap_fetch_state *m, struct error *e);
/* Appends a piece. */
bool message_append(struct imap_fetch_state *m, uint64_t start, size_t len, struct buf *out,
                    struct error *e);
/* Sends a piece, without NULs, which literals cannot carry. False: `e`; part of it may be gone. */
bool message_send(struct imap_session *s, struct imap_fetch_state *m, uint64_t start, uint64_t len,
                  struct error *e);
/* A command has ended: lets go of what would be much memory. */
void message_rest(struct imap_session *s);

/* ---- fetch_reply.c: the response to one message ---- */

struct fetch_source {
    struct arena *arena; /* of this message */
    size_t index;        /* in the announced view */
    const struct mailbox_entry *entry;
    uint32_t size;
    const char *header; /* NULL unless needed */
    size_t header_len;
    const char *envelope; /* likewise; its fields as a header block */
    size_t envelope_len;
    const char *structure;            /* NULL unless needed */
    struct imap_fetch_state *message; /* NULL unless needed */
    bool flags_changed;               /* told though not asked for */
};
/* Builds the whole response, then sends it. False: `e`; nothing was sent, or the connection is
 * spoilt (s->over). */
bool fetch_reply(struct imap_session *s, const struct fetch_request *request,
                 const struct fetch_source *source, struct error *e);

#endif
