/* Tenants: their settings, trust anchors, and the one token each. */
#include "internal.h"
#include "retry.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/base/file.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

/* A token is renewed when so much or less than a third of its life is left. */
#define TOKEN_EARLY_MS ((int64_t)5 * 60 * 1000)
/* A refusal is remembered for so long, doubled each time up to the other. */
#define REFUSAL_MIN_MS 5000
#define REFUSAL_MAX_MS 60000
/* A token that a 401 forced and that Graph refuses too is not forced again so soon. */
#define FORCE_AGAIN_MS 30000
#define ANCHORS_MAX    ((size_t)4 * 1024 * 1024)

struct graph_tenant *tenant_get(struct graph_client *c, const char *name)
{
    for (struct graph_tenant *t = c->tenants; t; t = t->next) {
        if (strcmp(t->name, name) == 0)
            return t;
    }
    struct graph_tenant *t = xcalloc(1, sizeof *t);
    t->client = c;
    t->name = xstrdup(name);
    t->gone = true;
    t->max_concurrent = 1;
    t->next = c->tenants;
    c->tenants = t;
    return t;
}

static void token_drop(struct token *t)
{
    secret_free(t->value);
    t->value = NULL;
}

/* A digest, so that the secret is not kept twice. */
static char *fingerprint(const struct config_tenant *t, const struct buf *certificate)
{
    uint8_t digest[SHA256_SIZE];
    struct buf all = BUF_INIT(OAUTH_FORM_MAX + ANCHORS_MAX);
    buf_reserve(&all, OAUTH_FORM_MAX);
    buf_printf(&all, "%s\n%s\n%d\n%s\n%s\n%d\n%s\n", t->tenant_id, t->client_id, (int)t->flow,
               t->graph_url, t->login_url, (int)t->assertion,
               t->client_secret ? t->client_secret : "");
    buf_append(&all, buf_str(certificate), certificate->len);
    sha256(buf_str(&all), all.len, digest);
    buf_free_secret(&all);
    char *text = xmalloc(2 * SHA256_SIZE + 1);
    hex_encode(digest, SHA256_SIZE, text);
    return text;
}

/* Where libcurl was told at its build to find the system's anchors. */
static bool read_system_anchors(struct buf *out, struct error *e)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    return !v->cainfo || file_read(v->cainfo, out, e);
}

/* The system's anchors and the tenant's file in one PEM text. False: `e` names the file. */
static bool read_anchors(const char *ca_file, struct buf *out, struct error *e)
{
    struct error ignored = ERROR_INIT;
    struct buf own = BUF_INIT(ANCHORS_MAX);
    if (!file_read(ca_file, &own, e)) {
        buf_free(&own);
        return false;
    }
    bool ok = strstr(buf_str(&own), "-----BEGIN CERTIFICATE-----") != NULL;
    if (!ok)
        error_set(e, ERROR_SIGN_IN, "%s: no certificate in PEM form; ca-file must hold one",
                  ca_file);
    /* A machine without its own anchors can still trust the file. */
    if (ok && !read_system_anchors(out, &ignored))
        log_error_value(LOG_LEVEL_WARNING, &ignored, "trust anchors of the system");
    ok = ok && buf_putc(out, '\n') && buf_append(out, own.data, own.len);
    buf_free(&own);
    return ok;
}

/* The shared copy of a PEM text; takes `pem` over. */
static const struct anchors *intern_anchors(struct graph_client *c, struct buf *pem)
{
    for (size_t i = 0; i < c->anchors_count; i++) {
        struct anchors *a = c->anchors[i];
        if (a->pem.len == pem->len && memcmp(buf_str(&a->pem), buf_str(pem), pem->len) == 0) {
            buf_free(pem);
            return a;
        }
    }
    struct anchors *a = xcalloc(1, sizeof *a);
    a->pem = *pem;
    c->anchors = xreallocarray(c->anchors, c->anchors_count + 1, sizeof(struct anchors *));
    c->anchors[c->anchors_count++] = a;
    return a;
}

/* What a tenant's files hold, read before anything is changed. */
struct prepared {
    struct oauth_provider *provider;
    char *fingerprint;
    struct buf pem;
};

static bool prepare(const struct config_tenant *t, struct prepared *p, struct error *e)
{
    struct buf certificate = BUF_INIT(ANCHORS_MAX);
    buf_init(&p->pem, 2 * ANCHORS_MAX);
    if (t->flow != FLOW_CLIENT_CREDENTIALS)
        return error_set(e, ERROR_SIGN_IN,
                         "tenant \"%s\": this flow is not supported; use flow = client-credentials",
                         t->name);
    if (t->ca_file && *t->ca_file && !read_anchors(t->ca_file, &p->pem, e))
        return error_prefix(e, "tenant \"%s\": ", t->name);
    p->provider = oauth_client_credentials_new(t, e);
    if (!p->provider)
        return false;
    bool ok = t->client_secret || file_read(t->certificate, &certificate, e);
    if (ok)
        p->fingerprint = fingerprint(t, &certificate);
    buf_free(&certificate);
    return ok;
}

static void discard(struct prepared *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (p[i].provider)
            p[i].provider->free(p[i].provider);
        free(p[i].fingerprint);
        buf_free(&p[i].pem);
    }
    free(p);
}

static void forget_sign_in(struct graph_tenant *t)
{
    token_drop(&t->token);
    t->token.stale = t->token.flight != NULL;
    t->token.failures = 0;
    t->token.final = false;
    t->token.next_try_ms = 0;
    error_clear(&t->token.error);
}

static void adopt(struct graph_tenant *t, const struct config_tenant *from, struct prepared *p)
{
    if (!t->fingerprint || strcmp(t->fingerprint, p->fingerprint) != 0)
        forget_sign_in(t);
    else if (!t->token.value)
        t->token.next_try_ms = 0; /* somebody mended something: look again at once */
    free(t->fingerprint);
    t->fingerprint = p->fingerprint;
    if (t->provider)
        t->provider->free(t->provider);
    t->provider = p->provider;
    free(t->graph_url);
    t->graph_url = xstrdup(from->graph_url);
    t->anchors = intern_anchors(t->client, &p->pem);
    t->max_concurrent = from->max_concurrent ? from->max_concurrent : 1;
    t->sched.max = from->max_concurrent_app;
    t->gone = false;
    memset(p, 0, sizeof *p);
}

static bool resize_user(void *arg, const char *key, void *value)
{
    struct graph_user *u = value;
    (void)arg;
    (void)key;
    u->sched.max = u->tenant->max_concurrent;
    return true;
}

bool tenant_configure(struct graph_client *c, const struct config *config, struct error *e)
{
    struct prepared *p = xcalloc(config->tenant_count, sizeof *p);
    for (size_t i = 0; i < config->tenant_count; i++) {
        if (!prepare(&config->tenants[i], &p[i], e)) {
            discard(p, i + 1);
            return false;
        }
    }
    pthread_mutex_lock(&c->lock);
    for (struct graph_tenant *t = c->tenants; t; t = t->next)
        t->gone = true;
    for (size_t i = 0; i < config->tenant_count; i++)
        adopt(tenant_get(c, config->tenants[i].name), &config->tenants[i], &p[i]);
    for (struct graph_tenant *t = c->tenants; t; t = t->next) {
        if (t->gone)
            forget_sign_in(t);
    }
    table_each(c->users, resize_user, NULL);
    pthread_mutex_unlock(&c->lock);
    discard(p, config->tenant_count);
    return true;
}

void tenant_free_all(struct graph_client *c)
{
    struct graph_tenant *next;
    for (struct graph_tenant *t = c->tenants; t; t = next) {
        next = t->next;
        if (t->provider)
            t->provider->free(t->provider);
        token_drop(&t->token);
        free(t->fingerprint);
        free(t->graph_url);
        free(t->name);
        free(t);
    }
    for (size_t i = 0; i < c->anchors_count; i++) {
        buf_free(&c->anchors[i]->pem);
        free(c->anchors[i]);
    }
    free(c->anchors);
    c->tenants = NULL;
}

static bool token_usable(const struct token *t, int64_t now)
{
    return t->value && now < t->expires_ms;
}

/* From here on it is renewed while it still serves. */
static int64_t token_renew_at(const struct token *t)
{
    int64_t third = (t->expires_ms - t->born_ms) / 3;
    return t->expires_ms - (third < TOKEN_EARLY_MS ? third : TOKEN_EARLY_MS);
}

static void fail_item(void *arg, struct sched_item *item)
{
    struct graph_tenant *t = arg;
    struct graph_call *call = (struct graph_call *)item;
    if (call->user->tenant != t)
        return;
    struct error e = t->token.error;
    if (t->gone)
        error_set(&e, ERROR_SIGN_IN,
                  "tenant \"%s\" is not in the configuration; add it or change the login", t->name);
    sched_remove(&t->client->sched, item);
    call_end(call, &e);
}

static int64_t refusal_ms(const struct token *t, int64_t retry_after_ms)
{
    uint32_t random;
    random_bytes(&random, sizeof random);
    if (t->error.kind != ERROR_SIGN_IN) {
        int64_t backoff = retry_backoff_ms(t->failures, random);
        return backoff > retry_after_ms ? backoff : retry_after_ms;
    }
    int64_t ms = REFUSAL_MIN_MS;
    for (unsigned i = 1; i < t->failures && ms < REFUSAL_MAX_MS; i++)
        ms *= 2;
    return ms < REFUSAL_MAX_MS ? ms : REFUSAL_MAX_MS;
}

static void token_failed(struct graph_tenant *t, const struct error *e, bool transient,
                         int64_t retry_after_ms)
{
    struct token *k = &t->token;
    k->error = *e;
    k->failures++;
    k->final = !transient || e->kind == ERROR_SIGN_IN || k->failures >= RETRY_TRIES_UNREACHED;
    k->renew = false;
    k->next_try_ms = clock_mono_ms() + refusal_ms(k, retry_after_ms);
    log_error_value(k->error.kind == ERROR_SIGN_IN ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, e,
                    "tenant \"%s\": no token (failure %u in a row)", t->name, k->failures);
}

static void token_granted(struct graph_tenant *t, struct oauth_token *granted)
{
    struct token *k = &t->token;
    token_drop(k);
    k->value = granted->access;
    k->born_ms = clock_mono_ms();
    k->expires_ms = k->born_ms + granted->lifetime_ms;
    k->generation++;
    k->forced = k->force_next;
    k->force_next = k->proven = k->renew = false;
    k->failures = 0;
    k->final = false;
    error_clear(&k->error);
    log_debug("tenant \"%s\": a token for %lld s", t->name,
              (long long)(granted->lifetime_ms / 1000));
}

static void flight_free(struct token *k)
{
    transfer_free(&k->flight);
    oauth_request_free(&k->request);
}

static void flight_ended(struct transfer *tr, CURLcode code)
{
    struct graph_tenant *t = tr->request.owner;
    struct oauth_token granted = {0};
    struct error e = ERROR_INIT;
    int64_t retry_after = 0;
    bool ok = false, transient = true;
    if (tr->fault.kind)
        e = tr->fault;
    else if (code != CURLE_OK)
        transient = transfer_explain(tr, code, "the sign-in server", &e).transient;
    else
        ok = oauth_token_decode(&tr->answer, buf_str(&tr->body), tr->body.len, &granted, &e);
    retry_after_parse(tr->answer.retry_after, clock_wall_ms(), &retry_after);
    pthread_mutex_lock(&t->client->lock);
    if (t->token.stale)
        secret_free(granted.access);
    else if (ok)
        token_granted(t, &granted);
    else if (!t->provider->refused(t->provider, &e))
        token_failed(t, &e, transient, retry_after);
    t->token.stale = false;
    flight_free(&t->token);
    pthread_mutex_unlock(&t->client->lock);
}

static void flight_start(struct graph_tenant *t)
{
    struct token *k = &t->token;
    struct error e = ERROR_INIT;
    bool ok = t->provider->request(t->provider, &k->request, &e);
    if (ok) {
        const struct transfer_request r = {
            .method = GRAPH_POST,
            .url = k->request.url,
            .body = buf_str(&k->request.form),
            .body_len = k->request.form.len,
            .content_type = "application/x-www-form-urlencoded",
            .accept = "application/json",
            .anchors = t->anchors,
            .timeout_ms = t->client->settings.request_timeout_ms,
            .max_body = OAUTH_ANSWER_MAX,
            .ended = flight_ended,
            .owner = t,
        };
        k->flight = transfer_new(&r, &e);
        ok = k->flight && upstream_add(&t->client->upstream, k->flight, &e);
    }
    if (!ok) {
        flight_free(k);
        token_failed(t, &e, false, 0);
        return;
    }
    atomic_fetch_add(&t->client->tokens, 1);
}

static bool flight_due(const struct graph_tenant *t, int64_t now)
{
    const struct token *k = &t->token;
    if (t->gone || k->flight || now < k->next_try_ms)
        return false;
    return k->renew || (t->sched.waiting && (!token_usable(k, now) || now >= token_renew_at(k)));
}

void tenant_step(struct graph_client *c, int64_t now)
{
    for (struct graph_tenant *t = c->tenants; t; t = t->next) {
        if (flight_due(t, now))
            flight_start(t);
        t->sched.blocked = t->gone || !token_usable(&t->token, now);
        bool hopeless = t->gone || (!t->token.flight && t->token.final);
        if (t->sched.blocked && t->sched.waiting && hopeless)
            sched_each(&c->sched, NULL, fail_item, t);
    }
}

int64_t tenant_wake_at(const struct graph_client *c, int64_t now)
{
    int64_t at = CLOCK_NEVER;
    for (const struct graph_tenant *t = c->tenants; t; t = t->next) {
        const struct token *k = &t->token;
        if (t->gone || k->flight || !(t->sched.waiting || k->renew))
            continue;
        if (k->next_try_ms > now && k->next_try_ms < at)
            at = k->next_try_ms;
        if (token_usable(k, now) && k->expires_ms < at)
            at = k->expires_ms;
    }
    return at;
}

bool tenant_token_refused(struct graph_tenant *t, uint64_t generation, int64_t now)
{
    struct token *k = &t->token;
    if (!k->value || k->generation != generation)
        return true;
    if (k->forced && !k->proven && now - k->born_ms < FORCE_AGAIN_MS)
        return false;
    token_drop(k);
    k->force_next = true;
    return true;
}

void tenant_token_accepted(struct graph_tenant *t, uint64_t generation)
{
    if (t->token.generation == generation)
        t->token.proven = true;
}

void tenant_renew_early(struct graph_client *c, int64_t now)
{
    for (struct graph_tenant *t = c->tenants; t; t = t->next) {
        struct token *k = &t->token;
        if (k->value && k->expires_ms - now < (k->expires_ms - k->born_ms) / 3)
            k->renew = true;
    }
}

void tenant_cut_all(struct graph_client *c)
{
    for (struct graph_tenant *t = c->tenants; t; t = t->next) {
        if (t->token.flight)
            upstream_remove(&c->upstream, t->token.flight);
        flight_free(&t->token);
    }
}
