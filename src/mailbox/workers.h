/*
 * A small pool of threads for work that outlives whoever asked for it: first syncs and resyncs.
 * Any thread may call.
 */
#ifndef POSTERN_MAILBOX_WORKERS_H
#define POSTERN_MAILBOX_WORKERS_H

#include "postern/base/wait.h"

struct workers;

/* `wait` belongs to the worker thread; it ends as canceled when the pool stops. */
typedef void workers_fn(void *arg, struct wait *wait);

/* Threads are started when there is work, at most `max`. */
struct workers *workers_new(unsigned max);
/* Cancels what runs, lets what is queued run with a wait that has ended, joins; clears *w. */
void workers_free(struct workers **w);
/* `urgent`: ahead of what is queued. Runs `fn` at once on this thread with an ended wait if no
 * thread can be had. */
void workers_submit(struct workers *w, workers_fn *fn, void *arg, bool urgent);
/* Somebody waits for it now: moves the queued job of this `arg` to the front. */
void workers_promote(struct workers *w, void *arg);

#endif
