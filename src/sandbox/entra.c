#include "entra.h"

#include "authorize.h"
#include "device.h"
#include "federation.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define GRAPH_ORIGIN   "https://graph.microsoft.com"
#define CLAIMS_DEPTH   8

static const struct {
    const char *name, *method;
    void (*fn)(struct entra_call *c);
} endpoints[] = {
    {"token", "POST", grants_handle},
    {"devicecode", "POST", device_begin},
    {"authorize", "GET", authorize_handle},
};

bool entra_is_endpoint(const struct request *r)
{
    if (r->segment_count != 4 || strcmp(r->segments[1], "oauth2") != 0 ||
        strcmp(r->segments[2], "v2.0") != 0)
        return false;
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        if (strcmp(endpoints[i].name, r->segments[3]) == 0)
            return true;
    }
    return false;
}

bool entra_is_token_endpoint(const struct request *r)
{
    return entra_is_endpoint(r) && strcmp(r->segments[3], "token") == 0;
}

bool entra_refuse(struct entra_call *c, int status, const char *word, int number, const char *fmt,
                  ...)
{
    char trace[GUID_SIZE], correlation[GUID_SIZE], now[CLOCK_ISO_SIZE], stamp[32];
    va_list ap;
    va_start(ap, fmt);
    char *text = xvasprintf(fmt, ap);
    va_end(ap);
    guid_make(trace);
    guid_make(correlation);
    clock_format_iso(clock_wall_ms(), now);
    snprintf(stamp, sizeof stamp, "%.10s %.8sZ", now, now + 11);
    char *description = xasprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
                                  number, text, trace, correlation, stamp);
    char *uri = xasprintf("https://login.microsoftonline.com/error?code=%d", number);
    struct json_object *o = json_object_new_object();
    struct json_object *codes = json_object_new_array();
    json_object_array_add(codes, json_object_new_int(number));
    json_object_object_add(o, "error", json_object_new_string(word));
    json_object_object_add(o, "error_description", json_object_new_string(description));
    json_object_object_add(o, "error_codes", codes);
    json_object_object_add(o, "timestamp", json_object_new_string(stamp));
    json_object_object_add(o, "trace_id", json_object_new_string(trace));
    json_object_object_add(o, "correlation_id", json_object_new_string(correlation));
    json_object_object_add(o, "error_uri", json_object_new_string(uri));
    answer_header(c->a, "Content-Type", "application/json; charset=utf-8");
    answer_json(c->a, status, o);
    c->error = word;
    c->number = number;
    c->description = arena_strdup(c->r->arena, description);
    free(text);
    free(description);
    free(uri);
    return false;
}

/* The form's fields become the query options of a request of their own, to be looked up there. */
static bool parse_form(struct entra_call *c)
{
    const struct request *r = c->r;
    const char *type = request_header(r, "Content-Type");
    static const char wanted[] = "application/x-www-form-urlencoded";
    c->form = (struct request){.arena = r->arena};
    if (strcmp(r->method, "GET") == 0)
        return request_parse_target(&c->form, arena_printf(r->arena, "/?%s", r->raw_query));
    return type && strncasecmp(type, wanted, sizeof wanted - 1) == 0 &&
           strlen(r->body) == r->body_len &&
           request_parse_target(&c->form, arena_printf(r->arena, "/?%s", r->body));
}

const char *entra_field(struct entra_call *c, const char *name)
{
    const char *value = request_param(&c->form, name);
    return value && *value ? value : NULL;
}

const char *entra_need(struct entra_call *c, const char *name)
{
    const char *value = entra_field(c, name);
    if (!value)
        entra_refuse(c, 400, "invalid_request", 900144,
                     "The request body must contain the following parameter: '%s'.", name);
    return value;
}

/* No field twice (RFC 6749 section 3.2). */
static bool check_form(struct entra_call *c)
{
    for (size_t i = 0; i < c->form.param_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(c->form.params[i].name, c->form.params[k].name) == 0)
                return entra_refuse(c, 400, "invalid_request", 9002313,
                                    "Invalid request. Request is malformed or invalid.");
        }
    }
    return true;
}

static bool check_tenant(struct entra_call *c)
{
    const struct token_issuer *t = &c->s->tokens;
    const char *tenant = c->r->segments[0];
    if (strcasecmp(tenant, t->tenant) == 0 || strcasecmp(tenant, t->tenant_guid) == 0)
        return true;
    if (strcasecmp(tenant, "common") == 0 || strcasecmp(tenant, "organizations") == 0)
        return entra_refuse(c, 400, "invalid_request", 50194,
                            "Application '%s' is not configured as a multi-tenant application. "
                            "Usage of the /common endpoint is not supported for such applications. "
                            "Use a tenant-specific endpoint or configure the application to be "
                            "multi-tenant.",
                            t->client_id);
    return entra_refuse(c, 400, "invalid_request", 90002,
                        "Tenant '%s' not found. Check to make sure you have the correct tenant ID "
                        "and are signing into the correct cloud.",
                        tenant);
}

static bool check_client(struct entra_call *c)
{
    const struct token_issuer *t = &c->s->tokens;
    const char *client = entra_need(c, "client_id");
    if (!client)
        return false;
    if (strcasecmp(client, t->client_id) == 0)
        return true;
    return entra_refuse(c, 400, "unauthorized_client", 700016,
                        "Application with identifier '%s' was not found in the directory '%s'.",
                        client, t->tenant);
}

static struct json_object *member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    json_object_object_get_ex(o, name, &v);
    return v;
}

/* {"xms_cc":{"values":["cp1"]},"nbf":{"value":"1700000000"},"acrs":{"value":"c1"}}
 * (Entra: claims-challenge); capabilities ignore case. */
static void read_claims(struct entra_call *c, struct json_object *wanted)
{
    struct json_object *values = member(member(wanted, "xms_cc"), "values");
    size_t count =
        json_object_is_type(values, json_type_array) ? json_object_array_length(values) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *value = json_object_get_string(json_object_array_get_idx(values, i));
        c->claims.cp1 = c->claims.cp1 || (value && strcasecmp(value, "cp1") == 0);
    }
    struct json_object *nbf = member(member(wanted, "nbf"), "value");
    struct json_object *acrs = member(member(wanted, "acrs"), "value");
    c->claims.nbf_s = nbf ? strtoll(json_object_get_string(nbf), NULL, 10) : 0;
    if (acrs)
        snprintf(c->claims.acrs, sizeof c->claims.acrs, "%s", json_object_get_string(acrs));
}

/* The parameter "claims": {"access_token":{…}}. */
static bool take_claims(struct entra_call *c)
{
    const char *text = entra_field(c, "claims");
    if (!text)
        return true;
    struct json_tokener *t = json_tokener_new_ex(CLAIMS_DEPTH);
    json_tokener_set_flags(t, JSON_TOKENER_STRICT);
    struct json_object *o = json_tokener_parse_ex(t, text, (int)strlen(text) + 1);
    json_tokener_free(t);
    struct json_object *wanted = member(o, "access_token");
    if (!json_object_is_type(o, json_type_object) ||
        (wanted && !json_object_is_type(wanted, json_type_object))) {
        json_object_put(o);
        return entra_refuse(c, 400, "invalid_request", 90100,
                            "claims parameter is empty or not valid.");
    }
    read_claims(c, wanted);
    json_object_put(o);
    return true;
}

bool entra_is_graph(const struct settings *s, const char *origin, size_t len)
{
    static const char *const hosts[] = {"https://127.0.0.1", "https://localhost", "https://[::1]"};
    if (len == sizeof GRAPH_ORIGIN - 1 && strncmp(origin, GRAPH_ORIGIN, len) == 0)
        return true;
    for (size_t i = 0; s->local_graph && i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t n = strlen(hosts[i]);
        if (len >= n && strncmp(origin, hosts[i], n) == 0 && (len == n || origin[n] == ':'))
            return true;
    }
    return false;
}

/* The part of a scope's name behind Graph's address, if that is before it. */
static const char *graph_part(const struct settings *s, const char *scope)
{
    const char *slash = strrchr(scope, '/');
    return slash && entra_is_graph(s, scope, (size_t)(slash - scope)) ? slash + 1 : scope;
}

bool entra_scopes(struct entra_call *c, const char *text, scope_set *out)
{
    scope_set set = 0;
    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        char *word = arena_strndup(c->r->arena, text, strcspn(text, " "));
        const char *name = graph_part(&c->s->settings, word);
        scope_set one = strcmp(name, ".default") == 0
                            ? c->s->settings.consented & ~(scope_set)SCOPE_OIDC
                            : scope_by_name(name, strlen(name));
        if (!one)
            return entra_refuse(c, 400, "invalid_scope", 70011,
                                "The provided value for the input parameter 'scope' is not valid. "
                                "The scope %s is not valid.",
                                word);
        set |= one;
        text += strlen(word);
    }
    if (set & ~(c->s->settings.consented | SCOPE_OIDC))
        return entra_refuse(c, 400, "consent_required", 65001,
                            "The user or administrator has not consented to use the application "
                            "with ID '%s'. Send an interactive authorization request for this user "
                            "and resource.",
                            c->s->tokens.client_id);
    *out = set;
    return true;
}

static bool check_assertion(struct entra_call *c, const char *assertion)
{
    int number = 50027;
    const char *type = entra_field(c, "client_assertion_type");
    const char *audience = arena_printf(c->r->arena, "%s%s", c->r->origin, c->r->path);
    const char *why = "The client assertion type is not supported.";
    if (type && strcmp(type, ASSERTION_TYPE) == 0)
        why = federation_is_foreign(assertion)
                  ? federation_verify(c->s, assertion, c->r->arena, &number)
                  : assertion_verify(&c->s->tokens, assertion, audience, &number);
    return !why || entra_refuse(c, 401, "invalid_client", number, "%s", why);
}

bool entra_client_is_known(struct entra_call *c)
{
    const char *ours = c->s->tokens.client_secret;
    const char *secret = entra_field(c, "client_secret");
    const char *assertion = entra_field(c, "client_assertion");
    if (assertion)
        return check_assertion(c, assertion);
    if (!secret)
        return entra_refuse(c, 401, "invalid_client", 7000218,
                            "The request body must contain the following parameter: "
                            "'client_assertion' or 'client_secret'.");
    return secret_equal(secret, strlen(secret), ours, strlen(ours)) ||
           entra_refuse(c, 401, "invalid_client", 7000215,
                        "Invalid client secret provided. Ensure the secret being sent in the "
                        "request is the client secret value, not the client secret ID, for a "
                        "secret added to the app.");
}

bool entra_client_may_sign_in(struct entra_call *c)
{
    if (!c->s->settings.public_client)
        return entra_client_is_known(c);
    if (!entra_field(c, "client_secret") && !entra_field(c, "client_assertion"))
        return true;
    return entra_refuse(c, 401, "invalid_client", 700025,
                        "Client is public so neither 'client_assertion' nor 'client_secret' should "
                        "be presented.");
}

static void dispatch(struct entra_call *c)
{
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        if (strcmp(endpoints[i].name, c->r->segments[3]) != 0)
            continue;
        if (strcmp(endpoints[i].method, c->r->method) != 0)
            entra_refuse(c, 400, "invalid_request", 900561,
                         "The endpoint only accepts %s requests. Received a %s request.",
                         endpoints[i].method, c->r->method);
        else if (!parse_form(c))
            entra_refuse(c, 400, "invalid_request", 900144,
                         "The request body must contain the following parameter: 'grant_type'.");
        else if (check_form(c) && check_tenant(c) && check_client(c) && take_claims(c))
            endpoints[i].fn(c);
    }
}

void entra_handle(struct sandbox *s, const struct request *r, struct answer *a)
{
    struct entra_call c = {.s = s, .r = r, .a = a};
    dispatch(&c);
    const struct mailbox *b = c.account ? c.account->mailbox : NULL;
    const struct sign_in_entry entry = {.endpoint = r->segments[3],
                                        .grant =
                                            c.form.params ? entra_field(&c, "grant_type") : NULL,
                                        .user = b ? b->upn : NULL,
                                        .error = c.error,
                                        .number = c.number,
                                        .status = a->status};
    journal_sign_in(&s->journal, &entry);
}
