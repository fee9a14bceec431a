/*
 * What a mailbox database keeps of the folder tree: the folders as Graph tells them, the delta
 * link, subscriptions, and which UIDVALIDITY each name had. Errors and threads as in
 * store/mailbox_db.h; the tree and UIDVALIDITYs survive a power failure, subscriptions too.
 */
#ifndef POSTERN_STORE_TREE_DB_H
#define POSTERN_STORE_TREE_DB_H

#include "postern/store/mailbox_db.h"

struct store_tree_row {
    const char *graph_id, *parent_id, *name; /* the name as Graph has it */
    bool hidden;                             /* it, or what kind of folder it is */
    int64_t children, total, unread;         /* -1: unknown */
    uint64_t change;                         /* number of the round that last told of it */
    uint64_t covered;                        /* the folder's messages were read after this change */
};

/* Calls `fn` for each row, in no order; pointers are good during the call. `fn` may read the
 * database, not write it. */
bool store_tree_each(struct store_db *db, void (*fn)(void *arg, const struct store_tree_row *row),
                     void *arg, struct error *e);
/* 1: the tree was read once, *link (the caller's to free; NULL: none) and the number of its last
 * round are set; 0: it was not; -1: error. */
int store_tree_state(struct store_db *db, char **link, uint64_t *round, struct error *e);
/* One transaction of a round. */
bool store_tx_tree_clear(struct store_tx *tx, struct error *e);
bool store_tx_tree_put(struct store_tx *tx, const struct store_tree_row *row, struct error *e);
bool store_tx_tree_remove(struct store_tx *tx, const char *graph_id, struct error *e);
bool store_tx_tree_state(struct store_tx *tx, const char *link_or_null, uint64_t round,
                         struct error *e);
bool store_tree_cover(struct store_db *db, const char *graph_id, uint64_t change, struct error *e);

bool store_subscription_set(struct store_db *db, const char *name, bool subscribed,
                            struct error *e);
bool store_subscription_each(struct store_db *db,
                             void (*fn)(void *arg, const char *name, bool subscribed), void *arg,
                             struct error *e);

/* The highest UIDVALIDITY that was ever told for a name, and the folder it was told for (the
 * caller frees it). 1 found, 0 none, -1 error. */
int store_validity_get(struct store_db *db, const char *name, char **graph_id,
                       uint32_t *uidvalidity, struct error *e);
bool store_validity_set(struct store_db *db, const char *name, const char *graph_id,
                        uint32_t uidvalidity, struct error *e);

/* Counts over the messages of a folder, as its newest commit has them. */
struct store_totals {
    uint32_t messages, unseen;
    uint32_t recent; /* from the UID `recent_from` on */
    uint64_t size;   /* what was told, or is exact, or else the estimate */
};
bool store_folder_totals(struct store_db *db, int64_t folder, uint32_t recent_from,
                         struct store_totals *out, struct error *e);

#endif
