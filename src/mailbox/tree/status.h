/*
 * STATUS from the inside: what is found out of each name, step by step. One thread.
 */
#ifndef POSTERN_MAILBOX_STATUS_H
#define POSTERN_MAILBOX_STATUS_H

#include "tree_keep.h"

/* What Graph lists of folders: counters, our mark, 0x6751. Immutable, reference-counted. */
struct counts;

struct status_item {
    const struct mailbox_node *node; /* NULL: answered, or failed */
    struct tree_row *row;
    struct mailbox_status *out;
    struct error *error;
    bool opened; /* the store knows the folder, `folder` is its row */
    struct store_folder folder;
    const struct graph_folder *found; /* in the counts; NULL: nothing */
};

/* ---- counts.c ---- */

/* Lists the parents of these folders, many in one request, unless that was done since
 * `newer_than_ms`; a tree of few parents is listed whole, for who asks for one after the other.
 * NULL: `e`; that they have no properties is no reason to fail. */
struct counts *counts_get(struct mailbox_account *a, const struct mailbox_tree *t,
                          const struct status_item *items, size_t count, int64_t newer_than_ms,
                          struct wait *w, struct error *e);
const struct graph_folder *counts_find(const struct counts *c, const char *id);
void counts_unref(struct counts **c);

/* ---- seen.c ---- */

/* Do the counters that were found say that the folder has changed since `totals`? They count more
 * than messages, so what they were beyond them is remembered. */
bool seen_differs(struct mailbox_account *a, const struct status_item *item,
                  const struct mailbox_status *totals);
/* They fit these totals: the folder was just read. */
void seen_note(struct mailbox_account *a, const struct status_item *item,
               const struct mailbox_status *totals);
void seen_free(struct table **seen);

/* ---- status_unread.c ---- */

/* Answers those that were never read, from counters, 0x6751 and our mark. What is told of UIDNEXT
 * and UIDVALIDITY is kept. */
void status_unread(struct mailbox_account *a, struct status_item *items, size_t count);
/* Told once and not changed since: nothing needs to be asked. */
bool status_is_told(const struct status_item *item);
/* The change that the tree told of is accounted for. */
void status_cover(struct mailbox_account *a, struct tree_row *row);

#endif
