/*
 * Changing flags and keywords (IMAP STORE), and hearing of changes that others made.
 *
 * Graph keeps \Seen as isRead, \Flagged as flag.flagStatus, \Deleted and \Answered as extended
 * properties, keywords as categories (message: update). What is a draft to Graph cannot be changed
 * after creation: \Draft is what Graph says until a client says otherwise, which is kept here alone
 * and holds until Graph changes its mind.
 */
#ifndef POSTERN_MAILBOX_FLAGS_H
#define POSTERN_MAILBOX_FLAGS_H

#include "postern/mailbox/account.h"

enum mailbox_flag_op { MAILBOX_FLAGS_REPLACE, MAILBOX_FLAGS_ADD, MAILBOX_FLAGS_REMOVE };

struct mailbox_flag_change {
    enum mailbox_flag_op op;
    uint32_t flags;       /* MAILBOX_SEEN … */
    const char *keywords; /* space-separated, "" for none */
};

enum mailbox_outcome {
    MAILBOX_DONE,     /* Graph said so */
    MAILBOX_GONE,     /* the message no longer exists */
    MAILBOX_MODIFIED, /* its modseq is above `unchanged_since`: not touched */
    MAILBOX_FAILED
};

#define MAILBOX_ANY_MODSEQ UINT64_MAX

/* Changes flags of messages, one PATCH each, four always in flight; all that needs no change costs
 * one sync round, which says whether that is still so; \Draft alone costs nothing. With
 * `unchanged_since`, keywords or a replacement one comes first (not atomic towards Graph). Runs to
 * its end whoever hangs up, so `w` must have client_fd -1. What Graph confirmed is committed and
 * published before this returns; a later delta that is older than our write does not undo it.
 * Fills `outcomes`, one for each UID; true if none is MAILBOX_FAILED, else `e` holds the first
 * failure. */
bool mailbox_store(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                   const struct mailbox_flag_change *change, uint64_t unchanged_since,
                   enum mailbox_outcome *outcomes, struct wait *w, struct error *e);

/* From now on the wait is notified when a new generation of the folder is published, by whomever,
 * and the folder is polled in the background once in a poll interval, however many watch it:
 * sooner right after a change, later while Graph throttles. The view is polled by
 * mailbox_folder_view(). One watch a wait at a time. `read_only`: polls on this one's behalf write
 * no mark on the folder. */
void mailbox_watch(struct mailbox_folder *f, bool read_only, struct wait *w);
void mailbox_unwatch(struct mailbox_folder *f, struct wait *w);

/* A sync round unless one began within the poll interval (NOOP, CHECK). */
bool mailbox_folder_refresh(struct mailbox_folder *f, bool read_only, struct wait *w,
                            struct error *e);

/* \Recent: UIDs of [*from, *to) were not yet told to any session that may write; empty if the two
 * are equal. With `claim` they are the caller's, and nobody else gets them. Remembered over
 * restarts. */
void mailbox_folder_recent(struct mailbox_folder *f, bool claim, uint32_t *from, uint32_t *to);

/* Highest modseq given in the folder, the expunges' included (CONDSTORE). */
uint64_t mailbox_folder_modseq(struct mailbox_folder *f);

/* These sizes were told to a client (RFC822.SIZE): the same will be told for good. */
bool mailbox_note_told_sizes(struct mailbox_folder *f, const uint32_t *uids, const uint32_t *sizes,
                             size_t count, struct error *e);

#endif
