/* The machine's own identity: the Azure instance metadata service. "How to use managed identities
 * for Azure resources on an Azure VM to acquire an access token". */
#include "oauth.h"
#include "url.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define URL_MAX_BYTES ((size_t)8 * 1024)
/* Retry guidance of the page above: a second at least; an update takes 70 seconds at most. */
#define AGAIN_MS        1000
#define AGAIN_UPDATE_MS 10000
#define NO_IDENTITY                                                                                \
    "no managed identity: assign one to this machine, and name it by client-id if it has several"

struct managed_identity {
    struct oauth_provider base;
    char *url;
    char *other_url; /* not tried yet; NULL: none */
};

/* The service keeps tokens itself, and there is no parameter for claims. */
static bool make_request(struct oauth_provider *p, const struct oauth_ask *ask,
                         struct oauth_request *out, struct error *e)
{
    struct managed_identity *m = (struct managed_identity *)p;
    (void)ask;
    (void)e;
    *out = (struct oauth_request){.url = xstrdup(m->url), .metadata = true};
    return true;
}

static bool decode(const struct answer *a, const char *body, size_t len, struct oauth_grant *out,
                   struct error *e)
{
    if (oauth_grant_decode(a, body, len, out, e))
        return true;
    if (a->status == 404 || a->status == 410 || a->status == 429 || a->status >= 500) {
        e->kind = a->status == 429 ? ERROR_THROTTLED : ERROR_TEMPORARY;
        out->patient = a->status == 410;
        out->retry_ms = out->patient ? AGAIN_UPDATE_MS : AGAIN_MS;
        error_prefix(e, "the machine's metadata service is not ready: ");
    } else if (e->kind == ERROR_SIGN_IN) {
        error_prefix(e, "%s: ", NO_IDENTITY);
        error_advise(e, "%s", NO_IDENTITY);
    }
    return false;
}

static bool try_other_resource(struct oauth_provider *p, const struct oauth_grant *refusal)
{
    struct managed_identity *m = (struct managed_identity *)p;
    if (!m->other_url || !refusal->nameless)
        return false;
    free(m->url);
    m->url = m->other_url;
    m->other_url = NULL;
    return true;
}

static void free_provider(struct oauth_provider *p)
{
    struct managed_identity *m = (struct managed_identity *)p;
    free(m->url);
    free(m->other_url);
    free(m);
}

static void put_option(struct buf *url, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(url, "&%s=", name);
    url_put_form(url, value);
}

static char *make_url(const struct config_tenant *t, const char *graph)
{
    struct buf url = BUF_INIT(URL_MAX_BYTES);
    char *resource = xasprintf("%s/", graph);
    buf_printf(&url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01", t->identity_url);
    put_option(&url, "resource", resource);
    put_option(&url, "client_id", t->client_id);
    put_option(&url, "object_id", t->identity_object_id);
    put_option(&url, "msi_res_id", t->identity_resource_id);
    free(resource);
    return buf_steal(&url);
}

struct oauth_provider *oauth_managed_identity_new(const struct config_tenant *t)
{
    struct managed_identity *m = xcalloc(1, sizeof *m);
    const struct oauth_names names = oauth_names_of_graph(t);
    m->url = make_url(t, names.first);
    if (names.second)
        m->other_url = make_url(t, names.second);
    m->base = (struct oauth_provider){.source = OAUTH_FROM_SETTINGS,
                                      .request = make_request,
                                      .decode = decode,
                                      .refused = try_other_resource,
                                      .free = free_provider};
    return &m->base;
}
