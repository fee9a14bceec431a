/*
 * A message as sync and the store see it: one row, with strings of its own. Pure; one thread.
 */
#ifndef POSTERN_MAILBOX_ROW_H
#define POSTERN_MAILBOX_ROW_H

#include "postern/graph/mail.h"
#include "postern/mailbox/view.h"
#include "postern/store/mailbox_db.h"

#define ROW_ARTICLE_UNKNOWN (-1) /* not asked yet */
#define ROW_ARTICLE_NONE    (-2) /* asked: the server has none */

/* Turned both, the opposite of \Draft is told, and what Graph says stays. */
#define ROW_DRAFT (MAILBOX_DRAFT | MAILBOX_DRAFT_CONTRARY)

struct row {
    char *id;
    uint32_t uid; /* 0: not given yet */
    uint32_t flags;
    int64_t received_ms;
    int64_t article;
    int64_t estimate; /* 0x0E08 as the server has it, -1: unknown */
    int64_t size;     /* wire octets, -1: unknown */
    uint32_t told;    /* what IMAP was told, 0: nothing yet */
    int64_t written;  /* wall clock of our own last change, 0: never */
    uint64_t modseq;
    char *change_key; /* NULL: unknown */
    char *keywords;   /* NULL: none */
    bool edited;      /* a merge found that its content is not what it was under its old UID */
    bool changed;     /* a merge found that clients must hear of it; else only the store does */
};

void row_init(struct row *r, const char *id);
void row_clear(struct row *r);
void row_from_store(struct row *r, const struct store_message *m);
/* Borrows the row's strings. */
void row_to_store(const struct row *r, struct store_message *m);
/* Takes over the members that the answer held. `whole`: a listing or a GET, which asked for the
 * extended properties too, so that what is missing is known to be absent. */
void row_apply(struct row *r, const struct graph_message *m, bool whole);
void row_entry(const struct row *r, struct mailbox_entry *entry);
/* Octets to tell for a message whose size is only estimated; errs high. -1 stays -1. */
int64_t row_told_estimate(int64_t estimate);

#endif
