/* OAuth 2.0 client credentials on the Microsoft identity platform: secret or certificate. */
#include "jwt.h"
#include "oauth.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

struct client_credentials {
    struct oauth_provider base;
    char *token_url;
    char *client_id;
    char *scope;
    char *other_scope; /* not tried yet; NULL: none */
    char *secret;      /* NULL: a certificate */
    struct jwt_key key;
};

static void put_field(struct buf *form, const char *name, const char *value)
{
    buf_printf(form, "%s%s=", form->len ? "&" : "", name);
    url_put_form(form, value);
}

static bool put_assertion(struct client_credentials *c, struct buf *form, struct error *e)
{
    struct buf jwt = BUF_INIT(JWT_MAX);
    bool ok = jwt_make(&c->key, c->client_id, c->token_url, clock_wall_ms(), &jwt, e);
    if (ok) {
        put_field(form, "client_assertion_type",
                  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        put_field(form, "client_assertion", buf_str(&jwt));
    }
    buf_free_secret(&jwt);
    return ok;
}

static bool make_request(struct oauth_provider *p, struct oauth_request *out, struct error *e)
{
    struct client_credentials *c = (struct client_credentials *)p;
    bool ok = true;
    buf_init(&out->form, OAUTH_FORM_MAX);
    /* Room at once: a buffer that moves would leave a copy of the secret behind. */
    buf_reserve(&out->form, OAUTH_FORM_MAX);
    out->url = xstrdup(c->token_url);
    put_field(&out->form, "grant_type", "client_credentials");
    put_field(&out->form, "client_id", c->client_id);
    put_field(&out->form, "scope", c->scope);
    if (c->secret)
        put_field(&out->form, "client_secret", c->secret);
    else
        ok = put_assertion(c, &out->form, e);
    if (ok && out->form.overflow)
        ok = error_set(e, ERROR_SIGN_IN, "the token request is over %zu bytes: check the secret",
                       OAUTH_FORM_MAX);
    return ok;
}

/* A graph-url of its own may be a national cloud that is not in our list, whose name is the scope,
 * or a gateway before a cloud, of which Entra ID knows nothing: then the cloud's name is. */
static bool try_other_scope(struct oauth_provider *p, const struct error *e)
{
    struct client_credentials *c = (struct client_credentials *)p;
    bool unknown = strcmp(e->code, "AADSTS70011") == 0 || strcmp(e->code, "AADSTS500011") == 0 ||
                   strcmp(e->code, "invalid_scope") == 0 ||
                   strcmp(e->code, "invalid_resource") == 0;
    if (!unknown || !c->other_scope)
        return false;
    free(c->scope);
    c->scope = c->other_scope;
    c->other_scope = NULL;
    return true;
}

static void free_provider(struct oauth_provider *p)
{
    struct client_credentials *c = (struct client_credentials *)p;
    free(c->token_url);
    free(c->client_id);
    free(c->scope);
    free(c->other_scope);
    secret_free(c->secret);
    jwt_key_close(&c->key);
    free(c);
}

static char *token_url(const struct config_tenant *t)
{
    struct buf url = BUF_INIT(4096);
    buf_printf(&url, "%s/", t->login_url);
    url_put_segment(&url, t->tenant_id);
    buf_puts(&url, "/oauth2/v2.0/token");
    return buf_steal(&url);
}

struct oauth_provider *oauth_client_credentials_new(const struct config_tenant *t, struct error *e)
{
    struct client_credentials *c = xcalloc(1, sizeof *c);
    c->base = (struct oauth_provider){
        .request = make_request, .refused = try_other_scope, .free = free_provider};
    if (!t->client_secret &&
        !jwt_key_open(&c->key, t->certificate, t->private_key, t->assertion, e)) {
        free(c);
        error_prefix(e, "tenant \"%s\": ", t->name);
        return NULL;
    }
    c->token_url = token_url(t);
    c->client_id = xstrdup(t->client_id);
    c->scope = xasprintf("%s/.default", t->graph_url);
    if (t->cloud_url && strcmp(t->cloud_url, t->graph_url) != 0)
        c->other_scope = xasprintf("%s/.default", t->cloud_url);
    c->secret = xstrdup_null(t->client_secret);
    return &c->base;
}
