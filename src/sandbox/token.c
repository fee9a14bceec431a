#include "token.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define ASSERTION_TYPE  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define SCOPE_SUFFIX    "/.default"
#define SIGNATURE_BYTES 256
#define TOKENS_MAX      100000

void token_issuer_init(struct token_issuer *t)
{
    memset(t, 0, sizeof *t);
    t->issued = table_new();
    t->seen_jti = table_new();
}

static bool free_value(void *arg, const char *key, void *value)
{
    (void)arg;
    (void)key;
    free(value);
    return true;
}

static void forget_tokens(struct token_issuer *t)
{
    table_each(t->issued, free_value, NULL);
    table_free(&t->issued);
}

void token_issuer_free(struct token_issuer *t)
{
    forget_tokens(t);
    table_free(&t->seen_jti);
    X509_free(t->certificate);
    free(t->tenant);
    free(t->client_id);
    secret_free(t->client_secret);
}

bool token_is_endpoint(const struct request *r)
{
    return r->segment_count == 4 && strcmp(r->segments[1], "oauth2") == 0 &&
           strcmp(r->segments[2], "v2.0") == 0 && strcmp(r->segments[3], "token") == 0;
}

/* The error object of the token endpoint (Entra: reference-error-codes). */
static void refuse(struct answer *a, int status, const char *error, int code, const char *text)
{
    char trace[GUID_SIZE], correlation[GUID_SIZE], now[CLOCK_ISO_SIZE], stamp[32];
    guid_make(trace);
    guid_make(correlation);
    clock_format_iso(clock_wall_ms(), now);
    snprintf(stamp, sizeof stamp, "%.10s %.8sZ", now, now + 11);
    char *description = xasprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
                                  code, text, trace, correlation, stamp);
    char *uri = xasprintf("https://login.microsoftonline.com/error?code=%d", code);
    struct json_object *o = json_object_new_object();
    struct json_object *codes = json_object_new_array();
    json_object_array_add(codes, json_object_new_int(code));
    json_object_object_add(o, "error", json_object_new_string(error));
    json_object_object_add(o, "error_description", json_object_new_string(description));
    json_object_object_add(o, "error_codes", codes);
    json_object_object_add(o, "timestamp", json_object_new_string(stamp));
    json_object_object_add(o, "trace_id", json_object_new_string(trace));
    json_object_object_add(o, "correlation_id", json_object_new_string(correlation));
    json_object_object_add(o, "error_uri", json_object_new_string(uri));
    answer_header(a, "Content-Type", "application/json; charset=utf-8");
    answer_json(a, status, o);
    free(description);
    free(uri);
}

/* Form fields are looked up in a request of their own whose query is the form. */
static const char *field(struct request *form, const char *name)
{
    const char *value = request_param(form, name);
    return value && *value ? value : NULL;
}

static bool parse_form(const struct request *r, struct request *form)
{
    const char *type = request_header(r, "Content-Type");
    static const char wanted[] = "application/x-www-form-urlencoded";
    if (!type || strncasecmp(type, wanted, sizeof wanted - 1) != 0 ||
        strlen(r->body) != r->body_len)
        return false;
    *form = (struct request){.arena = r->arena};
    return request_parse_target(form, arena_printf(r->arena, "/?%s", r->body));
}

/* Either kind of client authentication; false: `a` has the refusal. */
static bool client_is_known(struct token_issuer *t, const struct request *r, struct request *form,
                            struct answer *a)
{
    const char *secret = field(form, "client_secret");
    const char *type = field(form, "client_assertion_type");
    const char *assertion = field(form, "client_assertion");
    if (!secret && !assertion) {
        refuse(a, 401, "invalid_client", 7000218,
               "The request body must contain the following parameter: 'client_assertion' or "
               "'client_secret'.");
        return false;
    }
    if (assertion) {
        int code = 0;
        const char *audience = arena_printf(r->arena, "%s%s", r->origin, r->path);
        const char *text = "The client assertion type is not supported.";
        if (type && strcmp(type, ASSERTION_TYPE) == 0)
            text = assertion_verify(t, assertion, audience, &code);
        if (text)
            refuse(a, 401, "invalid_client", code ? code : 50027, text);
        return !text;
    }
    if (secret_equal(secret, strlen(secret), t->client_secret, strlen(t->client_secret)))
        return true;
    refuse(a, 401, "invalid_client", 7000215,
           "Invalid client secret provided. Ensure the secret being sent in the request is the "
           "client secret value, not the client secret ID, for a secret added to the app.");
    return false;
}

/* "https://{host}/.default", the host being Graph's: ours, or the real one's. */
static bool scope_is_graph(const struct request *r, const char *scope)
{
    size_t len = strlen(scope), tail = strlen(SCOPE_SUFFIX);
    if (len <= tail || strcmp(scope + len - tail, SCOPE_SUFFIX) != 0)
        return false;
    const char *host = arena_strndup(r->arena, scope, len - tail);
    return strcmp(host, r->origin) == 0 || strcmp(host, "https://graph.microsoft.com") == 0;
}

static char *encode_part(const void *data, size_t len)
{
    struct buf out = BUF_INIT(8192);
    base64url_encode(data, len, &out);
    return buf_steal(&out);
}

/* Shaped like a JWT and as long as real ones; its content means nothing to anybody. */
static char *make_token(const struct token_issuer *t, int64_t life_s)
{
    uint8_t signature[SIGNATURE_BYTES];
    char guid[GUID_SIZE];
    random_bytes(signature, sizeof signature);
    guid_make(guid);
    long long now = (long long)(clock_wall_ms() / 1000);
    char *claims = xasprintf(
        "{\"aud\":\"https://graph.microsoft.com\",\"iss\":\"https://sts.windows.net/%s/\","
        "\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld,\"app_displayname\":\"Postern\",\"appid\":\"%s\","
        "\"idtyp\":\"app\",\"roles\":[\"Mail.ReadWrite\"],\"tid\":\"%s\",\"uti\":\"%s\","
        "\"ver\":\"1.0\"}",
        t->tenant_guid, now, now, now + (long long)life_s, t->client_id, t->tenant_guid, guid);
    static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5t\":\"sandbox\"}";
    char *first = encode_part(head, sizeof head - 1);
    char *second = encode_part(claims, strlen(claims));
    char *third = encode_part(signature, sizeof signature);
    char *token = xasprintf("%s.%s.%s", first, second, third);
    free(claims);
    free(first);
    free(second);
    free(third);
    return token;
}

static void issue(struct token_issuer *t, int64_t life_s, struct answer *a)
{
    if (table_count(t->issued) >= TOKENS_MAX)
        token_expire_all(t);
    char *token = make_token(t, life_s);
    int64_t *expiry = xmalloc(sizeof *expiry);
    *expiry = clock_mono_ms() + life_s * CLOCK_SECOND;
    free(table_put(t->issued, token, expiry));
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "token_type", json_object_new_string("Bearer"));
    json_object_object_add(o, "expires_in", json_object_new_int64(life_s));
    json_object_object_add(o, "ext_expires_in", json_object_new_int64(life_s));
    json_object_object_add(o, "access_token", json_object_new_string(token));
    answer_header(a, "Content-Type", "application/json; charset=utf-8");
    answer_header(a, "Cache-Control", "no-store, no-cache");
    answer_json(a, 200, o);
    secret_free(token);
}

void token_handle(struct token_issuer *t, const struct request *r, int64_t life_s, struct answer *a)
{
    struct request form;
    if (strcmp(r->method, "POST") != 0 || !parse_form(r, &form)) {
        refuse(a, 400, "invalid_request", 900144,
               "The request body must contain the following parameter: 'grant_type'.");
        return;
    }
    if (strcasecmp(r->segments[0], t->tenant) != 0 &&
        strcasecmp(r->segments[0], t->tenant_guid) != 0) {
        refuse(a, 400, "invalid_request", 90002,
               arena_printf(r->arena,
                            "Tenant '%s' not found. Check to make sure you have the "
                            "correct tenant ID and are signing into the correct cloud.",
                            r->segments[0]));
        return;
    }
    const char *grant = field(&form, "grant_type");
    const char *client = field(&form, "client_id");
    const char *scope = field(&form, "scope");
    if (!grant || strcmp(grant, "client_credentials") != 0)
        refuse(a, 400, "unsupported_grant_type", 70003,
               "The app requested an unsupported grant type.");
    else if (!client)
        refuse(a, 400, "invalid_request", 900144,
               "The request body must contain the following parameter: 'client_id'.");
    else if (strcasecmp(client, t->client_id) != 0)
        refuse(a, 400, "unauthorized_client", 700016,
               arena_printf(r->arena,
                            "Application with identifier '%s' was not found in the "
                            "directory '%s'.",
                            client, t->tenant));
    else if (!scope)
        refuse(a, 400, "invalid_request", 900144,
               "The request body must contain the following parameter: 'scope'.");
    else if (!scope_is_graph(r, scope))
        refuse(a, 400, "invalid_scope", 70011,
               arena_printf(r->arena,
                            "The provided value for the input parameter 'scope' is not "
                            "valid. The scope %s is not valid.",
                            scope));
    else if (client_is_known(t, r, &form, a))
        issue(t, life_s, a);
}

enum token_state token_check(const struct token_issuer *t, const char *token)
{
    const int64_t *expiry = table_get(t->issued, token);
    if (!expiry)
        return TOKEN_UNKNOWN;
    return clock_mono_ms() < *expiry ? TOKEN_GOOD : TOKEN_EXPIRED;
}

void token_expire_all(struct token_issuer *t)
{
    forget_tokens(t);
    t->issued = table_new();
}
