/*
 * A stand-in for mailbox/tree.h: a tree built by the real builder from a table of the test, and a
 * record of what was to be changed.
 */
#ifndef TESTS_IMAP_FAKE_TREE_H
#define TESTS_IMAP_FAKE_TREE_H

#include "postern/mailbox/tree.h"

#define FAKE_FOLDERS_MAX 32

struct fake_folder {
    const char *id, *parent, *name; /* parent NULL: the root */
    enum mailbox_use use;
};

struct fake_tree {
    struct fake_folder folders[FAKE_FOLDERS_MAX];
    const char *subscribed[FAKE_FOLDERS_MAX], *unsubscribed[FAKE_FOLDERS_MAX]; /* sorted */
    struct error error;
    char writes[512]; /* "create A; delete B; " */
    unsigned asked;   /* for the tree */
    size_t asked_status;
    bool sizes;
};

extern struct fake_tree fake_tree;

#endif
