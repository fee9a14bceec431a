#include "exchange.h"

#include "internal.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Of the asking thread while it waits, of the upstream thread if that gave up (`abandoned`). */
struct exchange {
    struct graph_client *client;
    const struct graph_tenant *tenant;
    struct oauth_request request;
    char *bearer;
    struct transfer *transfer;
    bool ended, abandoned;
    bool ok;
    struct exchange_answer answer;
    struct error error;
    struct wait_list waiters;
    struct exchange *next;
};

static void exchange_free(struct exchange *x)
{
    oauth_request_free(&x->request);
    secret_free(x->bearer);
    buf_free_secret(&x->answer.body);
    wait_list_free(&x->waiters);
    free(x);
}

static void unlink_exchange(struct exchange *x)
{
    struct exchange **p = &x->client->exchanges;
    while (*p != x)
        p = &(*p)->next;
    *p = x->next;
}

static void end(struct exchange *x)
{
    x->ended = true;
    if (!x->abandoned) {
        wait_list_notify_all(&x->waiters);
        return;
    }
    unlink_exchange(x);
    exchange_free(x);
}

static void transfer_ended(struct transfer *t, CURLcode code)
{
    struct exchange *x = t->request.owner;
    struct graph_client *c = x->client;
    pthread_mutex_lock(&c->lock);
    x->answer.head = t->answer;
    if (t->fault.kind) {
        x->error = t->fault;
    } else if (code != CURLE_OK) {
        transfer_explain(t, code, x->bearer ? "Graph" : "the sign-in server", &x->error);
    } else {
        x->ok = true;
        x->answer.body = t->body;
        buf_init(&t->body, 0);
    }
    transfer_free(&x->transfer);
    end(x);
    pthread_mutex_unlock(&c->lock);
}

static void start(struct exchange *x)
{
    const struct transfer_request r = {
        .method = x->bearer ? GRAPH_GET : GRAPH_POST,
        .url = x->request.url,
        .body = x->bearer ? NULL : buf_str(&x->request.form),
        .body_len = x->request.form.len,
        .content_type = "application/x-www-form-urlencoded",
        .token = x->bearer,
        .accept = "application/json",
        .anchors = x->tenant->anchors,
        .timeout_ms = x->client->settings.request_timeout_ms,
        .max_body = EXCHANGE_ANSWER_MAX,
        .ended = transfer_ended,
        .owner = x,
    };
    x->transfer = transfer_new(&r, &x->error);
    if (x->transfer && upstream_add(&x->client->upstream, x->transfer, &x->error))
        return;
    transfer_free(&x->transfer);
    end(x);
}

void exchange_step(struct graph_client *c)
{
    struct exchange *next;
    for (struct exchange *x = c->exchanges; x; x = next) {
        next = x->next;
        if (x->abandoned) {
            if (x->transfer)
                upstream_remove(&c->upstream, x->transfer);
            transfer_free(&x->transfer);
            end(x);
        } else if (!x->transfer && !x->ended) {
            start(x);
        }
    }
}

void exchange_cut_all(struct graph_client *c)
{
    struct exchange *next;
    for (struct exchange *x = c->exchanges; x; x = next) {
        next = x->next;
        if (x->transfer)
            upstream_remove(&c->upstream, x->transfer);
        transfer_free(&x->transfer);
        error_set(&x->error, ERROR_CANCELED, "the service is stopping");
        end(x);
    }
}

bool exchange_run(struct graph_client *client, const char *tenant, struct oauth_request *request,
                  const char *bearer, struct exchange_answer *out, struct wait *w, struct error *e)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    bool ok = true;
    x->client = client;
    x->request = *request;
    x->bearer = xstrdup_null(bearer);
    memset(request, 0, sizeof *request);
    memset(out, 0, sizeof *out);
    pthread_mutex_lock(&client->lock);
    x->tenant = tenant_get(client, tenant);
    x->next = client->exchanges;
    client->exchanges = x;
    wait_list_add(&x->waiters, w);
    upstream_wake(&client->upstream);
    while (ok && !x->ended) {
        pthread_mutex_unlock(&client->lock);
        ok = wait_sleep(w, e);
        pthread_mutex_lock(&client->lock);
    }
    wait_list_remove(&x->waiters, w);
    if (x->ended) {
        unlink_exchange(x);
        ok = x->ok;
        *e = x->error;
        *out = x->answer;
        buf_init(&x->answer.body, 0);
        exchange_free(x);
    } else {
        x->abandoned = true;
        upstream_wake(&client->upstream);
    }
    pthread_mutex_unlock(&client->lock);
    return ok;
}
