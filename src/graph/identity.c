/* On whose behalf Graph is asked, and the token that each has. */
#include "internal.h"
#include "retry.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

/* A token is renewed when so much or less than a third of its life is left. */
#define TOKEN_EARLY_MS ((int64_t)5 * 60 * 1000)
/* What a person must mend is tried again after so long all the same, doubled up to the other. */
#define REFUSAL_MIN_MS ((int64_t)30 * 1000)
#define REFUSAL_MAX_MS ((int64_t)60 * 60 * 1000)
/* Something waits, and what was refused may be another now: so often the disk is looked at. */
#define LOOK_MS 1000
/* Another process renews the same sign-in. */
#define BUSY_MS 100
/* Failures in a row of what mends itself in a minute or so. */
#define TRIES_PATIENT 8
/* A token that a 401 forced and that Graph refuses too is not forced again so soon. */
#define FORCE_AGAIN_MS 30000
/* Entra ID: this program asks too often. */
#define CODE_LOOP "AADSTS50196"

static const char no_bearer[] =
    "Microsoft 365 does not take the access token that the client brought (any more); the client "
    "must get a new one and log in with it";

static void token_drop(struct token *t)
{
    secret_free(t->value);
    t->value = NULL;
}

static void token_forget(struct token *t)
{
    uint64_t generation = t->generation;
    secret_free(t->value);
    secret_free(t->refused);
    free(t->challenge);
    *t = (struct token){.generation = generation};
}

struct graph_identity *identity_get(struct graph_client *c, const struct principal *who)
{
    char *key = principal_key(who);
    for (struct graph_identity *i = c->identities; i; i = i->next) {
        if (strcmp(i->key, key) == 0) {
            free(key);
            return i;
        }
    }
    struct graph_identity *i = xcalloc(1, sizeof *i);
    i->tenant = tenant_get(c, who->tenant);
    i->key = key;
    i->subject = xstrdup_null(who->subject);
    i->account = who->subject ? NULL : xstrdup_null(who->account);
    if (i->subject) {
        i->token.final = true;
        error_set(&i->token.error, ERROR_SIGN_IN, "%s", no_bearer);
        error_advise(&i->token.error, "%s", no_bearer);
    }
    i->next = c->identities;
    c->identities = i;
    return i;
}

void identity_bring(struct graph_identity *i, const char *bearer)
{
    struct token *k = &i->token;
    if ((k->value && strcmp(k->value, bearer) == 0) || !oauth_token_is_plain(bearer))
        return;
    token_drop(k);
    k->value = xstrdup(bearer);
    k->born_ms = clock_mono_ms();
    k->expires_ms = CLOCK_NEVER; /* only Graph knows */
    k->generation++;
    k->final = false;
    i->state = GRAPH_IDENTITY_GOOD;
}

void identity_free(struct graph_identity *i)
{
    struct graph_identity **p = &i->tenant->client->identities;
    while (*p != i)
        p = &(*p)->next;
    *p = i->next;
    renewal_free(i->renewal);
    token_forget(&i->token);
    secret_free(i->refresh_token);
    free(i->key);
    free(i->account);
    free(i->subject);
    free(i);
}

void identity_free_all(struct graph_client *c)
{
    while (c->identities)
        identity_free(c->identities);
}

void identity_reconfigure(struct graph_tenant *t, bool changed)
{
    for (struct graph_identity *i = t->client->identities; i; i = i->next) {
        struct token *k = &i->token;
        if (i->tenant != t || i->subject)
            continue;
        if (changed) {
            token_forget(k);
            secret_free(i->refresh_token);
            i->refresh_token = NULL;
        }
        if (changed && i->renewal)
            renewal_outdate(i->renewal);
        /* Somebody mended something, perhaps. */
        if (!k->value)
            k->next_try_ms = k->ask_again_ms = 0;
    }
}

/* --- the token --- */

static bool usable(const struct token *t, int64_t now)
{
    return t->value && now < t->expires_ms;
}

/* From here on it is renewed while it still serves. */
static int64_t renew_at(const struct token *t)
{
    int64_t third = (t->expires_ms - t->born_ms) / 3;
    return t->expires_ms - (third < TOKEN_EARLY_MS ? third : TOKEN_EARLY_MS);
}

static void put_name(const struct graph_identity *i, struct buf *out)
{
    buf_printf(out, "tenant \"%s\"", i->tenant->name);
    if (i->account)
        buf_printf(out, ", account %s", i->account);
}

/* The log hears of each state once, and of another reason for the same one. */
static void enter(struct graph_identity *i, enum graph_identity_state state, const char *old_code)
{
    const struct error *e = &i->token.error;
    struct buf name = BUF_INIT(ERROR_TEXT_MAX);
    put_name(i, &name);
    if (state == GRAPH_IDENTITY_GOOD) {
        if (i->state != GRAPH_IDENTITY_UNUSED && i->state != state)
            log_info("%s: signed in again", buf_str(&name));
    } else if (i->state != state || strcmp(old_code, e->code) != 0) {
        log_error_value(state == GRAPH_IDENTITY_NEEDS_LOGIN ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
                        e, "%s: no token", buf_str(&name));
    } else {
        log_debug("%s: no token again", buf_str(&name));
    }
    i->state = state;
    buf_free(&name);
}

void identity_granted(struct graph_identity *i, const char *access, int64_t lifetime_ms, bool asked)
{
    struct token *k = &i->token;
    bool forced = k->force_next && asked;
    token_forget(k);
    k->value = xstrdup(access);
    k->born_ms = clock_mono_ms();
    k->expires_ms = k->born_ms + lifetime_ms;
    k->generation++;
    k->forced = forced;
    enter(i, GRAPH_IDENTITY_GOOD, "");
    log_debug("tenant \"%s\": a token for %lld s", i->tenant->name,
              (long long)(lifetime_ms / 1000));
}

static int64_t doubled(unsigned failures)
{
    int64_t ms = REFUSAL_MIN_MS;
    for (unsigned n = 1; n < failures && ms < REFUSAL_MAX_MS; n++)
        ms *= 2;
    return ms < REFUSAL_MAX_MS ? ms : REFUSAL_MAX_MS;
}

/* How long the token endpoint is left alone. */
static int64_t rest_ms(const struct token *k, const struct refusal *r)
{
    uint32_t random;
    random_bytes(&random, sizeof random);
    if (k->error.kind == ERROR_SIGN_IN)
        return r->ended || strcmp(k->error.code, CODE_LOOP) == 0 ? REFUSAL_MAX_MS
                                                                 : doubled(k->failures);
    int64_t backoff = retry_backoff_ms(k->failures, random);
    return backoff > r->retry_ms ? backoff : r->retry_ms;
}

void identity_failed(struct graph_identity *i, const struct refusal *r)
{
    struct token *k = &i->token;
    bool person = r->error.kind == ERROR_SIGN_IN;
    unsigned most = r->patient ? TRIES_PATIENT : RETRY_TRIES_UNREACHED;
    char old_code[sizeof k->error.code];
    memcpy(old_code, k->error.code, sizeof old_code);
    int64_t now = clock_mono_ms();
    k->error = r->error;
    k->failures++;
    int64_t rest = rest_ms(k, r);
    /* Who would wait longer than his patience hears of it now. */
    k->final = !r->transient || person || k->failures >= most ||
               rest >= i->tenant->client->settings.patience_ms;
    k->renew = false;
    k->watched = r->watched;
    k->shown = r->shown;
    k->ask_again_ms = r->ended && r->watched ? CLOCK_NEVER : now + rest;
    k->next_try_ms = k->final && k->watched ? now + LOOK_MS : k->ask_again_ms;
    enter(i, person ? GRAPH_IDENTITY_NEEDS_LOGIN : GRAPH_IDENTITY_FAILING, old_code);
}

void identity_unchanged(struct graph_identity *i)
{
    i->token.renew = false;
    i->token.next_try_ms = clock_mono_ms() + LOOK_MS;
}

void identity_postponed(struct graph_identity *i)
{
    i->token.final = false;
    i->token.next_try_ms = clock_mono_ms() + BUSY_MS;
}

bool identity_refused(struct graph_identity *i, uint64_t generation, const char *challenge,
                      int64_t now, struct error *e)
{
    struct token *k = &i->token;
    if (!k->value || k->generation != generation)
        return true;
    if (i->subject) {
        token_drop(k);
        k->final = true;
        error_set(&k->error, ERROR_SIGN_IN, "%s%s", no_bearer,
                  challenge ? " (it lacks claims that Microsoft 365 asks for now)" : "");
        error_advise(&k->error, "%s", no_bearer);
        i->state = GRAPH_IDENTITY_NEEDS_LOGIN;
        *e = k->error;
        return false;
    }
    if (k->forced && !k->proven && now - k->born_ms < FORCE_AGAIN_MS) {
        if (challenge)
            error_prefix(e, "a token with the claims that Graph asked for is refused as well: ");
        return false;
    }
    secret_free(k->refused);
    k->refused = k->value;
    k->value = NULL;
    free(k->challenge);
    k->challenge = xstrdup_null(challenge);
    k->force_next = true;
    return true;
}

void identity_accepted(struct graph_identity *i, uint64_t generation)
{
    if (i->token.generation == generation)
        i->token.proven = true;
}

void identity_renew_early(struct graph_client *c, int64_t now)
{
    for (struct graph_identity *i = c->identities; i; i = i->next) {
        struct token *k = &i->token;
        if (k->value && k->expires_ms - now < (k->expires_ms - k->born_ms) / 3)
            k->renew = true;
    }
}

/* --- what is due --- */

static bool due(const struct graph_identity *i, int64_t now)
{
    const struct token *k = &i->token;
    if (i->subject || i->tenant->gone || i->renewal || now < k->next_try_ms)
        return false;
    return k->renew || (i->sched.waiting && (!usable(k, now) || now >= renew_at(k)));
}

static void fail_item(void *arg, struct sched_item *item)
{
    struct graph_identity *i = arg;
    struct graph_call *call = (struct graph_call *)item;
    if (call->user->identity != i)
        return;
    struct error e = i->token.error;
    if (i->tenant->gone)
        error_set(&e, ERROR_SIGN_IN,
                  "tenant \"%s\" is not in the configuration; add it or change the login",
                  i->tenant->name);
    sched_remove(&call->client->sched, item);
    call_end(call, &e);
}

void identity_step(struct graph_client *c, int64_t now)
{
    for (struct graph_identity *i = c->identities; i; i = i->next) {
        if (i->renewal)
            renewal_step(i->renewal);
        if (due(i, now))
            renewal_start(i);
        i->sched.blocked = i->tenant->gone || !usable(&i->token, now);
        bool hopeless = i->tenant->gone || (!i->renewal && i->token.final);
        if (i->sched.blocked && i->sched.waiting && hopeless)
            sched_each(&c->sched, NULL, fail_item, i);
    }
}

int64_t identity_wake_at(const struct graph_client *c, int64_t now)
{
    int64_t at = CLOCK_NEVER;
    for (const struct graph_identity *i = c->identities; i; i = i->next) {
        const struct token *k = &i->token;
        if (i->tenant->gone || i->renewal || !(i->sched.waiting || k->renew))
            continue;
        if (k->next_try_ms > now && k->next_try_ms < at)
            at = k->next_try_ms;
        if (usable(k, now) && k->expires_ms < at)
            at = k->expires_ms;
    }
    return at;
}

void identity_cut_all(struct graph_client *c)
{
    for (struct graph_identity *i = c->identities; i; i = i->next) {
        if (i->renewal)
            renewal_cut(i->renewal);
    }
}

/* --- what others ask --- */

struct seen {
    char *tenant, *account, *reason;
    struct graph_identity_status status;
};

/* After a new sign-in nothing is wrong until somebody has tried it. */
static enum graph_identity_state state_now(const struct graph_identity *i)
{
    bool forgotten = i->state != GRAPH_IDENTITY_GOOD && i->token.error.kind == ERROR_NONE;
    return forgotten ? GRAPH_IDENTITY_UNUSED : i->state;
}

static void look(const struct graph_identity *i, struct seen *s)
{
    s->tenant = xstrdup(i->tenant->name);
    s->account = xstrdup_null(i->account);
    s->reason = xstrdup(i->state == GRAPH_IDENTITY_GOOD ? "" : i->token.error.text);
    s->status = (struct graph_identity_status){.tenant = s->tenant,
                                               .account = s->account,
                                               .state = state_now(i),
                                               .reason = s->reason,
                                               .token_expires_ms =
                                                   i->token.value ? i->token.expires_ms : 0};
}

void graph_client_each_identity(struct graph_client *client,
                                void (*fn)(void *arg, const struct graph_identity_status *status),
                                void *arg)
{
    struct seen *all = NULL;
    size_t count = 0;
    pthread_mutex_lock(&client->lock);
    for (const struct graph_identity *i = client->identities; i; i = i->next) {
        if (i->subject || i->tenant->gone)
            continue;
        all = xreallocarray(all, count + 1, sizeof *all);
        look(i, &all[count++]);
    }
    pthread_mutex_unlock(&client->lock);
    for (size_t n = 0; n < count; n++) {
        fn(arg, &all[n].status);
        free(all[n].tenant);
        free(all[n].account);
        free(all[n].reason);
    }
    free(all);
}

void graph_client_sign_in_changed(struct graph_client *client, const char *tenant,
                                  const char *account)
{
    const struct principal who = {.tenant = tenant, .account = account};
    char *key = principal_key(&who);
    pthread_mutex_lock(&client->lock);
    for (struct graph_identity *i = client->identities; i; i = i->next) {
        if (strcmp(i->key, key) != 0)
            continue;
        token_forget(&i->token);
        secret_free(i->refresh_token);
        i->refresh_token = NULL;
        if (i->renewal)
            renewal_outdate(i->renewal);
    }
    pthread_mutex_unlock(&client->lock);
    upstream_wake(&client->upstream);
    free(key);
}
