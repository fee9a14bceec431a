/*
 * What is known of a message for good: its header block and its structure. The first source that
 * was told is stored and final for its UID, and goes with the message. One thread a reader.
 */
#ifndef POSTERN_MAILBOX_FACTS_H
#define POSTERN_MAILBOX_FACTS_H

#include "postern/base/buf.h"
#include "postern/mailbox/account.h"

enum mailbox_fact {
    MAILBOX_FACT_HEADER = 1,    /* the header block, CRLF, its blank line included */
    MAILBOX_FACT_STRUCTURE = 2, /* as the protocol layer wrote it */
    MAILBOX_FACT_ENVELOPE = 3 /* the fields of an ENVELOPE as a block, of a message whose header was
                                 not known when it was told */
};

/* Appends the fact to `out`. 1 known, 0 not yet, -1 error. */
int mailbox_fact_get(struct mailbox_folder *f, uint32_t uid, enum mailbox_fact fact,
                     struct buf *out, struct error *e);
/* The first one stays. */
bool mailbox_fact_put(struct mailbox_folder *f, uint32_t uid, enum mailbox_fact fact,
                      const void *data, size_t len, struct error *e);

/* What an EMAILID is made of (RFC 8474 section 5.1), by the digest of a message's immutable id
 * (view.h): that digest, or of a copy made by mailbox_copy() its source's, for good. Any thread. */
bool mailbox_email_of(struct mailbox_account *a, const uint8_t digest[SHA256_SIZE],
                      uint8_t email[SHA256_SIZE], struct error *e);
/* Appends the digests of all messages that tell `email`, rising. */
bool mailbox_email_bearers(struct mailbox_account *a, const uint8_t email[SHA256_SIZE],
                           struct buf *digests, struct error *e);

enum mailbox_headers {
    MAILBOX_HEADERS_WHOLE,
    MAILBOX_HEADERS_ENVELOPE /* the fields of an ENVELOPE (RFC 3501 section 7.4.2) will do: for many
                                messages without a header block they come from other properties, in
                                pages too */
};
/* Header blocks of many messages, each told once to `fn`, in the order asked, as it becomes known;
 * `block` NULL: the message is gone. From the store; else from a body that is cached; else, for
 * more than a few, from String 0x007D in pages (never one request a message for a range of
 * received mail); a block that is missing or cut short, and few messages, from the MIME. `len`
 * includes the blank line. Memory: a page at a time. False: `e`, or fn returned false
 * (ERROR_NONE). */
bool mailbox_reader_headers(struct mailbox_reader *r, enum mailbox_headers what,
                            const uint32_t *uids, size_t count,
                            bool (*fn)(void *arg, uint32_t uid, const char *block, size_t len),
                            void *arg, struct wait *w, struct error *e);
/* The header block if it costs no request: 1, 0 not known, -1 error. */
int mailbox_reader_known_header(struct mailbox_reader *r, uint32_t uid, struct buf *out,
                                struct error *e);
/* Does the cache hold the body (no request needed)? */
bool mailbox_reader_has_body(struct mailbox_reader *r, uint32_t uid);

#endif
