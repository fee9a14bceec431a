/*
 * The heart of sync, without I/O: what is known of a folder, what a delta and a listing say, and
 * what follows from it: rows to write, UIDs to retire, UIDs to give, ids to ask for one by one.
 *
 * A round (later sync) sees some items of the folder; a full merge (first sync, resync after
 * 410, listing where delta is absent) sees all, so that what it did not see is gone. Rules: a
 * removed UID is retired for ever; an item both present and removed is settled by asking; so is
 * one that we deleted a moment ago, and one that a listing without a delta beside it does not
 * show; a full merge keeps a UID only where id and article number are both unchanged; a draft
 * whose content changed becomes a new UID; new UIDs follow article order.
 *
 * A change key that is not the one we know says that something changed that a delta does not
 * show, extended properties perhaps: such an item is looked up whole, with those that are new. So
 * is one whose delta may be older than our own last write.
 *
 * One thread at a time.
 */
#ifndef POSTERN_MAILBOX_MERGE_H
#define POSTERN_MAILBOX_MERGE_H

#include "row.h"

struct merge;

enum merge_kind {
    MERGE_ROUND,       /* a delta since the last one */
    MERGE_FULL,        /* delta and listing from the start */
    MERGE_FULL_LISTING /* a listing alone */
};

struct merge_item; /* what is known of one id */

struct merge *merge_new(enum merge_kind kind);
void merge_free(struct merge **m);
size_t merge_count(const struct merge *m);

/* NULL if the id was not seen yet. */
struct merge_item *merge_find(struct merge *m, const char *id);
/* Enters an id; `known` is its row (moved from, cleared) or NULL. `retired` says that we gave a
 * tombstone a moment ago, so that its being reported as present may be a late echo. A known row
 * with uid 0 is a staged one of an interrupted first sync. */
struct merge_item *merge_enter(struct merge *m, const char *id, struct row *known, bool retired);
/* One item of a delta page, of a listing page. The latter says whether a new item got its
 * extended properties by it. */
void merge_delta(struct merge_item *item, const struct graph_message *message);
bool merge_listed(struct merge_item *item, const struct graph_message *message);
/* What is committed of it may be wrong: it must be asked for. */
void merge_doubt(struct merge_item *item);
/* The answer to a GET of the id; NULL: it is not in this folder any more. */
void merge_answer(struct merge_item *item, const struct graph_message *message_or_null);
/* The row to stage for a first sync; strings are borrowed from the item. */
void merge_staged(const struct merge_item *item, struct store_message *out);

/* What must still be fetched before merge_finish. Pointers live as long as the merge. */
struct merge_wants {
    const char **listing; /* items that lack their extended properties: a listing has them */
    size_t listing_count;
    const char **ask; /* must be asked for by id */
    size_t ask_count;
};
void merge_wants(struct merge *m, struct merge_wants *out);
void merge_wants_free(struct merge_wants *w);

/* Where the numbering of a folder stands. */
struct merge_uids {
    uint32_t uidnext; /* above every UID given */
    enum store_uid_mode mode;
    uint32_t floor; /* a first sync: UIDNEXT as it was told before; numbers of our own and what
                       comes later are not below it. 0: none */
};

struct merge_result {
    struct row **puts; /* changed and new ones, in UID order; owned by the merge. Their modseq is
                          still the known one */
    size_t put_count;
    uint32_t *expunges; /* rising */
    size_t expunge_count;
    const char **dropped; /* ids of staged rows that are gone */
    size_t drop_count;
};
/* Decides, and gives UIDs from `uids`: the article number while it is present and above every
 * UID given; from the first that is not, `mode` becomes diverged and numbers are ours. */
void merge_finish(struct merge *m, struct merge_uids *uids, struct merge_result *out);
void merge_result_free(struct merge_result *r);

#endif
