/* The life of a call on the machinery's side: attempt, judgement, another attempt or the end. */
#include "challenge.h"
#include "gate.h"
#include "internal.h"
#include "retry.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

#define URL_MAX ((size_t)32 * 1024)

/* --- bytes of a message --- */

static bool deliver(struct graph_call *call, struct transfer *t, const char *data, size_t len)
{
    call->delivered += len;
    if (call->delivered > call->client->settings.max_message)
        return error_set(&t->fault, ERROR_TOO_BIG, "the message is over the limit of %zu bytes",
                         call->client->settings.max_message);
    if (call->request.sink)
        call_deliver(call, data, len);
    else
        buf_append(&call->body, data, len);
    return true;
}

static bool refuse(struct transfer *t)
{
    return error_set(&t->fault, ERROR_ANSWER,
                     "Graph answered 200 with an error page in place of a message (%s)",
                     t->answer.content_type[0] ? t->answer.content_type : "no content type");
}

/* Holds the first bytes back until the gate is sure of them. */
static bool take_at_gate(struct graph_call *call, struct transfer *t, const char *data, size_t len,
                         bool end)
{
    size_t room = GATE_HEAD_MAX - call->head.len;
    size_t n = len < room ? len : room;
    buf_append(&call->head, data, n);
    enum gate verdict = gate_look(buf_str(&call->head), call->head.len, end);
    if (verdict == GATE_REFUSE)
        return refuse(t);
    if (verdict == GATE_HOLD)
        return true;
    call->passed = true;
    return deliver(call, t, buf_str(&call->head), call->head.len) &&
           (n == len || deliver(call, t, data + n, len - n));
}

static bool take_message(struct transfer *t, const char *data, size_t len)
{
    struct graph_call *call = t->request.owner;
    if (atomic_load(&call->abandoned) || atomic_load(&call->sink_failed))
        return error_set(&t->fault, ERROR_CANCELED, "nobody wants the message any more");
    if (t->answer.status != 200 || !gate_type(&t->answer))
        return refuse(t);
    if (!gate_encoding(&t->answer))
        return error_set(&t->fault, ERROR_ANSWER,
                         "Graph, or a proxy before it, sent a message as %s, which nobody asked "
                         "for; check the proxy",
                         t->answer.encoding);
    return call->passed ? deliver(call, t, data, len) : take_at_gate(call, t, data, len, false);
}

/* --- one attempt --- */

struct verdict {
    bool ok;
    bool final;     /* no repetition mends it */
    bool sent;      /* bytes of the request may have left */
    bool transient; /* for failures without an answer */
    int status;     /* of an answer outside 2xx, else 0 */
    struct error e;
};

static bool check_message(struct graph_call *call, struct transfer *t, struct error *e)
{
    if (t->answer.status == 200 && !call->passed && call->head.len &&
        !take_at_gate(call, t, NULL, 0, true)) {
        *e = t->fault;
        return false;
    }
    if (t->answer.status != 200 || call->delivered == 0)
        return error_set(e, ERROR_ANSWER, "Graph answered %d without a message", t->answer.status);
    return true;
}

static bool check_success(struct graph_call *call, struct transfer *t, struct error *e)
{
    if (call->request.mime)
        return check_message(call, t, e);
    if (t->body.len && !answer_is_json(&t->answer))
        return error_set(e, ERROR_ANSWER,
                         "Graph, or a proxy before it, answered %d with %s, not JSON",
                         t->answer.status,
                         t->answer.content_type[0] ? t->answer.content_type : "no content type");
    return true;
}

/* A bare 404 on /messages/{id} is about the message, on anything else about the folder. */
static enum error_subject subject(const struct graph_call *call)
{
    return call->path && strncmp(call->path, "/messages/", 10) == 0 ? SUBJECT_MESSAGE
                                                                    : SUBJECT_FOLDER;
}

/* The address that a redirect names becomes the answer; nobody follows it here. */
static bool take_address(struct graph_call *call, struct transfer *t, struct error *e)
{
    char *url = NULL;
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url);
    if (!url || !url_is_https(url))
        return error_set(e, ERROR_ANSWER, "Graph answered %d without an https address",
                         t->answer.status);
    return buf_puts(&call->body, url);
}

/* What is denied is mostly the whole mailbox: an application's scope leaves it out, or a person has
 * no right on it. */
static void name_mailbox(const struct graph_call *call, struct error *e)
{
    error_prefix(e, "mailbox %s: ", call->user->mailbox);
    error_advise(e, "Microsoft 365 denies access to mailbox %s; postern doctor tells what to grant",
                 call->user->mailbox);
}

static struct verdict judge(struct graph_call *call, struct transfer *t, CURLcode code)
{
    struct verdict v = {.sent = true};
    int status = t->answer.status;
    if (t->fault.kind) {
        v.final = true;
        v.e = t->fault;
        graph_error_sign(&v.e, &t->answer);
    } else if (call->request.redirect && status >= 300 && status < 400) {
        v.ok = take_address(call, t, &v.e);
        v.final = !v.ok;
    } else if (status >= 300) {
        v.status = status;
        graph_error_classify(&t->answer, subject(call), buf_str(&t->body), t->body.len, &v.e);
        if (v.e.kind == ERROR_DENIED)
            name_mailbox(call, &v.e);
    } else if (code != CURLE_OK) {
        struct transfer_failure f = transfer_explain(t, code, "Graph", &v.e);
        v.sent = f.sent;
        v.transient = f.transient;
        if (status)
            graph_error_sign(&v.e, &t->answer);
    } else {
        v.ok = check_success(call, t, &v.e);
        v.final = !v.ok;
        if (!v.ok)
            graph_error_sign(&v.e, &t->answer);
    }
    return v;
}

/* Empties what the attempt left behind, so that the next one starts clean. */
static void reset_attempt(struct graph_call *call)
{
    if (call->delivered && call->request.sink)
        call_restart(call);
    buf_clear(&call->head);
    buf_clear(&call->body);
    call->passed = false;
    call->delivered = 0;
}

static void again(struct graph_call *call, const struct error *e, int64_t not_before)
{
    struct graph_client *c = call->client;
    log_debug("again: %s", e->text);
    call->last = *e;
    call->item.not_before_ms = not_before;
    call->state = CALL_QUEUED;
    reset_attempt(call);
    atomic_fetch_add(&c->retries, 1);
    sched_put(&c->sched, &call->item);
}

/* Answers to requests that were under way when the mailbox was told to pause say nothing new. */
static void pause_mailbox(struct graph_call *call, int64_t now, int64_t retry_after,
                          uint32_t random)
{
    struct sched_user *u = &call->user->box->sched;
    bool abreast = u->strikes > 0 && call->began_ms <= u->struck_ms;
    if (abreast && retry_after < 0)
        return;
    u->strikes += !abreast;
    u->struck_ms = now;
    sched_pause(u, now + (retry_after >= 0 ? retry_after : retry_backoff_ms(u->strikes, random)));
}

void call_pause_mailbox(struct graph_call *call, int64_t ms)
{
    pthread_mutex_lock(&call->client->lock);
    sched_pause(&call->user->box->sched, clock_mono_ms() + ms);
    atomic_fetch_add(&call->client->throttled, 1);
    pthread_mutex_unlock(&call->client->lock);
    upstream_wake(&call->client->upstream);
}

/* A failed attempt: another one, or the end. */
static void settle_failure(struct graph_call *call, const struct transfer *t,
                           const struct verdict *v)
{
    int64_t now = clock_mono_ms(), retry_after = -1;
    uint32_t random;
    random_bytes(&random, sizeof random);
    if (!retry_after_parse(t->answer.retry_after, clock_wall_ms(), &retry_after))
        retry_after = -1;
    const struct retry_case rc = {.repeat = call->request.repeat,
                                  .status = v->status,
                                  .sent = v->sent,
                                  .transient = v->transient && !v->final,
                                  .retry_after_ms = retry_after,
                                  .tries = call->tries};
    enum retry_verdict verdict = retry_judge(&rc);
    bool throttled = v->status == 429 || v->status == 503;
    if (throttled)
        atomic_fetch_add(&call->client->throttled, 1);
    if (throttled || verdict == RETRY_MAILBOX)
        pause_mailbox(call, now, retry_after, random);
    switch (verdict) {
    case RETRY_UNKNOWN:
        call_end_unknown(call, &v->e);
        break;
    case RETRY_CALL:
        again(call, &v->e, now + retry_backoff_ms(call->tries, random));
        break;
    case RETRY_MAILBOX:
        again(call, &v->e, 0);
        break;
    case RETRY_END:
        call_end(call, &v->e);
        break;
    }
}

static void log_attempt(const struct graph_call *call, const struct answer *a)
{
    static const char *const methods[] = {[GRAPH_GET] = "GET",
                                          [GRAPH_POST] = "POST",
                                          [GRAPH_PATCH] = "PATCH",
                                          [GRAPH_PUT] = "PUT",
                                          [GRAPH_DELETE] = "DELETE"};
    struct buf url = BUF_INIT(URL_MAX);
    /* Such an address is a secret in itself. */
    if (call->upload)
        buf_puts(&url, "(another host)");
    else
        url_put_shown(&url, call->link ? call->link : call->path);
    log_debug("%s %s %d in %lld ms, request-id %s, client-request-id %s",
              methods[call->request.method], buf_str(&url), a->status,
              (long long)(clock_mono_ms() - call->began_ms),
              a->request_id[0] ? a->request_id : "none", a->client_request_id);
    buf_free(&url);
}

/* A pause of the mailbox that began while a connection was being made holds for the request that
 * waited for it. */
static bool may_go(const struct transfer *t)
{
    const struct graph_call *call = t->request.owner;
    pthread_mutex_lock(&call->client->lock);
    bool may = call->user->box->sched.pause_until_ms <= clock_mono_ms();
    pthread_mutex_unlock(&call->client->lock);
    return may;
}

/* The attempt was held back before anything was sent: it does not count. */
static bool put_back(struct graph_call *call, const struct transfer *t)
{
    if (!t->held || t->issued || call->canceled || atomic_load(&call->abandoned))
        return false;
    sched_release(&call->item);
    call->tries--;
    atomic_fetch_sub(&call->client->requests, 1);
    call->state = CALL_QUEUED;
    sched_put(&call->client->sched, &call->item);
    return true;
}

/* Graph refuses the token, perhaps since it wants other claims in it. True: another one may do. */
static bool refused(struct graph_call *call, const struct transfer *t, struct error *e)
{
    struct buf challenge = BUF_INIT(CHALLENGE_MAX);
    bool asked = challenge_find(buf_str(&t->authenticate), &challenge);
    bool again = identity_refused(call->user->identity, call->token_generation,
                                  asked ? buf_str(&challenge) : NULL, clock_mono_ms(), e) &&
                 !call->renewed;
    call->renewed = true;
    buf_free(&challenge);
    return again;
}

static void settle(struct graph_call *call, struct transfer *t, CURLcode code)
{
    struct graph_client *c = call->client;
    struct graph_identity *identity = call->user->identity;
    struct verdict v = judge(call, t, code);
    sched_release(&call->item);
    call->status = t->answer.status;
    log_attempt(call, &t->answer);
    if (t->answer.status && t->answer.status != 401 && !call->upload)
        identity_accepted(identity, call->token_generation);
    if (v.ok) {
        call->user->box->sched.strikes = 0;
        if (!call->request.mime) {
            call->body = t->body;
            buf_init(&t->body, 0);
        }
        call_end(call, NULL);
    } else if (atomic_load(&call->abandoned) || atomic_load(&call->sink_failed)) {
        call_end(call, &v.e);
    } else if (v.status == 401 && !call->upload && refused(call, t, &v.e)) {
        again(call, &v.e, 0);
    } else if (c->canceled && call->request.repeat != GRAPH_REPEAT_NEVER) {
        error_set(&v.e, ERROR_CANCELED, "the service is stopping");
        call_end(call, &v.e);
    } else {
        settle_failure(call, t, &v);
    }
}

static void attempt_ended(struct transfer *t, CURLcode code)
{
    struct graph_call *call = t->request.owner;
    struct graph_client *c = call->client;
    pthread_mutex_lock(&c->lock);
    call->transfer = NULL;
    if (!put_back(call, t))
        settle(call, t, code);
    pthread_mutex_unlock(&c->lock);
    transfer_free(&t);
}

/* --- the start --- */

bool call_check_link(const struct graph_call *call, const char *link, struct error *e)
{
    const struct graph_tenant *t = call->user->tenant;
    struct buf host = BUF_INIT(512);
    bool same = url_same_origin(link, t->graph_url, &host);
    if (!same) {
        error_set(e, ERROR_ANSWER,
                  "Graph gave a link to %s, which is not its own origin %s; it is not followed",
                  host.overflow ? "a long host" : buf_str(&host), t->graph_url);
        log_error_value(LOG_LEVEL_WARNING, e, "link refused");
    }
    buf_free(&host);
    return same;
}

static bool put_url(const struct graph_call *call, struct buf *url, struct error *e)
{
    const struct graph_tenant *t = call->user->tenant;
    if (call->upload) {
        if (!url_is_https(call->upload))
            return error_set(e, ERROR_ANSWER, "Graph gave an address that is no https URL");
        buf_puts(url, call->upload);
    } else if (!call->link) {
        buf_printf(url, "%s/v1.0", t->graph_url);
        if (!call->request.at_root) {
            buf_puts(url, "/users/");
            url_put_segment(url, call->user->mailbox);
        }
        buf_puts(url, call->path);
    } else {
        if (!call_check_link(call, call->link, e)) {
            /* Links are checked when they come, so this one was kept from a time when graph-url
             * was another: as good as expired. */
            error_turn(e, ERROR_RESYNC);
            return false;
        }
        buf_puts(url, call->link);
    }
    return !url->overflow ||
           error_set(e, ERROR_REQUEST, "a request URL is over %zu bytes", URL_MAX);
}

static char *prefer(const struct graph_call *call)
{
    return call->prefer ? xasprintf("%s, %s", GRAPH_PREFER_IMMUTABLE, call->prefer)
                        : xstrdup(GRAPH_PREFER_IMMUTABLE);
}

static bool start_transfer(struct graph_call *call, const char *url, struct error *e)
{
    struct graph_client *c = call->client;
    struct graph_tenant *t = call->user->tenant;
    char *preferred = prefer(call);
    const struct transfer_request r = {
        .method = call->request.method,
        .url = url,
        .body = call->payload,
        .body_len = call->payload_len,
        .content_type = call->payload_type,
        .token = call->upload ? NULL : call->user->identity->token.value,
        .prefer = call->upload ? NULL : preferred,
        .range = call->range,
        .accept = call->request.mime ? "*/*" : "application/json",
        .anchors = t->anchors,
        .timeout_ms = c->settings.request_timeout_ms,
        .max_body = c->settings.max_json,
        .once = call->request.repeat == GRAPH_REPEAT_NEVER,
        .take = call->request.mime ? take_message : NULL,
        .ended = attempt_ended,
        .may_go = may_go,
        .owner = call,
    };
    call->transfer = transfer_new(&r, e);
    free(preferred);
    if (call->transfer && upstream_add(&c->upstream, call->transfer, e))
        return true;
    transfer_free(&call->transfer);
    return false;
}

void call_begin(struct graph_call *call)
{
    struct buf url = BUF_INIT(URL_MAX);
    struct error e = ERROR_INIT;
    call->tries++;
    call->began_ms = clock_mono_ms();
    call->token_generation = call->user->identity->token.generation;
    if (put_url(call, &url, &e) && start_transfer(call, buf_str(&url), &e)) {
        call->state = CALL_RUNNING;
        atomic_fetch_add(&call->client->requests, 1);
    } else {
        sched_release(&call->item);
        call_end(call, &e);
    }
    buf_free(&url);
}
