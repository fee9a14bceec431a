#include "entra.h"

#include "challenge.h"
#include "jwt.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

#define URL_MAX_BYTES ((size_t)16 * 1024)
#define SCOPE_MAX     ((size_t)8 * 1024)
/* What a person's sign-in asks for beside mail: a refresh token, and who it was. */
#define PERSON_SCOPE "offline_access openid profile"

struct entra {
    struct oauth_provider base;
    enum config_flow flow;
    char *authority; /* origin and tenant: "https://login.microsoftonline.com/contoso.com" */
    char *token_url;
    char *client_id;
    char *scope;
    char *other_scope; /* not tried yet; NULL: none */
    char *secret;      /* NULL: a certificate, or none (a public client) */
    bool certified;
    struct jwt_key key;
    char *file;     /* of a federated token */
    char *password; /* of the password grant */
};

/* --- what a request is made of --- */

static void put_assertion(struct oauth_request *r, const char *jwt)
{
    oauth_put(r, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    oauth_put(r, "client_assertion", jwt);
}

/* A public client shows its id alone. */
static bool put_client(struct entra *n, const char *assertion, struct oauth_request *r,
                       struct error *e)
{
    bool ok = true;
    oauth_put(r, "client_id", n->client_id);
    if (assertion) {
        put_assertion(r, assertion);
    } else if (n->secret) {
        oauth_put(r, "client_secret", n->secret);
    } else if (n->certified) {
        struct buf jwt = BUF_INIT(JWT_MAX);
        ok = jwt_make(&n->key, n->client_id, n->token_url, clock_wall_ms(), &jwt, e);
        if (ok)
            put_assertion(r, buf_str(&jwt));
        buf_free_secret(&jwt);
    }
    return ok;
}

static void put_claims(struct oauth_request *r, const char *asked)
{
    char *claims = challenge_claims(asked);
    oauth_put(r, "claims", claims);
    free(claims);
}

static bool check_size(const struct oauth_request *r, struct error *e)
{
    return !r->form.overflow ||
           error_set(e, ERROR_SIGN_IN, "the token request is over %zu bytes: check the secret",
                     OAUTH_FORM_MAX);
}

static void put_grant(struct entra *n, const struct oauth_ask *ask, struct oauth_request *out)
{
    if (ask->refresh_token) {
        oauth_put(out, "grant_type", "refresh_token");
        oauth_put(out, "refresh_token", ask->refresh_token);
    } else if (n->flow == FLOW_PASSWORD) {
        oauth_put(out, "grant_type", "password");
        oauth_put(out, "username", ask->account);
        oauth_put(out, "password", n->password);
    } else {
        oauth_put(out, "grant_type", "client_credentials");
    }
    oauth_put(out, "scope", n->scope);
}

static bool make_request(struct oauth_provider *p, const struct oauth_ask *ask,
                         struct oauth_request *out, struct error *e)
{
    struct entra *n = (struct entra *)p;
    oauth_request_init(out, n->token_url);
    put_grant(n, ask, out);
    put_claims(out, ask->challenge);
    return put_client(n, ask->assertion, out, e) && check_size(out, e);
}

void entra_device_code(struct oauth_provider *p, struct oauth_request *out)
{
    struct entra *n = (struct entra *)p;
    char *url = xasprintf("%s/oauth2/v2.0/devicecode", n->authority);
    oauth_request_init(out, url);
    oauth_put(out, "client_id", n->client_id);
    oauth_put(out, "scope", n->scope);
    free(url);
}

bool entra_device_poll(struct oauth_provider *p, const char *device_code, struct oauth_request *out,
                       struct error *e)
{
    struct entra *n = (struct entra *)p;
    oauth_request_init(out, n->token_url);
    oauth_put(out, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    oauth_put(out, "device_code", device_code);
    put_claims(out, NULL);
    return put_client(n, NULL, out, e) && check_size(out, e);
}

char *entra_authorize_url(struct oauth_provider *p, const char *account, const char *redirect_uri,
                          const char *state, const char *challenge)
{
    struct entra *n = (struct entra *)p;
    char *claims = challenge_claims(NULL);
    const char *const options[][2] = {{"client_id", n->client_id},
                                      {"response_type", "code"},
                                      {"redirect_uri", redirect_uri},
                                      {"response_mode", "query"},
                                      {"scope", n->scope},
                                      {"state", state},
                                      {"code_challenge", challenge},
                                      {"code_challenge_method", "S256"},
                                      {"login_hint", account},
                                      {"claims", claims}};
    struct buf url = BUF_INIT(URL_MAX_BYTES);
    buf_printf(&url, "%s/oauth2/v2.0/authorize", n->authority);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        buf_printf(&url, "%c%s=", i ? '&' : '?', options[i][0]);
        url_put_form(&url, options[i][1]);
    }
    free(claims);
    return buf_steal(&url);
}

bool entra_redeem(struct oauth_provider *p, const char *code, const char *redirect_uri,
                  const char *verifier, struct oauth_request *out, struct error *e)
{
    struct entra *n = (struct entra *)p;
    oauth_request_init(out, n->token_url);
    oauth_put(out, "grant_type", "authorization_code");
    oauth_put(out, "code", code);
    oauth_put(out, "redirect_uri", redirect_uri);
    oauth_put(out, "code_verifier", verifier);
    oauth_put(out, "scope", n->scope);
    put_claims(out, NULL);
    return put_client(n, NULL, out, e) && check_size(out, e);
}

static bool try_other_scope(struct oauth_provider *p, const struct oauth_grant *refusal)
{
    struct entra *n = (struct entra *)p;
    if (!n->other_scope || !refusal->nameless)
        return false;
    free(n->scope);
    n->scope = n->other_scope;
    n->other_scope = NULL;
    return true;
}

/* --- making one --- */

static void free_provider(struct oauth_provider *p)
{
    struct entra *n = (struct entra *)p;
    free(n->authority);
    free(n->token_url);
    free(n->client_id);
    free(n->scope);
    free(n->other_scope);
    secret_free(n->secret);
    jwt_key_close(&n->key);
    free(n->file);
    secret_free(n->password);
    free(n);
}

static char *make_authority(const struct config_tenant *t)
{
    struct buf url = BUF_INIT(URL_MAX_BYTES);
    buf_printf(&url, "%s/", t->login_url);
    url_put_segment(&url, t->tenant_id);
    return buf_steal(&url);
}

/* A permission by its bare name is one of Graph's, under the name that Graph has in this cloud
 * (Microsoft Graph national cloud deployments). */
static char *make_scope(const struct config_tenant *t, const char *graph)
{
    if (!config_flow_is_delegated(t->flow))
        return xasprintf("%s/.default", graph);
    struct buf scope = BUF_INIT(SCOPE_MAX);
    buf_puts(&scope, PERSON_SCOPE);
    for (const char *p = t->scope + strspn(t->scope, " "); *p; p += strspn(p, " ")) {
        int len = (int)strcspn(p, " ");
        bool whole = memmem(p, (size_t)len, "://", 3) != NULL;
        buf_printf(&scope, " %s%s%.*s", whole ? "" : graph, whole ? "" : "/", len, p);
        p += len;
    }
    return buf_steal(&scope);
}

static enum oauth_source source_of(enum config_flow flow)
{
    switch (flow) {
    case FLOW_DEVICE_CODE:
    case FLOW_AUTHORIZATION_CODE:
        return OAUTH_FROM_VAULT;
    case FLOW_PASSWORD:
        return OAUTH_FROM_MEMORY;
    case FLOW_WORKLOAD_IDENTITY:
        return OAUTH_FROM_FILE;
    default:
        return OAUTH_FROM_SETTINGS;
    }
}

static struct oauth_provider *entra_new(const struct config_tenant *t, struct error *e)
{
    struct entra *n = xcalloc(1, sizeof *n);
    const struct oauth_names names = oauth_names_of_graph(t);
    n->certified = t->certificate && !t->client_secret;
    if (n->certified && !jwt_key_open(&n->key, t->certificate, t->private_key, t->assertion, e)) {
        free(n);
        error_prefix(e, "tenant \"%s\": ", t->name);
        return NULL;
    }
    n->flow = t->flow;
    n->authority = make_authority(t);
    n->token_url = xasprintf("%s/oauth2/v2.0/token", n->authority);
    n->client_id = xstrdup(t->client_id);
    n->scope = make_scope(t, names.first);
    if (names.second)
        n->other_scope = make_scope(t, names.second);
    n->secret = xstrdup_null(t->client_secret);
    n->file = xstrdup_null(t->federated_token_file);
    n->password = xstrdup_null(t->account_password);
    n->base = (struct oauth_provider){.source = source_of(t->flow),
                                      .file = n->file,
                                      .request = make_request,
                                      .decode = oauth_grant_decode,
                                      .refused = try_other_scope,
                                      .free = free_provider};
    return &n->base;
}

struct oauth_provider *oauth_provider_new(const struct config_tenant *t, struct error *e)
{
    return t->flow == FLOW_MANAGED_IDENTITY ? oauth_managed_identity_new(t) : entra_new(t, e);
}
