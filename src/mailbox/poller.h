/*
 * Folders that somebody watches (IDLE), polled in the background: each once in a poll interval
 * however many watch it, sooner right after a change, later while Graph fails or throttles.
 *
 * The polls of one mailbox follow one another on one thread, so that a mailbox that is throttled
 * holds up no other. Threads of their own, so that long first syncs do not either. Any thread.
 */
#ifndef POSTERN_MAILBOX_POLLER_H
#define POSTERN_MAILBOX_POLLER_H

#include <stdbool.h>
#include <stdint.h>

struct mailbox_folder;
struct poller; /* one a registry */

struct poller *poller_new(int64_t interval_ms);
/* Cancels the polls under way; nothing is watched any more by then. */
void poller_free(struct poller **p);
void poller_set_interval(struct poller *p, int64_t interval_ms);
int64_t poller_interval(struct poller *p);
/* Starts the polls that are due; does not wait. To be called about once a second. */
void poller_tick(struct poller *p);

/* One more, one less who watches. A watched folder holds a reference to its account.
 * `read_only`: polls write no mark unless somebody else who watches may. */
void poller_watch(struct poller *p, struct mailbox_folder *f, bool read_only);
void poller_unwatch(struct poller *p, struct mailbox_folder *f);

#endif
