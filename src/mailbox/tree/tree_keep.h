/*
 * How an account keeps its folder tree: reading it from Graph and from the store, changing it
 * after what we did ourselves, and the ids of well-known folders.
 *
 * One thread at a time has the turn to read or change; it is the one that leads, others wait.
 */
#ifndef POSTERN_MAILBOX_TREE_KEEP_H
#define POSTERN_MAILBOX_TREE_KEEP_H

#include "internal.h"
#include "tree_build.h"

/* The tree as it is kept, without a request; *out NULL: it was never read. False: the store. */
bool tree_kept(struct mailbox_account *a, struct mailbox_tree **out, struct error *e);
/* The present tree: read since this call began. */
struct mailbox_tree *tree_now(struct mailbox_account *a, struct wait *w, struct error *e);
/* Changes rows after Graph confirmed that they changed: commits and publishes. Nothing happens
 * where the tree was never read. */
bool tree_edit(struct mailbox_account *a, void (*change)(void *arg, struct tree_rows *rows),
               void *arg, struct wait *w, struct error *e);

/* A folder has this parent and name now; `parent_id` NULL: it is gone (remove.c). */
bool tree_moved(struct mailbox_account *a, const char *id, const char *parent_id_or_null,
                const char *name, struct wait *w, struct error *e);
/* GETs a folder by id; *arena holds what *g points to. ERROR_FOLDER_GONE (open.c). */
bool tree_ask(struct mailbox_account *a, const char *id, struct arena *arena,
              struct graph_folder *g, struct wait *w, struct error *e);

/* ---- reading.c: from Graph into rows ---- */

struct tree_reading {
    struct mailbox_account *account;
    struct tree_rows *rows;         /* what is known, then what was read */
    char *link;                     /* the delta link; NULL: none */
    bool by_listing;                /* there is no folder delta here, or it leaves folders out */
    bool whole;                     /* all was read, not what changed */
    struct table *seen;             /* ids that this round told of */
    struct tree_rows *twice;        /* told of more than once: what holds is asked for */
    uint64_t round;                 /* number of this one */
    size_t told;                    /* folders that it told of */
    bool tells_total, tells_unread; /* among them one of which only this counter moved */
};
/* Brings `rows` up to date; they are replaced when the tree was read whole. `old` are the rows
 * from before. */
bool tree_read(struct tree_reading *r, const struct tree_rows *old, struct wait *w,
               struct error *e);
/* Tells `fn` of the pages of one list of folders, whose first is asked for already; the call is
 * freed here. Stops when fn returns false, with its error. ERROR_ANSWER: the list has no end. */
bool tree_list_pages(struct mailbox_account *a, struct graph_call *first,
                     bool (*fn)(void *arg, const struct graph_folder_page *page, struct error *e),
                     void *arg, struct wait *w, struct error *e);

/* ---- special.c ---- */

/* What the store remembers; *complete: all of them were asked for. */
bool special_recall(struct mailbox_account *a, struct tree_special *out, bool *complete,
                    struct error *e);
/* Asks Graph for those that are not known; `absent` asks again for those that were not there. */
bool special_ask(struct mailbox_account *a, bool absent, struct wait *w, struct error *e);
void special_clear(struct tree_special *special);

#endif
