/*
 * Writes to the folders of a mailbox, each run to a settled end: an answer that was lost is found
 * out by looking, before anything is repeated. They change nothing of the kept tree. The wait must
 * have client_fd -1.
 */
#ifndef POSTERN_MAILBOX_TREE_WRITE_H
#define POSTERN_MAILBOX_TREE_WRITE_H

#include "tree_keep.h"

/* `parent_id` NULL: at the top. *id is the caller's to free. ERROR_EXISTS. */
bool write_create(struct mailbox_account *a, const char *parent_id, const char *name, char **id,
                  struct wait *w, struct error *e);
bool write_rename(struct mailbox_account *a, const char *id, const char *name, struct wait *w,
                  struct error *e);
bool write_move(struct mailbox_account *a, const char *id, const char *parent_id, struct wait *w,
                struct error *e);
/* `permanent`: past recovery, otherwise what DELETE does. One that is gone is no error. */
bool write_delete(struct mailbox_account *a, const char *id, bool permanent, struct wait *w,
                  struct error *e);

/* The child of this display name (in any case, as Exchange compares): 1 and *id, the caller's to
 * free; 0: there is none; -1: error. */
int find_child(struct mailbox_account *a, const char *parent_id, const char *name, char **id,
               struct wait *w, struct error *e);
/* Visits the children that Graph lists now. */
bool each_child(struct mailbox_account *a, const char *parent_id,
                void (*fn)(void *arg, const struct graph_folder *child), void *arg, struct wait *w,
                struct error *e);

/* ---- paths.c: names that need not exist ---- */

/* A name taken apart into display names. Lives in the arena. */
struct tree_path {
    const char *name;    /* as IMAP shows it, without a '/' at its end */
    const char **levels; /* below `inbox` or the root */
    size_t count;
    bool inbox; /* INBOX/… */
};
/* ERROR_CANNOT: no folder can have this name. */
bool path_parse(const char *name, struct arena *arena, struct tree_path *out, struct error *e);
/* Makes what is missing of the first `count` levels; *id is the last one's or the root's; the
 * caller frees it. The kept tree learns of each. ERROR_EXISTS only for the last level, with
 * `must_be_new`. */
bool path_make(struct mailbox_account *a, const struct mailbox_tree *t,
               const struct tree_path *path, size_t count, bool must_be_new, char **id,
               struct wait *w, struct error *e);

#endif
