/*
 * Making views: the first generation from the store, later ones from the one before and what a
 * commit changed. A view is an array of chunks that generations share; an entry takes
 * sizeof(struct mailbox_entry), 80 bytes, and next to nothing beside it.
 *
 * A builder is used by one thread; what it finishes is immutable.
 */
#ifndef POSTERN_MAILBOX_VIEW_BUILD_H
#define POSTERN_MAILBOX_VIEW_BUILD_H

#include "postern/mailbox/view.h"

#define VIEW_CHUNK_MAX 256

struct view_builder;

struct view_builder *view_builder_new(void);
/* Entries come in rising UID order; their keywords may be any copy of the text, or
 * NULL. */
void view_builder_add(struct view_builder *b, const struct mailbox_entry *entry);
/* The view with one reference; frees the builder and clears *b. */
struct mailbox_view *view_builder_finish(struct view_builder **b);

/* One change of a commit: an entry new or replaced, or (`expunged`) gone; only entry.uid is read
 * then. Expunging what is not there changes nothing. */
struct view_change {
    struct mailbox_entry entry;
    bool expunged;
};

/* The next generation; sorts `changes` by UID (one change a UID). `old` is left alone. */
struct mailbox_view *view_apply(const struct mailbox_view *old, struct view_change *changes,
                                size_t count);
/* How many chunks two generations have in common: for the tests. */
size_t view_shared_chunks(const struct mailbox_view *a, const struct mailbox_view *b);

#endif
