/*
 * What other files of this layer need of a reader. Its session's thread only.
 */
#ifndef POSTERN_MAILBOX_READER_H
#define POSTERN_MAILBOX_READER_H

#include "internal.h"

#include "postern/base/buf.h"

struct mailbox_folder *reader_folder(const struct mailbox_reader *r);
/* The body if it is at hand: pinned or in the cache, with a reference. NULL with e->kind NONE: it
 * would have to be downloaded. */
struct mailbox_body *reader_body_at_hand(struct mailbox_reader *r, uint32_t uid, struct error *e);
/* fact.c: appends the header block of a body, blank line included, in the form of IMAP literals;
 * `out` must be empty and its cap is the limit (ERROR_TOO_BIG). */
bool fact_header_of_body(const struct mailbox_body *b, struct buf *out, struct error *e);

#endif
