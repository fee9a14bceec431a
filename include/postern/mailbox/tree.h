/*
 * The folders of a mailbox as IMAP shows them: names, hierarchy, special uses, subscriptions,
 * counters; and changing them.
 *
 * Names are UTF-8 with '/' between levels, the inbox is "INBOX" whatever it is called. A display
 * name's own '/' and control characters, and what would be mistaken for such an escape or for
 * INBOX, are written "=XX" (hexadecimal, upper case), so that names map both ways without loss.
 * Hidden folders and search folders are left out, with all that is in them.
 *
 * The tree is kept in the store and followed by mailFolders/delta: one request when nothing
 * changed (mailFolder: delta); by listings where that is absent.
 */
#ifndef POSTERN_MAILBOX_TREE_H
#define POSTERN_MAILBOX_TREE_H

#include "postern/mailbox/account.h"

enum mailbox_use {
    MAILBOX_USE_NONE,
    MAILBOX_USE_INBOX,
    MAILBOX_USE_ARCHIVE,
    MAILBOX_USE_DRAFTS,
    MAILBOX_USE_JUNK,
    MAILBOX_USE_SENT,
    MAILBOX_USE_TRASH
};

struct mailbox_node {
    const char *name;
    const char *graph_id;
    enum mailbox_use use;
    bool has_children;
    bool subscribed;       /* every folder is until somebody unsubscribes it */
    int64_t total, unread; /* as Graph counts (calendar items too), -1: unknown */
};

struct mailbox_tree; /* immutable, reference-counted, sorted: INBOX first, parents before children
                      */

/* The tree as of now: one delta request, shared with whoever asks at the same moment; not asked
 * again if it began after `newer_than_ms` (monotonic clock), so that a session that lists twice
 * asks once: pass the time since when one must not have changed it. */
struct mailbox_tree *mailbox_tree_get(struct mailbox_account *a, int64_t newer_than_ms,
                                      struct wait *w, struct error *e);
struct mailbox_tree *mailbox_tree_ref(struct mailbox_tree *t);
void mailbox_tree_unref(struct mailbox_tree **t);
size_t mailbox_tree_count(const struct mailbox_tree *t);
const struct mailbox_node *mailbox_tree_at(const struct mailbox_tree *t, size_t index);
/* The name as it is, else the one that differs in case only, since Exchange does not tell them
 * apart; NULL: no such folder. */
const struct mailbox_node *mailbox_tree_find(const struct mailbox_tree *t, const char *name);
/* Names that were unsubscribed or subscribed though no such folder is there (RFC 3501 section
 * 6.3.6 keeps a subscription when its mailbox goes): `fn` for each subscribed one. */
void mailbox_tree_orphans(const struct mailbox_tree *t, void (*fn)(void *arg, const char *name),
                          void *arg);

/* Opens a folder by its IMAP name. Asks Graph only for what is not known: a name that the kept
 * tree has costs no request. ERROR_FOLDER_GONE: no such folder (after the tree was read again). */
struct mailbox_folder *mailbox_tree_open(struct mailbox_account *a, const char *name,
                                         struct wait *w, struct error *e);

/* Missing parents are made too. ERROR_EXISTS; ERROR_CANNOT for names that cannot be (empty level,
 * INBOX, too long, malformed escape). A trailing '/' is dropped (RFC 3501 section 6.3.3). */
bool mailbox_folder_create(struct mailbox_account *a, const char *name, struct wait *w,
                           struct error *e);
/* To Deleted Items under a free name, or as `how` says; inside Deleted Items it is deleted.
 * ERROR_HAS_CHILDREN; ERROR_CANNOT for INBOX and the other well-known folders. */
bool mailbox_folder_delete(struct mailbox_account *a, const char *name, enum config_expunge how,
                           struct wait *w, struct error *e);
/* Renames, moves, or both, with what is below it; missing parents are made. INBOX: its messages
 * move to a new folder of that name (RFC 3501 section 6.3.5), those that were received at
 * `since_ms` or later; INT64_MIN: all. Settled by looking where an answer was lost. */
bool mailbox_folder_rename(struct mailbox_account *a, const char *from, const char *to,
                           int64_t since_ms, struct wait *w, struct error *e);
/* ERROR_FOLDER_GONE: a folder that is not there (after the tree was read again) cannot be
 * subscribed; any name can be unsubscribed. */
bool mailbox_subscribe(struct mailbox_account *a, const char *name, bool subscribed,
                       struct wait *w, struct error *e);

struct mailbox_status {
    uint32_t messages, recent, unseen, uidnext, uidvalidity;
    uint64_t modseq;             /* HIGHESTMODSEQ */
    uint64_t size;               /* never below the sum of the sizes told */
    uint8_t digest[SHA256_SIZE]; /* as mailbox_folder_digest() */
};
/* A folder known already answers from its view, after one delta round if the tree says that it
 * changed; one never opened from its counters, 0x6751 and our mark, without listing messages.
 * Only where `sizes` are wanted is a folder never opened read whole. What such a folder needs is
 * asked for many at once: `names` of `count`, results in `out`; a name that does not exist, or
 * fails, has its error in `errors`. */
void mailbox_status(struct mailbox_account *a, const char *const *names, size_t count, bool sizes,
                    int64_t newer_than_ms, struct wait *w, struct mailbox_status *out,
                    struct error *errors);

/* SHA-256 of the folder's Graph id (OBJECTID's MAILBOXID). */
void mailbox_folder_digest(struct mailbox_folder *f, uint8_t digest[SHA256_SIZE]);
void mailbox_node_digest(const struct mailbox_node *node, uint8_t digest[SHA256_SIZE]);

#endif
