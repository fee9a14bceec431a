/* What other threads call. The work itself is done by the upstream thread (dispatch.c). */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/thread.h"

#include <stdlib.h>
#include <string.h>

/* A read that nobody wants any more keeps its slot until Graph has answered, so that we never
 * have more requests at Graph than slots; but not for longer than this. */
#define ABANDONED_MS 2000

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    /* libcurl makes copies of headers and forms, tokens and secrets among them. */
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free, wiping_realloc, strdup, calloc);
}

static bool open_parts(struct graph_client *c, struct error *e)
{
    if (!upstream_open(&c->upstream, e))
        return false;
    c->disk = disk_start(e);
    if (c->disk && thread_start(&c->thread, "upstream", THREAD_STACK_WORKER, dispatch_main, c, e))
        return true;
    disk_stop(&c->disk);
    upstream_close(&c->upstream);
    return false;
}

static void release(struct graph_client *c)
{
    user_free_all(c);
    identity_free_all(c);
    tenant_free_all(c);
    pthread_cond_destroy(&c->callback_left);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

struct graph_client *graph_client_start(const struct graph_settings *settings, struct error *e)
{
    pthread_once(&curl_once, start_curl);
    struct graph_client *c = xcalloc(1, sizeof *c);
    c->settings = *settings;
    c->users = table_new();
    c->boxes = table_new();
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->callback_left, NULL);
    if (open_parts(c, e))
        return c;
    release(c);
    return NULL;
}

void graph_client_stop(struct graph_client **client)
{
    struct graph_client *c = *client;
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_mutex_unlock(&c->lock);
    upstream_wake(&c->upstream);
    pthread_join(c->thread, NULL);
    disk_stop(&c->disk);
    upstream_close(&c->upstream);
    release(c);
    *client = NULL;
}

bool graph_client_configure(struct graph_client *client, const struct config *config,
                            struct error *e)
{
    bool ok = tenant_configure(client, config, e);
    upstream_wake(&client->upstream);
    return ok;
}

void graph_client_set_vault(struct graph_client *client, const struct sign_in_vault *vault)
{
    client->vault = vault;
}

void graph_client_cancel_all(struct graph_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->canceled = true;
    call_cancel_all(client);
    pthread_mutex_unlock(&client->lock);
    upstream_wake(&client->upstream);
}

void graph_client_renew_tokens(struct graph_client *client)
{
    pthread_mutex_lock(&client->lock);
    identity_renew_early(client, clock_mono_ms());
    pthread_mutex_unlock(&client->lock);
    upstream_wake(&client->upstream);
}

void graph_client_counters(struct graph_client *client, struct graph_counters *out)
{
    out->requests = atomic_load(&client->requests);
    out->tokens = atomic_load(&client->tokens);
    out->throttled = atomic_load(&client->throttled);
    out->retries = atomic_load(&client->retries);
}

static void take_payload(struct graph_call *call, const struct graph_request *request)
{
    const void *data = request->json ? request->json : request->data;
    if (!data)
        return;
    call->payload_len = request->json ? strlen(request->json) : request->data_len;
    call->payload = xmalloc(call->payload_len + 1);
    memcpy(call->payload, data, call->payload_len);
    call->payload_type = xstrdup(request->json ? "application/json" : request->data_type);
}

static struct graph_call *new_call(struct graph_user *u, const struct graph_request *request)
{
    struct graph_client *c = u->client;
    struct graph_call *call = xcalloc(1, sizeof *call);
    call->client = c;
    call->user = u;
    call->request = *request;
    call->path = xstrdup_null(request->path);
    call->link = xstrdup_null(request->link);
    call->upload = xstrdup_null(request->upload);
    call->range = xstrdup_null(request->range);
    take_payload(call, request);
    call->prefer = xstrdup_null(request->prefer);
    if (request->sink) {
        call->sink = *request->sink;
        call->request.sink = &call->sink;
    }
    buf_init(&call->body, c->settings.max_message);
    buf_init(&call->head, GATE_HEAD_MAX);
    call->item = (struct sched_item){
        .user = &u->box->sched,
        .identity = &u->identity->sched,
        .fair_key = request->fair_key,
        .background = request->background,
        .slots = request->slots,
        .deadline_ms = clock_mono_ms() +
                       (request->background ? c->settings.background_ms : c->settings.patience_ms)};
    call->refs = 2;
    return call;
}

struct graph_call *graph_call_start(struct graph_user *u, const struct graph_request *request)
{
    struct graph_client *c = u->client;
    struct graph_call *call = new_call(u, request);
    pthread_mutex_lock(&c->lock);
    u->refs++;
    call->next = c->calls;
    if (c->calls)
        c->calls->prev = call;
    c->calls = call;
    if (c->canceled)
        call_refuse(call, "the service is stopping");
    else
        sched_put(&c->sched, &call->item);
    pthread_mutex_unlock(&c->lock);
    upstream_wake(&c->upstream);
    return call;
}

static bool outcome(const struct graph_call *call, struct error *e)
{
    *e = call->outcome;
    return e->kind == ERROR_NONE;
}

bool graph_call_wait(struct graph_call *call, struct wait *w, struct error *e)
{
    return graph_call_wait_any(&call, 1, w, e) && graph_call_outcome(call, e);
}

static bool any_ended(struct graph_call *const *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (calls[i] && calls[i]->state == CALL_ENDED)
            return true;
    }
    return false;
}

bool graph_call_wait_any(struct graph_call *const *calls, size_t count, struct wait *w,
                         struct error *e)
{
    struct graph_client *c = NULL;
    for (size_t i = 0; i < count && !c; i++)
        c = calls[i] ? calls[i]->client : NULL;
    if (!c)
        return error_set(e, ERROR_LOCAL, "there is no call to wait for");
    bool ok = true;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < count; i++) {
        if (calls[i])
            wait_list_add(&calls[i]->waiters, w);
    }
    while (ok && !any_ended(calls, count)) {
        pthread_mutex_unlock(&c->lock);
        ok = wait_sleep(w, e);
        pthread_mutex_lock(&c->lock);
    }
    for (size_t i = 0; i < count; i++) {
        if (calls[i])
            wait_list_remove(&calls[i]->waiters, w);
    }
    pthread_mutex_unlock(&c->lock);
    return ok;
}

void graph_call_promote(struct graph_call *call)
{
    pthread_mutex_lock(&call->client->lock);
    call->item.background = false;
    pthread_mutex_unlock(&call->client->lock);
    upstream_wake(&call->client->upstream);
}

bool graph_call_ended(struct graph_call *call)
{
    pthread_mutex_lock(&call->client->lock);
    bool ended = call->state == CALL_ENDED;
    pthread_mutex_unlock(&call->client->lock);
    return ended;
}

bool graph_call_outcome(struct graph_call *call, struct error *e)
{
    pthread_mutex_lock(&call->client->lock);
    bool ok = outcome(call, e);
    pthread_mutex_unlock(&call->client->lock);
    return ok;
}

int graph_call_status(const struct graph_call *call)
{
    return call->status;
}

const struct buf *graph_call_body(const struct graph_call *call)
{
    return &call->body;
}

void graph_call_free(struct graph_call **call)
{
    struct graph_call *k = *call;
    if (!k)
        return;
    struct graph_client *c = k->client;
    int64_t soon = clock_mono_ms() + ABANDONED_MS;
    pthread_mutex_lock(&c->lock);
    atomic_store(&k->abandoned, true);
    while (k->in_callback && !disk_is_worker(c->disk))
        pthread_cond_wait(&c->callback_left, &c->lock);
    if (k->state == CALL_QUEUED) {
        sched_remove(&c->sched, &k->item);
        call_refuse(k, "nobody waits for the answer any more");
    } else if (k->state == CALL_RUNNING && k->request.method == GRAPH_GET &&
               k->item.deadline_ms > soon) {
        k->item.deadline_ms = soon;
    }
    call_unref(k);
    pthread_mutex_unlock(&c->lock);
    upstream_wake(&c->upstream);
    *call = NULL;
}
