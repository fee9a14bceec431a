/*
 * Many messages, a request or a few in a row for each, four always in flight: what STORE, EXPUNGE,
 * COPY and MOVE have in common. All on the caller's thread.
 */
#ifndef POSTERN_MAILBOX_ABREAST_H
#define POSTERN_MAILBOX_ABREAST_H

#include "postern/graph/client.h"

struct abreast {
    unsigned lanes; /* so many in flight; 0: as many as a mailbox may have */
    /* Begins with an item: its first call, or NULL if it is settled without any. */
    struct graph_call *(*start)(void *arg, size_t index);
    /* The item's call has ended; the runner frees it. The item's next call, or NULL: it is settled.
     */
    struct graph_call *(*next)(void *arg, size_t index, struct graph_call *ended);
    /* A wave of items is settled and the next calls are under way: time to commit. NULL: nothing.
     */
    void (*wave)(void *arg);
    /* The wait has ended: this item was under way, or never begun. Or Graph failed an item before
     * it for as long as a command may wait, and this one was never begun. */
    void (*abandon)(void *arg, size_t index, const struct error *e);
};

/* Does the error say that Graph did not serve us for as long as a call may wait? The next call
 * would only wait as long again. */
bool abreast_is_outage(const struct error *e);

/* Runs all items, 0 to count - 1, to their end, or until an outage or the end of the wait: false,
 * and the items that are left were abandoned. */
bool abreast_run(const struct abreast *what, void *arg, size_t count, struct wait *w);

#endif
