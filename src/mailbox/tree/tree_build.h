/*
 * The folder tree in memory: rows as Graph tells them, and what IMAP shows of them.
 *
 * A set of rows is filled by one thread and never changed once a tree was built of it; trees may
 * share one. Both are reference-counted.
 */
#ifndef POSTERN_MAILBOX_TREE_BUILD_H
#define POSTERN_MAILBOX_TREE_BUILD_H

#include "postern/graph/folder.h"
#include "postern/mailbox/tree.h"

/* Exchange Online's own limits are 10,000 subfolders and a depth of 300. */
#define TREE_FOLDERS_MAX 50000

struct tree_row {
    const char *id, *parent_id, *name; /* the latter two NULL as long as Graph did not tell them */
    bool hidden;                       /* or a search folder */
    int64_t children, total, unread;   /* -1: unknown */
    uint64_t change;                   /* number of the round that told of it last */
    _Atomic uint64_t covered; /* its messages were read after this change; STATUS moves it on */
    int64_t told_ms;          /* monotonic, the end of that round; 0: not in this process */
};

struct tree_rows;

/* A copy of `from`; NULL: empty. */
struct tree_rows *tree_rows_new(const struct tree_rows *from);
struct tree_rows *tree_rows_ref(struct tree_rows *rows);
void tree_rows_unref(struct tree_rows **rows);
size_t tree_rows_count(const struct tree_rows *rows);
struct tree_row *tree_rows_find(const struct tree_rows *rows, const char *id);
/* The row, made if it was not there. */
struct tree_row *tree_rows_enter(struct tree_rows *rows, const char *id);
void tree_rows_remove(struct tree_rows *rows, const char *id);
/* A copy of the text that lives as long as the rows. */
const char *tree_rows_keep(struct tree_rows *rows, const char *text);
void tree_rows_each(const struct tree_rows *rows, void (*fn)(void *arg, struct tree_row *row),
                    void *arg);
/* Takes over what Graph says of a folder. */
void tree_rows_apply(struct tree_rows *rows, const struct graph_folder *g);
/* Does some row have this parent? */
bool tree_rows_has_child(const struct tree_rows *rows, const char *parent_id);

/* Ids of well-known folders. */
struct tree_special {
    char *root;
    char *uses[MAILBOX_USE_TRASH + 1]; /* NULL: the mailbox has none */
};

/* How names were subscribed. */
struct tree_subscription {
    char *name;
    bool subscribed;
};
struct tree_subscriptions {
    struct tree_subscription *items; /* in the order of strcmp() */
    size_t count, cap;
};

/* One reference for the caller; takes one to the rows. */
struct mailbox_tree *tree_build(struct tree_rows *rows, const struct tree_special *special,
                                const struct tree_subscriptions *subscriptions);
struct tree_rows *tree_rows_of(const struct mailbox_tree *t);
/* What is known of a node; the parent's node, NULL for one at the top. */
const struct tree_row *tree_row_of(const struct mailbox_tree *t, const struct mailbox_node *node);
const struct mailbox_node *tree_parent(const struct mailbox_tree *t,
                                       const struct mailbox_node *node);
const struct mailbox_node *tree_find_id(const struct mailbox_tree *t, const char *id);
/* The child (`parent` NULL: at the top) of a display name of `len` bytes; one that differs only in
 * case if there is no other, since Exchange does not tell them apart. */
const struct mailbox_node *tree_find_child(const struct mailbox_tree *t,
                                           const struct mailbox_node *parent, const char *display,
                                           size_t len);

#endif
