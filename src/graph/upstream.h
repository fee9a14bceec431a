/*
 * The CURLM and what is on it. One thread owns an upstream; only upstream_wake() may be called
 * from others. Connections are kept and shared; HTTP/2 multiplexes.
 */
#ifndef POSTERN_SRC_GRAPH_UPSTREAM_H
#define POSTERN_SRC_GRAPH_UPSTREAM_H

#include "transfer.h"

struct upstream {
    CURLM *multi;
    struct transfer *first;
};

bool upstream_open(struct upstream *u, struct error *e);
/* Every transfer must have been removed. */
void upstream_close(struct upstream *u);
/* Starts it; its `ended` is called once from upstream_run(), unless it is removed before. */
bool upstream_add(struct upstream *u, struct transfer *t, struct error *e);
/* Takes it off without `ended`; HTTP/2 resets its stream, HTTP/1.1 its connection. */
void upstream_remove(struct upstream *u, struct transfer *t);
/* Moves bytes, then calls `ended` (which frees) of what is complete or has stalled. */
void upstream_run(struct upstream *u);
/* When the next transfer will have stalled (monotonic), CLOCK_NEVER: none runs. */
int64_t upstream_stall_at(const struct upstream *u);
/* Sleeps until a socket has news, upstream_wake() was called, or `until_ms` (monotonic). */
void upstream_poll(struct upstream *u, int64_t until_ms);
void upstream_wake(struct upstream *u);

#endif
