/*
 * Messages on the way: COPY, MOVE, EXPUNGE, APPEND.
 *
 * All of these run to their end whoever hangs up: their wait must have client_fd -1. A write
 * whose answer was lost is settled by looking before anything is repeated. Destinations have had
 * a sync round when they return, so that the UIDs told are final.
 */
#ifndef POSTERN_MAILBOX_TRANSFER_H
#define POSTERN_MAILBOX_TRANSFER_H

#include "postern/mailbox/account.h"

/* What became of one message. */
struct mailbox_transfer {
    uint32_t from;
    uint32_t to; /* its UID in the destination; 0: it is not there */
};

/* All or nothing: what a failed one had created is removed for good (message: copy). `out` has
 * room for `count`, in the order of `uids`; messages that are known to be gone have `to` 0 and are
 * no failure, one that turns out to be gone is (ERROR_GONE), and is known from then on. */
bool mailbox_copy(struct mailbox_folder *from, const uint32_t *uids, size_t count,
                  struct mailbox_folder *to, struct mailbox_transfer *out, struct wait *w,
                  struct error *e);
/* Each for itself (RFC 6851 section 3.3): on false `out` tells which were moved. The source's rows
 * are retired and published before this returns (message: move). ERROR_FOLDER_GONE: the target is;
 * a source that is gone is ERROR_GONE. */
bool mailbox_move(struct mailbox_folder *from, const uint32_t *uids, size_t count,
                  struct mailbox_folder *to, struct mailbox_transfer *out, struct wait *w,
                  struct error *e);

/* Deletes those of the UIDs that bear \Deleted on the server now: one listing looks first, and
 * what no longer bears it is left alone, its flags published. Otherwise as mailbox_delete(). */
bool mailbox_expunge(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                     enum config_expunge how, struct wait *w, struct mailbox_delete_result *result,
                     struct error *e);

/* The bytes of a message that a client appends, spooled to a file in the state directory. */
struct mailbox_upload;
struct mailbox_upload *mailbox_upload_new(struct mailbox_account *a, struct error *e);
bool mailbox_upload_write(struct mailbox_upload *u, const void *data, size_t len, struct error *e);
/* Did a NUL come along? Such a message cannot be told in a string (RFC 3501 section 9, CHAR8). */
bool mailbox_upload_has_nul(const struct mailbox_upload *u);
/* Removes the file, unless an append has made it the message's original. NULL is fine. */
void mailbox_upload_free(struct mailbox_upload **u);

struct mailbox_append {
    struct mailbox_upload *upload;
    uint32_t flags;       /* MAILBOX_SEEN … */
    const char *keywords; /* "" for none */
    int64_t date_ms;      /* INTERNALDATE; INT64_MIN: now */
};

/* Appends messages, all or nothing (RFC 3502). `how` chooses the way (append.c tells what each
 * keeps). The original is kept in the store outside eviction as long as the message lives, and
 * comes back byte for byte. ERROR_TOO_BIG: larger than Graph takes by any way; ERROR_QUOTA: the
 * mailbox is full. Nothing half stays behind. `uids`: one for each, 0 if it vanished at once. */
bool mailbox_append(struct mailbox_folder *to, const struct mailbox_append *items, size_t count,
                    enum config_append how, uint32_t *uids, struct wait *w, struct error *e);

#endif
