/*
 * A view: one immutable generation of a folder, an array of messages in UID order. Generations
 * share their chunks, so that a change costs one chunk and not the folder. Reference-counted;
 * reading takes no lock; any thread.
 */
#ifndef POSTERN_MAILBOX_VIEW_H
#define POSTERN_MAILBOX_VIEW_H

#include "postern/base/encode.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAILBOX_SEEN      0x0001u
#define MAILBOX_FLAGGED   0x0002u
#define MAILBOX_DRAFT     0x0004u
#define MAILBOX_ANSWERED  0x0008u
#define MAILBOX_FORWARDED 0x0010u
#define MAILBOX_DELETED   0x0020u
/* It has more categories than are shown as keywords, so they cannot be changed. */
#define MAILBOX_KEYWORDS_CUT 0x0040u
/* \Draft is told as clients said, contrary to Graph: it calls a draft what is not told as one, or
 * the other way round. */
#define MAILBOX_DRAFT_CONTRARY 0x0080u
/* Bits that are no flags of a protocol. */
#define MAILBOX_NOT_TOLD (MAILBOX_KEYWORDS_CUT | MAILBOX_DRAFT_CONTRARY)

/* Does Graph call it a draft, whatever is told? */
bool mailbox_is_draft(uint32_t flags);

struct mailbox_entry {
    uint32_t uid;
    uint32_t flags;
    int64_t received_ms;
    int64_t size;       /* wire octets if exact, else the estimate, else -1 */
    uint32_t told_size; /* what IMAP was told once and must be told again, 0: nothing yet */
    bool size_exact;
    uint64_t modseq;
    /* Space-separated IMAP keywords, "" if there are none. Lives as long as a view holds the
     * entry; equal sets share one string. */
    const char *keywords;
    uint8_t digest[SHA256_SIZE]; /* of the immutable id: POP3 UIDL; IMAP EMAILID: facts.h */
};

struct mailbox_view;

struct mailbox_view *mailbox_view_ref(struct mailbox_view *v);
void mailbox_view_unref(struct mailbox_view **v);
size_t mailbox_view_count(const struct mailbox_view *v);
/* `index` from 0, in UID order. Never NULL inside the count. */
const struct mailbox_entry *mailbox_view_at(const struct mailbox_view *v, size_t index);
/* NULL if the view has no such UID; *index may be NULL. */
const struct mailbox_entry *mailbox_view_find(const struct mailbox_view *v, uint32_t uid,
                                              size_t *index);

/* What of a view was received at `since_ms` or later: another view, which shares what it can, or
 * the same one if that is all of it. One reference for the caller. */
struct mailbox_view *mailbox_view_since(struct mailbox_view *v, int64_t since_ms);

/* What became of the messages of `old` in `now`: calls `fn` in rising index of `old` for each
 * that is gone (`now` NULL) or has other flags or keywords, and then, with `was` NULL and `index`
 * counted on from the end of `old`, for each that is new (their UIDs are above all of `old`, as
 * new UIDs are). Chunks that both share are passed over.
 * Stops when fn returns false. */
typedef bool mailbox_diff_fn(void *arg, size_t index, const struct mailbox_entry *was,
                             const struct mailbox_entry *now);
void mailbox_view_diff(const struct mailbox_view *old, const struct mailbox_view *now,
                       mailbox_diff_fn *fn, void *arg);
/* `old`, where the named UIDs (rising) have their entries of `now` if they have one there: what a
 * session knows after it told some flags but no EXPUNGE. One reference for the caller. */
struct mailbox_view *mailbox_view_adopt(const struct mailbox_view *old,
                                        const struct mailbox_view *now, const uint32_t *uids,
                                        size_t count);

#endif
