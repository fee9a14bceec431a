/* How a person signs in: who it was, and the authorization code flow; whose a client's token is. */
#include "postern/graph/sign_in.h"

#include "entra.h"
#include "exchange.h"
#include "internal.h"
#include "json.h"
#include "sign_in_parts.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* RFC 7636 section 4.1: 32 octets make a verifier of 43 characters. */
#define VERIFIER_OCTETS 32

struct oauth_provider *sign_in_lock(struct graph_client *c, const char *tenant, struct error *e)
{
    pthread_mutex_lock(&c->lock);
    struct graph_tenant *t = tenant_get(c, tenant);
    if (!t->gone && t->provider->source == OAUTH_FROM_VAULT)
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

void sign_in_unlock(struct graph_client *c)
{
    pthread_mutex_unlock(&c->lock);
}

/* --- whose a token is --- */

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

/* Graph knows a token that it answers 403: nobody made it up, so it may speak for itself. */
static bool decode_claims(const char *bearer, char **subject, char **user)
{
    struct oauth_person p;
    oauth_person_decode(bearer, &p);
    bool ok = p.object_id && *p.object_id && p.user && *p.user;
    if (ok) {
        *subject = p.object_id;
        *user = p.user;
        p = (struct oauth_person){0};
    }
    oauth_person_clear(&p);
    return ok;
}

static bool decode_owner(const struct exchange_answer *a, const char *bearer, char **subject,
                         char **user, struct error *e)
{
    switch (a->head.status) {
    case 200:
        return decode_me(a, subject, user, e);
    case 401:
        return error_set(e, ERROR_SIGN_IN,
                         "Microsoft 365 refuses the access token that the client brought; it must "
                         "get a new one, for Microsoft Graph");
    case 403:
        return decode_claims(bearer, subject, user) ||
               error_set(e, ERROR_DENIED,
                         "the access token that the client brought does not say whose it is; it "
                         "needs the permission User.Read");
    default:
        graph_error_classify(&a->head, SUBJECT_FOLDER, buf_str(&a->body), a->body.len, e);
        return false;
    }
}

/* GET /me with the token. */
static bool ask_owner(struct graph_client *client, const char *tenant, const char *bearer,
                      char **subject, char **user, struct wait *w, struct error *e)
{
    struct oauth_request request = {0};
    struct exchange_answer answer;
    pthread_mutex_lock(&client->lock);
    const struct graph_tenant *t = tenant_get(client, tenant);
    if (!t->gone)
        request.url = xasprintf("%s/v1.0/me?$select=id,userPrincipalName", t->graph_url);
    pthread_mutex_unlock(&client->lock);
    if (!request.url)
        return error_set(e, ERROR_SIGN_IN, "tenant \"%s\" is not in the configuration", tenant);
    if (!exchange_run(client, tenant, &request, bearer, &answer, w, e))
        return false;
    bool ok = decode_owner(&answer, bearer, subject, user, e);
    buf_free_secret(&answer.body);
    return ok;
}

/* --- the person that signed in --- */

static bool is_meant(const char *account, const struct oauth_person *p)
{
    return (p->user && strcasecmp(account, p->user) == 0) ||
           (p->object_id && strcasecmp(account, p->object_id) == 0);
}

/* Does this token tell somebody, and is it `account`? `p` keeps the first that is told. */
static bool tells(const char *token, const char *account, struct oauth_person *p)
{
    struct oauth_person told;
    oauth_person_decode(token, &told);
    bool meant = is_meant(account, &told);
    if (meant || !p->user) {
        oauth_person_clear(p);
        *p = told;
    } else {
        oauth_person_clear(&told);
    }
    return meant;
}

/* Graph's own word on it; false: it has none, or may not say (that takes User.Read). */
static bool ask_person(struct graph_client *c, const char *tenant, const char *access,
                       struct oauth_person *p, struct wait *w)
{
    struct error ignored = ERROR_INIT;
    struct oauth_person told = {0};
    if (!ask_owner(c, tenant, access, &told.object_id, &told.user, w, &ignored))
        return false;
    oauth_person_clear(p);
    *p = told;
    return true;
}

/* Whoever sits at the browser may have signed in as somebody else. An ID token may name a guest or
 * an alternate login by another address than the UPN, and any token may be opaque; where nobody
 * tells who it was, Graph decides when the mailbox is opened. */
static bool check_person(struct graph_client *c, const char *tenant, const char *account,
                         struct oauth_grant *g, struct oauth_person *p, struct wait *w,
                         struct error *e)
{
    if (tells(g->id_token, account, p) || tells(g->access, account, p))
        return true;
    if (!ask_person(c, tenant, g->access, p, w) && !p->user && !p->object_id)
        return true;
    return is_meant(account, p) ||
           error_set(e, ERROR_SIGN_IN,
                     "%s signed in, but %s was meant; sign that account out in the browser, or "
                     "write the right one into the configuration",
                     p->user ? p->user : "somebody else", account);
}

bool sign_in_take(struct graph_client *c, const char *tenant, const char *account,
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
                                .user = person.user ? person.user : xstrdup(account),
                                .since_ms = now,
                                .renewed_ms = now};
        g->refresh = g->access = g->scope = person.user = NULL;
    }
    oauth_person_clear(&person);
    return ok;
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
    struct oauth_provider *p = sign_in_lock(client, tenant, e);
    memset(out, 0, sizeof *out);
    if (!p)
        return false;
    out->redirect_uri = xasprintf("http://localhost:%u", port);
    out->state = random_text();
    out->verifier = random_text();
    char *challenge = challenge_of(out->verifier);
    out->url = entra_authorize_url(p, account, out->redirect_uri, out->state, challenge);
    sign_in_unlock(client);
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
    struct oauth_provider *p = sign_in_lock(client, tenant, e);
    if (!p)
        return false;
    bool ok = entra_redeem(p, code, flow->redirect_uri, flow->verifier, &request, e);
    sign_in_unlock(client);
    if (!ok) {
        oauth_request_free(&request);
        return false;
    }
    if (!exchange_run(client, tenant, &request, NULL, &answer, w, e))
        return false;
    ok = oauth_grant_decode(&answer.head, buf_str(&answer.body), answer.body.len, &grant, e) &&
         sign_in_take(client, tenant, account, &grant, out, w, e);
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

/* Every directory's tokens open Graph: one that says that it is another's has no business here. */
static bool is_foreign(struct graph_client *client, const char *tenant, const char *theirs)
{
    pthread_mutex_lock(&client->lock);
    const struct graph_tenant *t = tenant_get(client, tenant);
    bool foreign = !t->gone && (!t->tenant_id || strcasecmp(theirs, t->tenant_id) != 0);
    pthread_mutex_unlock(&client->lock);
    return foreign;
}

static bool explain_foreign(const char *tenant, struct error *e)
{
    return error_set(e, ERROR_SIGN_IN,
                     "the access token that the client brought is of another directory than "
                     "tenant \"%s\"",
                     tenant);
}

bool graph_bearer_subject(struct graph_client *client, const char *tenant, const char *bearer,
                          char **subject, char **user, struct wait *w, struct error *e)
{
    if (!oauth_token_is_plain(bearer))
        return error_set(e, ERROR_SIGN_IN, "what the client brought is no access token");
    char *theirs = oauth_token_tenant(bearer);
    bool silent = !theirs, foreign = theirs && is_foreign(client, tenant, theirs);
    free(theirs);
    if (foreign)
        return explain_foreign(tenant, e);
    if (!ask_owner(client, tenant, bearer, subject, user, w, e))
        return false;
    /* Those of personal accounts do not say; but who is of a directory has a GUID as object id. */
    if (!silent || guid_is(*subject))
        return true;
    free(*subject);
    free(*user);
    *subject = *user = NULL;
    return explain_foreign(tenant, e);
}
