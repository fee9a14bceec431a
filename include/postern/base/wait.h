/*
 * How a thread waits, and how it is woken.
 *
 * Each thread that waits for work of others has one struct wait. It sleeps in wait_sleep() on
 * three things at once: somebody called wait_notify(), its client's socket broke, its deadline
 * or the stop of the service came. Whoever completes something notifies the waiters that
 * registered with it; the waiter then looks at its own condition again:
 *
 *     lock; register w; unlock;
 *     for (;;) { lock; done = flight->done; unlock; if (done) break;
 *                if (!wait_sleep(w, e)) { lock; unregister w; unlock; return false; } }
 *
 * A notification between the look and the sleep is not lost (an eventfd counts it).
 *
 * The client: a reset connection ends the wait at once. A half-closed one (the peer sent FIN)
 * may be `printf … | nc -N`, which still wants its answer, so the wait goes on for
 * WAIT_HALF_CLOSED_MS and then ends as canceled.
 */
#ifndef POSTERN_BASE_WAIT_H
#define POSTERN_BASE_WAIT_H

#include "postern/base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WAIT_HALF_CLOSED_MS 10000

struct wait {
    int event_fd;
    int client_fd;           /* -1: no client (background, or writes that must run to their end) */
    int64_t deadline_ms;     /* monotonic; CLOCK_NEVER: none */
    int64_t half_closed_ms;  /* private: when FIN was first seen, 0: not yet */
    const atomic_bool *stop; /* NULL, or a flag whose being set cancels (then notify the wait) */
    bool background;         /* hint for the scheduler: work that nobody waits for */
    /* Called about once a second while the wait lasts (IMAP keepalives), NULL: nothing. It may
     * write to the client, and returns false to cancel. */
    bool (*tick)(void *arg);
    void *tick_arg;
};

/* Opens the eventfd; dies only if that cannot be had (see LOCAL in error.h). */
bool wait_init(struct wait *w, struct error *e);
void wait_close(struct wait *w);
/* Any thread. The wait must not have been closed. */
void wait_notify(struct wait *w);
/* Sleeps until notified. True: look at your condition again (a spurious return is allowed).
 * False: `e` says ERROR_CANCELED or ERROR_TIMEOUT. */
bool wait_sleep(struct wait *w, struct error *e);
/* Without sleeping: has the wait ended (client gone, deadline, stop)? */
bool wait_ended(struct wait *w, struct error *e);

/* A set of waiters on one thing, guarded by that thing's own mutex. */
struct wait_list {
    struct wait **items;
    unsigned count;
    unsigned cap;
};

void wait_list_add(struct wait_list *l, struct wait *w);
void wait_list_remove(struct wait_list *l, struct wait *w);
void wait_list_notify_all(struct wait_list *l);
void wait_list_free(struct wait_list *l);

#endif
