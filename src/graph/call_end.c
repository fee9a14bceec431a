/* The end of a call: its sink and its callback on the disk worker, its outcome, its waiters. */
#include "internal.h"

#include "postern/base/alloc.h"

#include <stdlib.h>

/* May the sink or done of this call be called now? Then graph_call_free() waits for us. */
static bool callback_enter(struct graph_call *call)
{
    pthread_mutex_lock(&call->client->lock);
    bool wanted = !atomic_load(&call->abandoned);
    call->in_callback = wanted;
    pthread_mutex_unlock(&call->client->lock);
    return wanted;
}

static void callback_leave(struct graph_call *call)
{
    pthread_mutex_lock(&call->client->lock);
    call->in_callback = false;
    pthread_cond_broadcast(&call->client->callback_left);
    pthread_mutex_unlock(&call->client->lock);
}

static void job_write(void *arg, const void *data, size_t len)
{
    struct graph_call *call = arg;
    if (atomic_load(&call->sink_failed) || !callback_enter(call))
        return;
    if (!call->sink.write(call->sink.arg, data, len, &call->sink_error))
        atomic_store(&call->sink_failed, true);
    callback_leave(call);
}

static void job_restart(void *arg, const void *data, size_t len)
{
    struct graph_call *call = arg;
    (void)data;
    (void)len;
    if (atomic_load(&call->sink_failed) || !callback_enter(call))
        return;
    if (!call->sink.restart(call->sink.arg, &call->sink_error))
        atomic_store(&call->sink_failed, true);
    callback_leave(call);
}

void call_deliver(struct graph_call *call, const void *data, size_t len)
{
    disk_push(call->client->disk, job_write, call, data, len);
}

void call_restart(struct graph_call *call)
{
    disk_push(call->client->disk, job_restart, call, NULL, 0);
}

static void job_end(void *arg, const void *data, size_t len)
{
    struct graph_call *call = arg;
    struct graph_client *c = call->client;
    (void)data;
    (void)len;
    pthread_mutex_lock(&c->lock);
    if (atomic_load(&call->sink_failed))
        call->outcome = call->sink_error;
    call->state = CALL_ENDED;
    pthread_mutex_unlock(&c->lock);
    if (call->request.done && callback_enter(call)) {
        call->request.done(call->request.done_arg, call);
        callback_leave(call);
    }
    pthread_mutex_lock(&c->lock);
    wait_list_notify_all(&call->waiters);
    call_unref(call);
    pthread_mutex_unlock(&c->lock);
}

void call_unref(struct graph_call *call)
{
    if (--call->refs)
        return;
    if (call->prev)
        call->prev->next = call->next;
    else
        call->client->calls = call->next;
    if (call->next)
        call->next->prev = call->prev;
    user_release(call->user);
    free(call->path);
    free(call->link);
    free(call->upload);
    free(call->payload);
    free(call->payload_type);
    free(call->range);
    free(call->prefer);
    buf_free(&call->body);
    buf_free(&call->head);
    wait_list_free(&call->waiters);
    free(call);
}

void call_end(struct graph_call *call, const struct error *e)
{
    error_clear(&call->outcome);
    if (e)
        call->outcome = *e;
    if (call->request.sink || call->request.done) {
        call->state = CALL_ENDING;
        disk_push(call->client->disk, job_end, call, NULL, 0);
        return;
    }
    call->state = CALL_ENDED;
    wait_list_notify_all(&call->waiters);
    call_unref(call);
}

void call_expire(struct graph_call *call, int64_t now)
{
    struct error e = call->last;
    const struct graph_identity *i = call->user->identity;
    if (e.kind == ERROR_NONE && call->user->box->sched.pause_until_ms > now)
        error_set(&e, ERROR_THROTTLED,
                  "Microsoft 365 throttles the mailbox for longer than a call may wait; try later");
    else if (e.kind == ERROR_NONE && i->sched.blocked && i->token.error.kind)
        e = i->token.error;
    else if (e.kind == ERROR_NONE)
        error_set(&e, ERROR_TIMEOUT, "no slot of the mailbox came free in %lld s; try again later",
                  (long long)((call->request.background ? call->client->settings.background_ms
                                                        : call->client->settings.patience_ms) /
                              1000));
    call_end(call, &e);
}

void call_end_unknown(struct graph_call *call, const struct error *cause)
{
    struct error e = *cause;
    error_turn(&e, ERROR_UNKNOWN_WRITE);
    error_prefix(&e, "a change was sent and its answer is lost, so it may have been done: ");
    call_end(call, &e);
}

void call_refuse(struct graph_call *call, const char *why)
{
    struct error e = ERROR_INIT;
    error_set(&e, ERROR_CANCELED, "%s", why);
    call_end(call, &e);
}
