/* How a person signs in. */
#include "postern/graph/sign_in.h"

#include "entra.h"
#include "exchange.h"
#include "internal.h"
#include "json.h"
#include "sign_in_decode.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 8628 section 3.2 and 3.5: what to do where the answer says nothing, and on slow_down. */
#define INTERVAL_MS  5000
#define SLOW_DOWN_MS 5000
/* Limits on what comes from outside. */
#define INTERVAL_MAX_MS ((int64_t)60 * 1000)
#define EXPIRES_MAX_MS  ((int64_t)24 * 3600 * 1000)
#define CODE_MAX        4096
#define MESSAGE_MAX     1000
/* RFC 7636 section 4.1: 32 octets make a verifier of 43 characters. */
#define VERIFIER_OCTETS 32

/* A delegated tenant's provider, with the client's lock held. NULL: `e` says why, not held. */
static struct oauth_provider *provider_lock(struct graph_client *c, const char *tenant,
                                            struct error *e)
{
    pthread_mutex_lock(&c->lock);
    struct graph_tenant *t = tenant_get(c, tenant);
    if (!t->gone && t->delegated)
        return t->provider;
    if (t->gone)
        error_set(e, ERROR_SIGN_IN, "tenant \"%s\" is not in the configuration", tenant);
    else
        error_set(e, ERROR_SIGN_IN,
                  "tenant \"%s\" signs in without a person; flow = device-code and flow = "
                  "authorization-code are those of persons",
                  tenant);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* --- the person that signed in --- */

static bool is_meant(const char *account, const struct oauth_person *p)
{
    return (p->user && strcasecmp(account, p->user) == 0) ||
           (p->object_id && strcasecmp(account, p->object_id) == 0);
}

/* Whoever sits at the browser may have signed in as somebody else. */
static bool check_person(struct graph_client *c, const char *tenant, const char *account,
                         struct oauth_grant *g, struct oauth_person *p, struct wait *w,
                         struct error *e)
{
    oauth_person_decode(g->id_token, p);
    if (!p->user && !graph_bearer_subject(c, tenant, g->access, &p->object_id, &p->user, w, e))
        return error_prefix(e, "cannot tell who signed in: ");
    return is_meant(account, p) ||
           error_set(e, ERROR_SIGN_IN,
                     "%s signed in, but %s was meant; sign that account out in the browser, or "
                     "write the right one into the configuration",
                     p->user ? p->user : "somebody else", account);
}

static bool take_grant(struct graph_client *c, const char *tenant, const char *account,
                       struct oauth_grant *g, struct sign_in *out, struct wait *w, struct error *e)
{
    struct oauth_person person = {0};
    int64_t now = clock_wall_ms();
    bool ok = check_person(c, tenant, account, g, &person, w, e);
    if (ok && !g->refresh)
        ok = error_set(e, ERROR_SIGN_IN,
                       "the sign-in brought no refresh token: allow offline_access to the app");
    if (ok) {
        *out = (struct sign_in){.refresh_token = g->refresh,
                                .access_token = g->access,
                                .access_expires_ms = now + g->lifetime_ms,
                                .scope = g->scope,
                                .user = person.user,
                                .since_ms = now,
                                .renewed_ms = now};
        g->refresh = g->access = g->scope = person.user = NULL;
    }
    oauth_person_clear(&person);
    return ok;
}

/* --- device code --- */

/* What is shown in a terminal keeps to letters, digits, spaces and punctuation. */
static char *shown(const char *text, size_t max)
{
    char *copy = xstrndup(text ? text : "", max);
    for (char *p = copy; *p; p++) {
        unsigned char ch = (unsigned char)*p;
        if (ch < 0x20 || ch == 0x7f)
            *p = ' ';
    }
    return copy;
}

static int64_t bounded(int64_t seconds, int64_t max_ms)
{
    return seconds < 1 ? 1000 : seconds > max_ms / 1000 ? max_ms : seconds * 1000;
}

static bool plain_code(const char *code)
{
    size_t n = 0;
    for (; code && code[n]; n++) {
        if (code[n] <= ' ' || code[n] >= 0x7f || n >= CODE_MAX)
            return false;
    }
    return n > 0;
}

bool sign_in_device_decode(const char *body, size_t len, struct graph_device_code *out,
                           struct error *e)
{
    int64_t expires, interval;
    bool has_expires = false, has_interval = false;
    memset(out, 0, sizeof *out);
    struct json_object *root = json_read(body, len, e);
    const char *device = json_peek_string(root, "device_code");
    const char *user = json_peek_string(root, "user_code");
    const char *url = json_peek_string(root, "verification_uri");
    if (!url)
        url = json_peek_string(root, "verification_url"); /* as older endpoints spell it */
    bool ok = root && json_get_int(root, "expires_in", &expires, &has_expires, e) &&
              json_get_int(root, "interval", &interval, &has_interval, e);
    if (ok && (!plain_code(device) || !plain_code(user) || !has_expires))
        ok = error_set(e, ERROR_ANSWER, "the sign-in server's answer holds no usable device code");
    if (ok && (!url || !url_is_https(url)))
        ok = error_set(e, ERROR_ANSWER,
                       "the sign-in server's answer names no https address to go to");
    if (ok) {
        *out = (struct graph_device_code){
            .user_code = xstrdup(user),
            .verification_url = xstrdup(url),
            .message = shown(json_peek_string(root, "message"), MESSAGE_MAX),
            .device_code = xstrdup(device),
            .interval_ms = has_interval ? bounded(interval, INTERVAL_MAX_MS) : INTERVAL_MS,
            .expires_ms = clock_mono_ms() + bounded(expires, EXPIRES_MAX_MS)};
    }
    json_object_put(root);
    return ok;
}

/* True: the provider has another way of asking, which is worth a try at once. */
static bool try_another(struct graph_client *c, const char *tenant, const struct error *refusal)
{
    struct error ignored = ERROR_INIT;
    struct oauth_provider *p = provider_lock(c, tenant, &ignored);
    if (!p)
        return false;
    bool another = p->refused(p, refusal);
    pthread_mutex_unlock(&c->lock);
    return another;
}

bool graph_device_code_ask(struct graph_client *client, const char *tenant,
                           struct graph_device_code *out, struct wait *w, struct error *e)
{
    for (;;) {
        struct oauth_request request;
        struct exchange_answer answer;
        struct oauth_grant refusal = {0};
        struct oauth_provider *p = provider_lock(client, tenant, e);
        if (!p)
            return false;
        entra_device_code(p, &request);
        pthread_mutex_unlock(&client->lock);
        if (!exchange_run(client, tenant, &request, NULL, &answer, w, e))
            return false;
        bool came = answer.head.status == 200;
        bool ok = came && sign_in_device_decode(buf_str(&answer.body), answer.body.len, out, e);
        if (!came)
            oauth_refusal_decode(&answer.head, buf_str(&answer.body), answer.body.len, &refusal, e);
        buf_free_secret(&answer.body);
        if (came || !try_another(client, tenant, e))
            return ok;
    }
}

/* Sleeps; false if the wait itself ends before. */
static bool sleep_until(int64_t until_ms, struct wait *w, struct error *e)
{
    int64_t deadline = w->deadline_ms;
    w->deadline_ms = until_ms < deadline ? until_ms : deadline;
    while (wait_sleep(w, e))
        continue;
    w->deadline_ms = deadline;
    if (e->kind != ERROR_TIMEOUT || clock_mono_ms() < until_ms)
        return false;
    error_clear(e);
    return true;
}

enum poll { POLL_DONE, POLL_AGAIN, POLL_SLOWER, POLL_END };

static enum poll poll_once(struct graph_client *c, const char *tenant,
                           const struct graph_device_code *code, struct oauth_grant *grant,
                           struct wait *w, struct error *e)
{
    struct oauth_request request;
    struct exchange_answer answer;
    struct oauth_provider *p = provider_lock(c, tenant, e);
    if (!p)
        return POLL_END;
    bool ok = entra_device_poll(p, code->device_code, &request, e);
    pthread_mutex_unlock(&c->lock);
    if (!ok) {
        oauth_request_free(&request);
        return POLL_END;
    }
    if (!exchange_run(c, tenant, &request, NULL, &answer, w, e))
        return e->kind == ERROR_TEMPORARY || e->kind == ERROR_TIMEOUT ? POLL_AGAIN : POLL_END;
    ok = oauth_grant_decode(&answer.head, buf_str(&answer.body), answer.body.len, grant, e);
    buf_free_secret(&answer.body);
    if (ok)
        return POLL_DONE;
    if (strcmp(grant->word, "authorization_pending") == 0)
        return POLL_AGAIN;
    if (strcmp(grant->word, "slow_down") == 0 || e->kind == ERROR_THROTTLED)
        return POLL_SLOWER;
    return e->kind == ERROR_TEMPORARY ? POLL_AGAIN : POLL_END;
}

bool graph_device_code_wait(struct graph_client *client, const char *tenant, const char *account,
                            const struct graph_device_code *code, struct sign_in *out,
                            struct wait *w, struct error *e)
{
    int64_t interval = code->interval_ms;
    struct oauth_grant grant = {0};
    enum poll poll = POLL_AGAIN;
    while (poll == POLL_AGAIN || poll == POLL_SLOWER) {
        if (!sleep_until(clock_mono_ms() + interval, w, e))
            return false;
        if (clock_mono_ms() >= code->expires_ms)
            return error_set(e, ERROR_SIGN_IN,
                             "nobody entered the code in time; ask for another one");
        oauth_grant_clear(&grant);
        error_clear(e);
        poll = poll_once(client, tenant, code, &grant, w, e);
        interval += poll == POLL_SLOWER ? SLOW_DOWN_MS : 0;
    }
    bool ok = poll == POLL_DONE && take_grant(client, tenant, account, &grant, out, w, e);
    oauth_grant_clear(&grant);
    return ok;
}

void graph_device_code_free(struct graph_device_code *code)
{
    free(code->user_code);
    free(code->verification_url);
    free(code->message);
    secret_free(code->device_code);
    memset(code, 0, sizeof *code);
}

/* --- authorization code --- */

static char *random_text(void)
{
    uint8_t octets[VERIFIER_OCTETS];
    struct buf text = BUF_INIT(2 * VERIFIER_OCTETS);
    random_bytes(octets, sizeof octets);
    base64url_encode(octets, sizeof octets, &text);
    explicit_bzero(octets, sizeof octets);
    return buf_steal(&text);
}

/* S256 of RFC 7636 section 4.2. */
static char *challenge_of(const char *verifier)
{
    uint8_t digest[SHA256_SIZE];
    struct buf text = BUF_INIT(2 * SHA256_SIZE);
    sha256(verifier, strlen(verifier), digest);
    base64url_encode(digest, sizeof digest, &text);
    return buf_steal(&text);
}

bool graph_code_flow_begin(struct graph_client *client, const char *tenant, const char *account,
                           unsigned port, struct graph_code_flow *out, struct error *e)
{
    struct oauth_provider *p = provider_lock(client, tenant, e);
    memset(out, 0, sizeof *out);
    if (!p)
        return false;
    out->redirect_uri = xasprintf("http://localhost:%u", port);
    out->state = random_text();
    out->verifier = random_text();
    char *challenge = challenge_of(out->verifier);
    out->url = entra_authorize_url(p, account, out->redirect_uri, out->state, challenge);
    pthread_mutex_unlock(&client->lock);
    free(challenge);
    return true;
}

bool graph_code_flow_redeem(struct graph_client *client, const char *tenant, const char *account,
                            const struct graph_code_flow *flow, const char *code,
                            struct sign_in *out, struct wait *w, struct error *e)
{
    struct oauth_request request;
    struct exchange_answer answer;
    struct oauth_grant grant = {0};
    struct oauth_provider *p = provider_lock(client, tenant, e);
    if (!p)
        return false;
    bool ok = entra_redeem(p, code, flow->redirect_uri, flow->verifier, &request, e);
    pthread_mutex_unlock(&client->lock);
    if (!ok) {
        oauth_request_free(&request);
        return false;
    }
    if (!exchange_run(client, tenant, &request, NULL, &answer, w, e))
        return false;
    ok = oauth_grant_decode(&answer.head, buf_str(&answer.body), answer.body.len, &grant, e) &&
         take_grant(client, tenant, account, &grant, out, w, e);
    buf_free_secret(&answer.body);
    oauth_grant_clear(&grant);
    return ok;
}

void graph_code_flow_free(struct graph_code_flow *flow)
{
    free(flow->url);
    free(flow->redirect_uri);
    free(flow->state);
    secret_free(flow->verifier);
    memset(flow, 0, sizeof *flow);
}

/* --- a client's own token --- */

static bool decode_me(const struct exchange_answer *a, char **subject, char **user, struct error *e)
{
    struct json_object *root = json_read(buf_str(&a->body), a->body.len, e);
    const char *id = json_peek_string(root, "id");
    const char *name = json_peek_string(root, "userPrincipalName");
    bool ok = root != NULL;
    if (ok && (!id || !*id || !name || !*name))
        ok = error_set(e, ERROR_ANSWER, "Graph does not say whose the access token is");
    if (ok) {
        *subject = xstrdup(id);
        *user = xstrdup(name);
    }
    json_object_put(root);
    return ok;
}

/* Every directory's tokens open Graph: one that says that it is another's has no business here. */
static bool is_foreign(const struct graph_tenant *t, const char *bearer)
{
    char *theirs = oauth_token_tenant(bearer);
    bool guid = t->tenant_id && strlen(t->tenant_id) == GUID_SIZE - 1 && !strchr(t->tenant_id, '.');
    bool foreign = guid && theirs && strcasecmp(theirs, t->tenant_id) != 0;
    free(theirs);
    return foreign;
}

bool graph_bearer_subject(struct graph_client *client, const char *tenant, const char *bearer,
                          char **subject, char **user, struct wait *w, struct error *e)
{
    struct oauth_request request = {0};
    struct exchange_answer answer;
    if (!oauth_token_is_plain(bearer))
        return error_set(e, ERROR_SIGN_IN, "what the client brought is no access token");
    pthread_mutex_lock(&client->lock);
    struct graph_tenant *t = tenant_get(client, tenant);
    bool foreign = !t->gone && is_foreign(t, bearer);
    if (!t->gone && !foreign)
        request.url = xasprintf("%s/v1.0/me?$select=id,userPrincipalName", t->graph_url);
    pthread_mutex_unlock(&client->lock);
    if (foreign)
        return error_set(e, ERROR_SIGN_IN,
                         "the access token that the client brought is of another directory than "
                         "tenant \"%s\"",
                         tenant);
    if (!request.url)
        return error_set(e, ERROR_SIGN_IN, "tenant \"%s\" is not in the configuration", tenant);
    if (!exchange_run(client, tenant, &request, bearer, &answer, w, e))
        return false;
    bool ok = answer.head.status == 200 && decode_me(&answer, subject, user, e);
    if (answer.head.status == 401)
        error_set(e, ERROR_SIGN_IN,
                  "Microsoft 365 refuses the access token that the client brought; it must get a "
                  "new one, for Microsoft Graph");
    else if (answer.head.status == 403)
        error_set(e, ERROR_DENIED,
                  "the access token that the client brought may not say whose it is; it needs the "
                  "permission User.Read");
    else if (answer.head.status != 200)
        graph_error_classify(&answer.head, SUBJECT_FOLDER, buf_str(&answer.body), answer.body.len,
                             e);
    buf_free_secret(&answer.body);
    return ok;
}
