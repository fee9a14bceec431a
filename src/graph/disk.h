/*
 * The disk worker: a thread that runs small jobs in the order they were pushed, so that a slow
 * disk never holds the upstream thread up. What waits in it is bounded by the caps of the calls.
 */
#ifndef POSTERN_SRC_GRAPH_DISK_H
#define POSTERN_SRC_GRAPH_DISK_H

#include "postern/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct disk;

typedef void disk_job_fn(void *arg, const void *data, size_t len);

/* NULL: `e` says why there is no thread. */
struct disk *disk_start(struct error *e);
/* Any thread. Copies the data. */
void disk_push(struct disk *d, disk_job_fn *run, void *arg, const void *data, size_t len);
/* Is this the disk worker itself? */
bool disk_is_worker(const struct disk *d);
/* Runs what was pushed to its end, then joins; clears the pointer. */
void disk_stop(struct disk **d);

#endif
