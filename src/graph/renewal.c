/*
 * One attempt of an identity to get a token: what is shown is read from the disk, the token
 * endpoint is asked, what came is written, and only then counts. The disk worker reads and writes,
 * the upstream thread does the rest.
 *
 * A person's stored sign-in is locked from the reading to the end of the writing, so that no other
 * process asks with the same refresh token meanwhile; and the new one is on the disk before
 * anything uses what came with it.
 */
#include "internal.h"
#include "retry.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/file.h"
#include "postern/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A token that another process got is taken over if it still lives so long. */
#define SHARED_LIFE_MS ((int64_t)5 * 60 * 1000)

enum stage {
    STAGE_DISK,   /* the disk worker has it */
    STAGE_READ,   /* and is back from reading */
    STAGE_ASKING, /* the token endpoint is asked */
    STAGE_WRITTEN /* the disk worker is back from writing */
};

enum outcome {
    OUTCOME_GRANTED,
    OUTCOME_SHARED, /* the token of another process */
    OUTCOME_REFUSED,
    OUTCOME_UNCHANGED,
    OUTCOME_POSTPONED,
    OUTCOME_AGAIN /* at once, with another request */
};

struct renewal {
    struct graph_identity *identity;
    struct graph_client *client;
    enum oauth_source source;
    oauth_decode_fn *decode;
    const struct sign_in_vault *vault;
    char *file;
    bool outdated; /* the tenant was set up anew meanwhile */
    bool skip;     /* look only whether the version is another than … */
    uint64_t skip_version;
    enum stage stage;
    /* What the disk worker found: */
    bool busy, unchanged;
    uint64_t version;
    void *hold;
    struct sign_in stored;
    struct buf text; /* of the file; secret */
    struct error disk_error;
    /* The request: */
    bool with_refresh;
    struct oauth_request request;
    struct transfer *flight;
    /* What came of it: */
    enum outcome outcome;
    struct oauth_grant grant;
    struct refusal refusal;
    bool save; /* `stored`, as it is now */
};

/* --- on the disk worker, without the lock; names and key of an identity never change --- */

/* Once the lock is free again the renewal may be gone. */
static void back(struct renewal *r, enum stage stage)
{
    struct graph_client *c = r->client;
    pthread_mutex_lock(&c->lock);
    r->stage = stage;
    pthread_mutex_unlock(&c->lock);
    upstream_wake(&c->upstream);
}

static void read_vault(struct renewal *r)
{
    const struct sign_in_vault *v = r->vault;
    const char *tenant = r->identity->tenant->name, *account = r->identity->account;
    r->version = v ? v->version(v->arg, tenant, account) : 0;
    r->unchanged = r->skip && r->version == r->skip_version;
    if (!r->version || r->unchanged)
        return;
    if (!v->lock(v->arg, tenant, account, &r->hold, &r->disk_error))
        r->busy = r->disk_error.kind == ERROR_NONE;
    else
        v->load(v->arg, tenant, account, &r->stored, &r->disk_error);
}

static uint64_t file_version(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return 0;
    return ((uint64_t)st.st_mtim.tv_sec * 1000000007U + (uint64_t)st.st_mtim.tv_nsec) * 31U +
           (uint64_t)st.st_ino * 7U + (uint64_t)st.st_size + 1;
}

static void read_file(struct renewal *r)
{
    r->version = file_version(r->file);
    r->unchanged = r->skip && r->version == r->skip_version;
    if (r->unchanged || !file_read(r->file, &r->text, &r->disk_error))
        return;
    while (r->text.len && strchr(" \t\r\n", r->text.data[r->text.len - 1]))
        r->text.data[--r->text.len] = '\0';
    if (!r->text.len)
        error_set(&r->disk_error, ERROR_LOCAL, "%s is empty; it must hold the token", r->file);
}

static void read_job(void *arg, const void *data, size_t len)
{
    struct renewal *r = arg;
    (void)data;
    (void)len;
    if (r->source == OAUTH_FROM_VAULT)
        read_vault(r);
    else
        read_file(r);
    back(r, STAGE_READ);
}

static void write_job(void *arg, const void *data, size_t len)
{
    struct renewal *r = arg;
    const struct sign_in_vault *v = r->vault;
    const char *tenant = r->identity->tenant->name, *account = r->identity->account;
    (void)data;
    (void)len;
    error_clear(&r->disk_error);
    if (r->save && v->save(v->arg, tenant, account, &r->stored, &r->disk_error))
        r->version = v->version(v->arg, tenant, account);
    v->unlock(v->arg, &r->hold);
    back(r, STAGE_WRITTEN);
}

/* --- the end, under the lock --- */

static void keep(char **secret, const char *value)
{
    char *copy = xstrdup_null(value);
    secret_free(*secret);
    *secret = copy;
}

/* The newest refresh token is where the next attempt finds it. */
static void keep_refresh_token(struct renewal *r)
{
    struct graph_identity *i = r->identity;
    if (r->source == OAUTH_FROM_MEMORY) {
        if (r->grant.refresh)
            keep(&i->refresh_token, r->grant.refresh);
    } else if (r->save && r->disk_error.kind) {
        log_error_value(LOG_LEVEL_ERROR, &r->disk_error,
                        "tenant \"%s\", account %s: the renewed sign-in is not saved and lives in "
                        "memory only",
                        i->tenant->name, i->account);
        keep(&i->refresh_token, r->stored.refresh_token);
        i->refresh_over = r->version;
    } else {
        keep(&i->refresh_token, NULL);
    }
}

static void tell_identity(struct renewal *r)
{
    struct graph_identity *i = r->identity;
    switch (r->outcome) {
    case OUTCOME_GRANTED:
        keep_refresh_token(r);
        identity_granted(i, r->grant.access, r->grant.lifetime_ms, true);
        break;
    case OUTCOME_SHARED:
        identity_granted(i, r->stored.access_token, r->stored.access_expires_ms - clock_wall_ms(),
                         false);
        break;
    case OUTCOME_REFUSED:
        r->refusal.watched = r->source == OAUTH_FROM_VAULT || r->source == OAUTH_FROM_FILE;
        r->refusal.shown = r->version;
        identity_failed(i, &r->refusal);
        break;
    case OUTCOME_UNCHANGED:
        identity_unchanged(i);
        break;
    case OUTCOME_POSTPONED:
        identity_postponed(i);
        break;
    case OUTCOME_AGAIN:
        break;
    }
}

static void apply(struct renewal *r)
{
    r->identity->renewal = NULL;
    if (r->outdated)
        r->identity->token.next_try_ms = 0;
    else
        tell_identity(r);
    renewal_free(r);
}

/* The sign-in is let go, and written if it is another now. */
static void conclude(struct renewal *r, enum outcome outcome)
{
    r->outcome = outcome;
    if (!r->hold) {
        apply(r);
        return;
    }
    r->stage = STAGE_DISK;
    disk_push(r->client->disk, write_job, r, NULL, 0);
}

static void refuse(struct renewal *r, const struct error *e, bool transient)
{
    r->refusal.error = *e;
    r->refusal.transient = transient;
    conclude(r, OUTCOME_REFUSED);
}

static void put_code(struct error *e, const char *why)
{
    size_t size = strcspn(why, ": ") + 1;
    graph_error_word(e->code, size < sizeof e->code ? size : sizeof e->code, why);
}

/* `why`: Entra ID's word on it, which begins with a code; NULL: there is no sign-in. */
static void need_login(struct renewal *r, const char *why)
{
    const char *account = r->identity->account;
    struct error *e = &r->refusal.error;
    if (why)
        error_set(e, ERROR_SIGN_IN,
                  "%s must sign in to Microsoft 365 again; run: postern login %s (%s)", account,
                  account, why);
    else
        error_set(e, ERROR_SIGN_IN, "%s has not signed in to Microsoft 365; run: postern login %s",
                  account, account);
    error_advise(e, "%s must sign in to Microsoft 365; run: postern login %s", account, account);
    if (why)
        put_code(e, why);
    r->refusal.ended = true;
    conclude(r, OUTCOME_REFUSED);
}

/* --- the answer --- */

static void take_grant(struct renewal *r)
{
    struct sign_in *s = &r->stored;
    int64_t now = clock_wall_ms();
    keep(&s->access_token, r->grant.access);
    s->access_expires_ms = now + r->grant.lifetime_ms;
    if (r->grant.refresh) {
        keep(&s->refresh_token, r->grant.refresh);
        s->renewed_ms = now;
    }
    if (r->grant.scope) {
        free(s->scope);
        s->scope = xstrdup(r->grant.scope);
    }
    r->save = r->hold != NULL;
    conclude(r, OUTCOME_GRANTED);
}

/* What was shown serves no more: the sign-in ends, or the password has its turn. */
static void take_end(struct renewal *r, const struct error *e)
{
    struct sign_in *s = &r->stored;
    if (r->source == OAUTH_FROM_MEMORY && r->with_refresh) {
        keep(&r->identity->refresh_token, NULL);
        conclude(r, OUTCOME_AGAIN);
        return;
    }
    r->refusal.ended = true;
    if (r->source != OAUTH_FROM_VAULT) {
        refuse(r, e, false);
        return;
    }
    keep(&s->refresh_token, NULL);
    keep(&s->access_token, NULL);
    s->access_expires_ms = 0;
    free(s->ended);
    s->ended = xstrdup(r->grant.reason);
    keep(&r->identity->refresh_token, NULL);
    r->save = true;
    need_login(r, s->ended);
}

static void flight_ended(struct transfer *t, CURLcode code)
{
    struct renewal *r = t->request.owner;
    struct graph_client *c = r->client;
    struct error e = ERROR_INIT;
    bool ok = false, transient = true;
    if (t->fault.kind)
        e = t->fault;
    else if (code != CURLE_OK)
        transient = transfer_explain(t, code,
                                     r->request.metadata
                                         ? "this machine's metadata service, which is in Azure only"
                                         : "the sign-in server",
                                     &e)
                        .transient;
    else
        ok = r->decode(&t->answer, buf_str(&t->body), t->body.len, &r->grant, &e);
    retry_after_parse(t->answer.retry_after, clock_wall_ms(), &r->refusal.retry_ms);
    if (r->grant.retry_ms > r->refusal.retry_ms)
        r->refusal.retry_ms = r->grant.retry_ms;
    r->refusal.patient = r->grant.patient;
    pthread_mutex_lock(&c->lock);
    transfer_free(&r->flight);
    if (ok)
        take_grant(r);
    else if (r->grant.ended)
        take_end(r, &e);
    else if (!r->outdated &&
             r->identity->tenant->provider->refused(r->identity->tenant->provider, &r->grant))
        conclude(r, OUTCOME_AGAIN);
    else
        refuse(r, &e, transient);
    pthread_mutex_unlock(&c->lock);
}

/* --- the request --- */

static bool start_flight(struct renewal *r, struct error *e)
{
    const struct transfer_request t = {
        .method = r->request.metadata ? GRAPH_GET : GRAPH_POST,
        .url = r->request.url,
        .body = r->request.metadata ? NULL : buf_str(&r->request.form),
        .body_len = r->request.form.len,
        .content_type = "application/x-www-form-urlencoded",
        .accept = "application/json",
        .metadata = r->request.metadata,
        .anchors = r->identity->tenant->anchors,
        .timeout_ms = r->client->settings.request_timeout_ms,
        .max_body = OAUTH_ANSWER_MAX,
        .ended = flight_ended,
        .owner = r,
    };
    r->flight = transfer_new(&t, e);
    if (r->flight && upstream_add(&r->client->upstream, r->flight, e))
        return true;
    transfer_free(&r->flight);
    return false;
}

static void ask(struct renewal *r, const char *refresh_token)
{
    struct graph_identity *i = r->identity;
    struct oauth_provider *p = i->tenant->provider;
    const struct oauth_ask what = {.account = i->account,
                                   .refresh_token = refresh_token,
                                   .assertion = r->text.len ? buf_str(&r->text) : NULL,
                                   .challenge = i->token.challenge};
    struct error e = ERROR_INIT;
    r->with_refresh = refresh_token != NULL;
    r->decode = p->decode;
    if (!p->request(p, &what, &r->request, &e) || !start_flight(r, &e)) {
        refuse(r, &e, false);
        return;
    }
    r->stage = STAGE_ASKING;
    atomic_fetch_add(&r->client->tokens, 1);
}

/* Has another process got a token that is news to us? */
static bool is_news(const struct renewal *r)
{
    const struct token *k = &r->identity->token;
    const char *access = r->stored.access_token;
    int64_t life = r->stored.access_expires_ms - clock_wall_ms();
    return access && life >= SHARED_LIFE_MS && life <= OAUTH_LIFETIME_MAX_MS && !k->challenge &&
           !(k->value && strcmp(k->value, access) == 0) &&
           !(k->refused && strcmp(k->refused, access) == 0);
}

static void take_stored(struct renewal *r)
{
    const struct graph_identity *i = r->identity;
    const struct sign_in *s = &r->stored;
    bool newer = i->refresh_token && i->refresh_over == r->version;
    if (!newer && s->ended)
        need_login(r, s->ended);
    else if (!newer && !s->refresh_token)
        need_login(r, NULL);
    else if (is_news(r))
        conclude(r, OUTCOME_SHARED);
    else
        ask(r, newer ? i->refresh_token : s->refresh_token);
}

static void take_reading(struct renewal *r)
{
    if (r->outdated)
        conclude(r, OUTCOME_AGAIN);
    else if (r->busy)
        conclude(r, OUTCOME_POSTPONED);
    else if (r->unchanged)
        conclude(r, OUTCOME_UNCHANGED);
    else if (r->disk_error.kind)
        refuse(r, &r->disk_error, false);
    else if (r->source == OAUTH_FROM_VAULT)
        take_stored(r);
    else
        ask(r, NULL);
}

/* --- from outside --- */

void renewal_start(struct graph_identity *i)
{
    const struct token *k = &i->token;
    struct oauth_provider *p = i->tenant->provider;
    struct renewal *r = xcalloc(1, sizeof *r);
    r->identity = i;
    r->client = i->tenant->client;
    r->source = p->source;
    r->vault = r->client->vault;
    r->file = xstrdup_null(p->file);
    r->skip = k->watched && k->final && clock_mono_ms() < k->ask_again_ms;
    r->skip_version = k->shown;
    buf_init(&r->text, OAUTH_TOKEN_MAX);
    i->renewal = r;
    if (p->source == OAUTH_FROM_VAULT || p->source == OAUTH_FROM_FILE) {
        r->stage = STAGE_DISK;
        disk_push(r->client->disk, read_job, r, NULL, 0);
    } else {
        ask(r, i->refresh_token);
    }
}

void renewal_step(struct renewal *r)
{
    if (r->stage == STAGE_READ)
        take_reading(r);
    else if (r->stage == STAGE_WRITTEN)
        apply(r);
}

void renewal_outdate(struct renewal *r)
{
    r->outdated = true;
}

void renewal_cut(struct renewal *r)
{
    if (r->flight)
        upstream_remove(&r->client->upstream, r->flight);
    transfer_free(&r->flight);
}

void renewal_free(struct renewal *r)
{
    if (!r)
        return;
    if (r->hold)
        r->vault->unlock(r->vault->arg, &r->hold);
    free(r->file);
    sign_in_clear(&r->stored);
    buf_free_secret(&r->text);
    oauth_request_free(&r->request);
    oauth_grant_clear(&r->grant);
    free(r);
}
