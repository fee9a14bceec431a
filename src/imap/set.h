/*
 * Sequence sets (RFC 3501 section 9): parsing, and resolving against a view. Pure, one thread.
 */
#ifndef IMAP_SET_H
#define IMAP_SET_H

#include "postern/base/arena.h"
#include "postern/base/buf.h"
#include "postern/mailbox/view.h"

/* Ranges of one set; more is an error. */
#define IMAP_SET_RANGES_MAX 200000
#define IMAP_SET_STAR       0 /* "*"; no number of a message is 0 */

struct imap_range {
    uint32_t low, high; /* low <= high but where one is IMAP_SET_STAR */
};

struct imap_set {
    struct imap_range *ranges; /* as written */
    size_t count;
};

/* What a set names in a view, rising and each once. */
struct imap_found {
    uint32_t *indices; /* positions in the view, from 0 */
    uint32_t *uids;
    size_t count;
};

/* False: it is no sequence set. Lives in the arena. */
bool imap_set_parse(const char *text, struct arena *a, struct imap_set *set);
/* The set with "*" as `star`, in order and without overlaps: what it costs then is bounded by the
 * view, however often the client named the same message. */
struct imap_set imap_set_flatten(const struct imap_set *set, uint32_t star, struct arena *a);
/* Is the number in a flat set? */
bool imap_set_has(const struct imap_set *flat, uint32_t number);
/* By sequence numbers; false: a number beyond the view (a client's error, RFC 3501 section 9:
 * answer BAD). "*" on an empty view names nothing and is false too. */
bool imap_set_find(const struct imap_set *set, const struct mailbox_view *view, struct arena *a,
                   struct imap_found *found);
/* By UIDs, which need not exist. */
void imap_set_find_uids(const struct imap_set *set, const struct mailbox_view *view,
                        struct arena *a, struct imap_found *found);
/* Appends numbers as a set, "1:5,7". `count` 0 appends nothing. */
bool imap_set_write(const uint32_t *rising, size_t count, struct buf *out);

#endif
