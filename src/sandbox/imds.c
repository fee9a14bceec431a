#include "imds.h"

#include "entra.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OLDEST_VERSION "2018-02-01"

void imds_identity(const struct token_issuer *t, size_t n, struct imds_identity *out)
{
    char purpose[64];
    snprintf(purpose, sizeof purpose, "managed-identity-client-%zu", n);
    model_guid(purpose, t->tenant, out->client_id);
    snprintf(purpose, sizeof purpose, "managed-identity-object-%zu", n);
    model_guid(purpose, t->tenant, out->object_id);
    snprintf(out->resource_id, sizeof out->resource_id,
             "/subscriptions/%s/resourcegroups/mail/providers/"
             "Microsoft.ManagedIdentity/userAssignedIdentities/postern-%zu",
             t->tenant_guid, n);
}

/* One request while it is worked on. */
struct imds_call {
    struct sandbox *s;
    struct request *r;
    struct answer *a;
    const char *error; /* NULL: a success */
};

/* {"error","error_description"} (how-to-use-vm-token, HTTP response reference). Returns false. */
static bool refuse(struct imds_call *c, int status, const char *error, const char *description)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "error", json_object_new_string(error));
    json_object_object_add(o, "error_description", json_object_new_string(description));
    answer_header(c->a, "Content-Type", "application/json; charset=utf-8");
    answer_json(c->a, status, o);
    c->error = error;
    return false;
}

static bool is_version(const char *text)
{
    if (!text || strlen(text) != sizeof OLDEST_VERSION - 1)
        return false;
    for (size_t i = 0; OLDEST_VERSION[i]; i++) {
        bool dash = OLDEST_VERSION[i] == '-';
        if (dash ? text[i] != '-' : (text[i] < '0' || text[i] > '9'))
            return false;
    }
    return strcmp(text, OLDEST_VERSION) >= 0;
}

/* What no request that was forwarded or forged by a browser gets past. */
static bool check_request(struct imds_call *c)
{
    struct request *r = c->r;
    const char *metadata = request_header(r, "Metadata");
    if (request_header(r, "X-Forwarded-For"))
        return refuse(c, 400, "bad_request", "Requests with X-Forwarded-For are not served.");
    if (!metadata || strcmp(metadata, "true") != 0)
        return refuse(c, 400, "bad_request_102", "Required metadata header not specified");
    if (r->segment_count != 4 || strcmp(r->path, "/metadata/identity/oauth2/token") != 0)
        return refuse(c, 404, "not_found", "There is no such resource.");
    if (strcmp(r->method, "GET") != 0)
        return refuse(c, 405, "method_not_allowed", "Only GET is served.");
    if (!is_version(request_param(r, "api-version")))
        return refuse(c, 400, "invalid_request",
                      "api-version is missing, malformed, or older than " OLDEST_VERSION);
    return true;
}

/* Does the query name this identity? The machine's own has no resource id. */
static bool is_named(struct imds_call *c, size_t n, const struct imds_identity *identity)
{
    const char *client = request_param(c->r, "client_id");
    const char *object = request_param(c->r, "object_id");
    const char *resource = request_param(c->r, "msi_res_id");
    return (client && strcasecmp(client, identity->client_id) == 0) ||
           (object && strcasecmp(object, identity->object_id) == 0) ||
           (n > 0 && resource && strcasecmp(resource, identity->resource_id) == 0);
}

/* The identity that the query names; with no name, the only one. False: refused. */
static bool choose(struct imds_call *c, struct imds_identity *out)
{
    static const struct {
        size_t first, end;
    } present[] = {[IDENTITY_SYSTEM] = {0, 1},
                   [IDENTITY_USER] = {1, 2},
                   [IDENTITY_SEVERAL] = {1, IMDS_IDENTITIES},
                   [IDENTITY_NONE] = {0, 0}};
    int mode = c->s->settings.managed_identity;
    bool named = request_param(c->r, "client_id") || request_param(c->r, "object_id") ||
                 request_param(c->r, "msi_res_id");
    for (size_t i = present[mode].first; i < present[mode].end; i++) {
        imds_identity(&c->s->tokens, i, out);
        if (named ? is_named(c, i, out) : mode != IDENTITY_SEVERAL)
            return true;
    }
    return refuse(c, 400, "invalid_request",
                  named || mode != IDENTITY_SEVERAL
                      ? "Identity not found"
                      : "Multiple user assigned identities exist, please specify the clientId / "
                        "resourceId of the identity in the request");
}

/* With a slash at its end, or without. */
static bool is_graph(const struct settings *s, const char *resource)
{
    size_t len = strlen(resource);
    return entra_is_graph(s, resource, len > 0 && resource[len - 1] == '/' ? len - 1 : len);
}

static void add_number(struct json_object *o, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    json_object_object_add(o, name, json_object_new_string(text));
}

static void give(struct imds_call *c, const struct imds_identity *identity, const char *resource)
{
    struct sandbox *s = c->s;
    const struct claims claims = {.cp1 = false};
    const struct sign_in who = {.account = accounts_get(&s->tokens.accounts, NULL)};
    int64_t life_s = s->settings.token_life_s, now = clock_wall_ms() / CLOCK_SECOND;
    char *token = token_issue(&s->tokens, &s->settings, &who, s->settings.app_roles, &claims,
                              identity->client_id, life_s);
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "access_token", json_object_new_string(token));
    json_object_object_add(o, "client_id", json_object_new_string(identity->client_id));
    json_object_object_add(o, "refresh_token", json_object_new_string(""));
    add_number(o, "expires_in", life_s);
    add_number(o, "expires_on", now + life_s);
    add_number(o, "not_before", now);
    json_object_object_add(o, "resource", json_object_new_string(resource));
    json_object_object_add(o, "token_type", json_object_new_string("Bearer"));
    answer_header(c->a, "Content-Type", "application/json; charset=utf-8");
    answer_json(c->a, 200, o);
    secret_free(token);
}

static void answer(struct imds_call *c)
{
    struct imds_identity identity;
    if (!check_request(c))
        return;
    const char *resource = request_param(c->r, "resource");
    if (!resource || !*resource)
        refuse(c, 400, "invalid_request", "Required audience parameter not specified");
    else if (!is_graph(&c->s->settings, resource))
        refuse(c, 400, "invalid_resource",
               arena_printf(c->r->arena,
                            "AADSTS50001: The application named %s was not found in the tenant "
                            "named %s.",
                            resource, c->s->tokens.tenant_guid));
    else if (choose(c, &identity))
        give(c, &identity, resource);
}

void imds_handle(struct sandbox *s, struct request *r, struct answer *a)
{
    struct imds_call c = {.s = s, .r = r, .a = a};
    answer(&c);
    const struct sign_in_entry entry = {.endpoint = "imds", .error = c.error, .status = a->status};
    journal_sign_in(&s->journal, &entry);
}
