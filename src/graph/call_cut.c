/* Ending calls from outside: deadlines, owners that left, the stop of the service. */
#include "internal.h"

#include "postern/base/clock.h"

/* Bytes in a millisecond: a message that comes more slowly is cut when the patience ends. */
#define MESSAGE_RATE_MIN 8

static void cut(struct graph_call *call, enum error_kind kind, const char *why)
{
    struct transfer *t = call->transfer;
    struct error e = ERROR_INIT;
    error_set(&e, kind, "%s", why);
    upstream_remove(&call->client->upstream, t);
    sched_release(&call->item);
    call->transfer = NULL;
    if (call->request.repeat == GRAPH_REPEAT_NEVER)
        call_end_unknown(call, &e);
    else
        call_end(call, &e);
    transfer_free(&t);
}

/* An attempt that began in time may run to its own timeout, and a large message on a slow line may
 * take longer still, as long as it comes. */
static int64_t cut_at(const struct graph_call *call)
{
    int64_t at = call->item.deadline_ms;
    int64_t attempt = call->began_ms + call->client->settings.request_timeout_ms;
    if (call->canceled || atomic_load(&call->abandoned))
        return at;
    return (attempt > at ? attempt : at) + (int64_t)(call->delivered / MESSAGE_RATE_MIN);
}

void call_cut_overdue(struct graph_client *c, int64_t now)
{
    struct graph_call *next;
    for (struct graph_call *call = c->calls; call; call = next) {
        next = call->next;
        if (call->state != CALL_RUNNING || cut_at(call) > now)
            continue;
        if (call->canceled || atomic_load(&call->abandoned))
            cut(call, ERROR_CANCELED, "nobody waits for the answer any more");
        else
            cut(call, ERROR_TIMEOUT, "Graph did not answer in the time a call may take");
    }
}

int64_t call_next_deadline(const struct graph_client *c)
{
    int64_t at = CLOCK_NEVER;
    for (const struct graph_call *call = c->calls; call; call = call->next) {
        if (call->state == CALL_RUNNING && cut_at(call) < at)
            at = cut_at(call);
    }
    return at;
}

static void cancel_queued(void *arg, struct sched_item *item)
{
    struct graph_client *c = arg;
    sched_remove(&c->sched, item);
    call_refuse((struct graph_call *)item, "the service is stopping");
}

void call_cancel_all(struct graph_client *c)
{
    sched_each(&c->sched, NULL, cancel_queued, c);
    for (struct graph_call *call = c->calls; call; call = call->next) {
        if (call->state != CALL_RUNNING || call->request.method != GRAPH_GET)
            continue;
        call->canceled = true;
        call->item.deadline_ms = 0;
    }
}

void call_cut_all(struct graph_client *c)
{
    struct graph_call *next;
    sched_each(&c->sched, NULL, cancel_queued, c);
    for (struct graph_call *call = c->calls; call; call = next) {
        next = call->next;
        if (call->state == CALL_RUNNING)
            cut(call, ERROR_CANCELED, "the service is stopping");
    }
}
