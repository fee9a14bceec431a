/*
 * Several GETs in one request (Graph page: JSON batching). The answers come in any order, each
 * with its own status; a batch that depends is a chain, in which what follows a failure fails
 * with 424. One thread a batch.
 */
#ifndef POSTERN_SRC_GRAPH_BATCH_H
#define POSTERN_SRC_GRAPH_BATCH_H

#include "postern/graph/mail.h"

struct batch;
struct batch_answers;

struct batch *batch_new(struct graph_user *u, bool chained);
/* `path` as in struct graph_request. */
void batch_get(struct batch *b, const char *path);
/* Sends and frees it. */
struct graph_call *batch_start(struct batch **b, struct graph_user *u, struct graph_as as);

/* The answer to a batch, taken apart. NULL: `e`. */
struct batch_answers *batch_read(const char *data, size_t len, struct error *e);
void batch_answers_free(struct batch_answers **answers);
/* The JSON of the item that was entered as the `index`th; good until the next one is asked for.
 * NULL: `e` says why it failed, and *pause_ms how long the mailbox must pause for it (else 0). */
const char *batch_answer(struct batch_answers *answers, size_t index, size_t *len,
                         int64_t *pause_ms, struct error *e);

#endif
