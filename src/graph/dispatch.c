/* The upstream thread: what may start is started, bytes are moved, then it sleeps until there is
 * news. Everything that takes time happens elsewhere. */
#include "internal.h"

#include "postern/base/clock.h"

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Starts and ends what is due; returns when to look again. */
static int64_t step(struct graph_client *c)
{
    struct sched_item *item;
    int64_t now = clock_mono_ms();
    identity_step(c, now);
    exchange_step(c);
    while ((item = sched_expired(&c->sched, now)))
        call_expire((struct graph_call *)item, now);
    while ((item = sched_grant(&c->sched, now)))
        call_begin((struct graph_call *)item);
    call_cut_overdue(c, now);
    int64_t at = earlier(sched_wake_at(&c->sched, now), identity_wake_at(c, now));
    at = earlier(at, call_next_deadline(c));
    return earlier(at, upstream_stall_at(&c->upstream));
}

void *dispatch_main(void *arg)
{
    struct graph_client *c = arg;
    for (;;) {
        pthread_mutex_lock(&c->lock);
        bool stop = c->stopping;
        int64_t wake = stop ? 0 : step(c);
        pthread_mutex_unlock(&c->lock);
        if (stop)
            break;
        upstream_poll(&c->upstream, wake);
        upstream_run(&c->upstream);
    }
    pthread_mutex_lock(&c->lock);
    identity_cut_all(c);
    exchange_cut_all(c);
    call_cut_all(c);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}
