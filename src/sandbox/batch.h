/*
 * JSON batching (Graph: json-batching): at most 20 requests in one, in waves of those whose
 * dependencies are done.
 */
#ifndef SANDBOX_BATCH_H
#define SANDBOX_BATCH_H

#include "sandbox.h"

#define BATCH_MAX 20

/* Without the lock: waits out the latency once for each wave. The request was admitted. */
void batch_handle(struct sandbox *s, struct request *r, struct answer *a, uint64_t journal_n);

#endif
