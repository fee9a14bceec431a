/*
 * STATUS from the inside: what is found out of each name, step by step. One thread.
 */
#ifndef POSTERN_MAILBOX_STATUS_H
#define POSTERN_MAILBOX_STATUS_H

#include "tree_keep.h"

struct status_item {
    const struct mailbox_node *node; /* NULL: answered, or failed */
    struct tree_row *row;
    struct mailbox_status *out;
    struct error *error;
    bool opened; /* the store knows the folder, `folder` is its row */
    struct store_folder folder;
    const struct graph_folder *found; /* what the listing of its parent says, NULL: nothing */
};

/* Answers those that were never read, from counters, 0x6751 and our mark: asks for the listings of
 * their parents. What is told of UIDNEXT and UIDVALIDITY is kept. */
void status_unread(struct mailbox_account *a, struct status_item *items, size_t count,
                   struct wait *w);
/* The change that the tree told of is accounted for. */
void status_cover(struct mailbox_account *a, struct tree_row *row);

#endif
