#include "graph.h"

#include "permission.h"
#include "profile.h"
#include "reports.h"

#include "postern/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool graph_error(struct call *c, int status, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct buf text = BUF_INIT(8192);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    char now[CLOCK_ISO_SIZE];
    clock_format_iso(clock_wall_ms(), now);
    now[strlen(now) - 1] = '\0'; /* Graph writes this one date without its Z */
    const char *client = request_header(c->r, "client-request-id");
    struct json_object *inner = json_object_new_object();
    json_object_object_add(inner, "date", json_object_new_string(now));
    json_object_object_add(inner, "request-id", json_object_new_string(c->r->request_id));
    json_object_object_add(inner, "client-request-id",
                           json_object_new_string(client ? client : c->r->request_id));
    struct json_object *error = json_object_new_object();
    json_object_object_add(error, "code", json_object_new_string(code));
    json_object_object_add(error, "message", json_object_new_string(buf_str(&text)));
    json_object_object_add(error, "innerError", inner);
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "error", error);
    answer_json(c->a, status, o);
    buf_free(&text);
    return false;
}

void graph_method_error(struct call *c)
{
    graph_error(c, 405, "Request_BadRequest",
                "Specified HTTP method is not allowed for the request target.");
}

static bool is_guid(const char *s)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
            return false;
    }
    return s[36] == '\0';
}

static const char common_authority[] = "https://login.microsoftonline.com/common/oauth2/authorize";

static void want_claim(struct json_object *o, const char *name, const char *value)
{
    struct json_object *claim = json_object_new_object();
    json_object_object_add(claim, "essential", json_object_new_boolean(true));
    json_object_object_add(claim, "value", json_object_new_string(value));
    json_object_object_add(o, name, claim);
}

/* The claims challenge of continuous access evaluation (Entra: claims-challenge). */
static bool challenge(struct call *c, const struct claims *wanted)
{
    struct buf claims = BUF_INIT(1024);
    struct json_object *o = json_object_new_object(), *token = json_object_new_object();
    if (wanted->nbf_s)
        want_claim(token, "nbf", arena_printf(c->r->arena, "%lld", (long long)wanted->nbf_s));
    if (wanted->acrs[0])
        want_claim(token, "acrs", wanted->acrs);
    json_object_object_add(o, "access_token", token);
    const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
    base64_encode(text, strlen(text), &claims);
    json_object_put(o);
    answer_header(c->a, "WWW-Authenticate",
                  arena_printf(c->r->arena,
                               "Bearer realm=\"\", authorization_uri=\"%s\", "
                               "error=\"insufficient_claims\", claims=\"%s\"",
                               common_authority, buf_str(&claims)));
    buf_free(&claims);
    return graph_error(c, 401, "InvalidAuthenticationToken",
                       "Continuous access evaluation resulted in challenge with result: "
                       "InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp");
}

static bool check_token(struct call *c)
{
    static const char bearer[] = "Bearer ";
    const char *header = request_header(c->r, "Authorization");
    if (!header || strncasecmp(header, bearer, sizeof bearer - 1) != 0)
        return graph_error(c, 401, "InvalidAuthenticationToken", "Access token is empty.");
    struct claims wanted = {.nbf_s = 0};
    switch (token_check(&c->s->tokens, header + sizeof bearer - 1, &c->r->caller, &wanted)) {
    case TOKEN_GOOD:
        return true;
    case TOKEN_CHALLENGED:
        return challenge(c, &wanted);
    case TOKEN_EXPIRED:
        return graph_error(c, 401, "InvalidAuthenticationToken",
                           "Lifetime validation failed, the token is expired.");
    case TOKEN_UNKNOWN:
        break;
    }
    return graph_error(c, 401, "InvalidAuthenticationToken",
                       "CompactToken parsing failed with error code: 80049217");
}

bool graph_admit(struct sandbox *s, struct request *r, struct answer *a)
{
    struct call c = {.s = s, .r = r, .a = a};
    const char *id = request_header(r, "client-request-id");
    if (!id || !is_guid(id))
        journal_violation(&s->journal, "client-request-id", "%s %s: client-request-id is %s",
                          r->method, r->path, id ? "no GUID" : "missing");
    if (!check_token(&c)) {
        if (!answer_get_header(a, "WWW-Authenticate"))
            answer_header(a, "WWW-Authenticate",
                          arena_printf(r->arena,
                                       "Bearer realm=\"\", authorization_uri=\"%s\", client_id="
                                       "\"00000003-0000-0000-c000-000000000000\"",
                                       common_authority));
        return false;
    }
    if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "POST") != 0 &&
        strcmp(r->method, "PATCH") != 0 && strcmp(r->method, "DELETE") != 0) {
        graph_method_error(&c);
        return false;
    }
    if (r->body_len > REQUEST_BODY_MAX)
        return graph_error(&c, s->settings.too_large == TOO_LARGE_413 ? 413 : 400, "BadRequest",
                           "Maximum request length exceeded.");
    return true;
}

/* How many segments come before those of the mailbox: /v1.0/me, /v1.0/users/{id}; 0: neither. */
static size_t mailbox_at(const struct request *r)
{
    if (r->segment_count > 3 && strcmp(r->segments[1], "users") == 0)
        return 3;
    if (r->segment_count > 2 && strcmp(r->segments[1], "me") == 0)
        return 2;
    return 0;
}

struct mailbox *graph_mailbox_of(const struct sandbox *s, const struct request *r)
{
    switch (mailbox_at(r)) {
    case 3:
        return model_find(&s->model, r->segments[2]);
    case 2:
        return r->caller.self;
    default:
        return NULL;
    }
}

void graph_throttled(struct sandbox *s, struct request *r, struct answer *a)
{
    struct call c = {.s = s, .r = r, .a = a};
    int64_t ms = s->settings.retry_after_ms;
    const char *wait =
        arena_printf(r->arena, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000));
    if (ms % 1000 == 0)
        wait = arena_printf(r->arena, "%lld", (long long)(ms / 1000));
    graph_error(&c, 429, "ApplicationThrottled",
                "Application is over its MailboxConcurrency limit.");
    answer_header(a, "Retry-After", wait);
}

bool graph_is_batch(const struct request *r)
{
    return r->segment_count == 2 && strcmp(r->segments[0], "v1.0") == 0 &&
           strcmp(r->segments[1], "$batch") == 0;
}

bool graph_check_options(struct call *c)
{
    for (size_t i = 0; i < c->r->param_count; i++) {
        const struct request_pair *p = &c->r->params[i];
        for (size_t k = 0; k < i; k++) {
            if (strcmp(c->r->params[k].name, p->name) == 0)
                return graph_error(c, 400, "BadRequest",
                                   "Query option '%s' was specified more than once, but it must be "
                                   "specified at most once.",
                                   p->name);
        }
        if (p->ours)
            continue;
        journal_violation(&c->s->journal, "unknown-option", "%s %s: query option %s", c->r->method,
                          c->r->path, p->name);
        return graph_error(c, 400, "BadRequest",
                           p->name[0] == '$' ? "The query parameter '%s' is not supported."
                                             : "Unrecognized query argument specified: '%s'.",
                           p->name);
    }
    return true;
}

struct json_object *graph_body(struct call *c)
{
    const char *type = request_header(c->r, "Content-Type");
    static const char json[] = "application/json";
    if (!type || strncasecmp(type, json, sizeof json - 1) != 0) {
        graph_error(c, 400, "RequestBodyRead",
                    "A missing or unsupported Content-Type header was specified.");
        return NULL;
    }
    struct json_tokener *t = json_tokener_new_ex(GRAPH_JSON_DEPTH);
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *o = json_tokener_parse_ex(t, c->r->body, (int)c->r->body_len);
    bool ok = json_tokener_get_error(t) == json_tokener_success &&
              json_tokener_get_parse_end(t) == c->r->body_len &&
              json_object_is_type(o, json_type_object);
    json_tokener_free(t);
    if (ok)
        return o;
    json_object_put(o);
    graph_error(c, 400, "BadRequest",
                "Unable to read JSON request payload. Please ensure Content-Type header is set "
                "and payload is of valid JSON format.");
    return NULL;
}

bool graph_destination(struct call *c, struct folder **out)
{
    if (!graph_check_options(c))
        return false;
    struct json_object *body = graph_body(c);
    if (!body)
        return false;
    struct json_object *id = NULL;
    bool ok = json_object_object_get_ex(body, "destinationId", &id) &&
              json_object_is_type(id, json_type_string) && json_object_object_length(body) == 1;
    if (ok)
        ok = graph_find_folder(c, json_object_get_string(id), out);
    else
        graph_error(c, 400, "RequestBodyRead",
                    "The parameter 'destinationId' is missing, of the wrong type, or not alone.");
    json_object_put(body);
    return ok;
}

bool graph_find_folder(struct call *c, const char *id, struct folder **out)
{
    *out = mailbox_well_known(c->b, id);
    if (*out)
        return true;
    switch (id_find_folder(c->b, id, out)) {
    case ID_FOUND:
        return true;
    case ID_GONE:
        return graph_error(c, 404, "ErrorItemNotFound",
                           "The specified object was not found in the store.");
    case ID_MALFORMED:
        break;
    }
    /* A well-known name that this mailbox lacks looks the same as one that does not exist. */
    for (const char *p = id; *p; p++) {
        if (!islower((unsigned char)*p))
            return graph_error(c, 400, "ErrorInvalidIdMalformed", "Id is malformed.");
    }
    return graph_error(c, 404, "ErrorItemNotFound",
                       "The specified object was not found in the store.");
}

bool graph_find_message(struct call *c, const char *id, struct message **out)
{
    bool immutable = false;
    enum id_fault fault = id_find_message(c->b, id, out, &immutable);
    if (fault == ID_MALFORMED)
        return graph_error(c, 400, "ErrorInvalidIdMalformed", "Id is malformed.");
    if (!immutable || !c->immutable)
        journal_violation(&c->s->journal, "immutable-id", "%s %s: %s", c->r->method, c->r->path,
                          immutable ? "an immutable id without Prefer: IdType=\"ImmutableId\""
                                    : "an ordinary message id, which dies with the next move");
    if (fault == ID_GONE)
        return graph_error(c, 404, "ErrorItemNotFound",
                           "The specified object was not found in the store.");
    return true;
}

bool graph_has_room(struct call *c)
{
    enum quota_mode mode = (enum quota_mode)c->s->settings.mailbox_full;
    if (mode == QUOTA_NONE && c->b->message_count < MESSAGES_MAX)
        return true;
    return graph_error(c, mode == QUOTA_403 ? 403 : 507, "ErrorQuotaExceeded",
                       "The mailbox storage quota has been exceeded.");
}

void graph_wrote(struct call *c, struct message *m)
{
    if (c->s->settings.late_touch_ms > 0)
        message_touch_later(m, c->s->settings.late_touch_ms);
}

void graph_tells_ids(struct call *c)
{
    if (!c->immutable)
        journal_violation(&c->s->journal, "immutable-id",
                          "%s %s: message ids are read without Prefer: IdType=\"ImmutableId\"",
                          c->r->method, c->r->path);
}

const char *graph_context(struct call *c, const char *rest)
{
    return arena_printf(c->r->arena, "%s/v1.0/$metadata#users('%s')/%s", c->r->origin,
                        request_escape(c->r->arena, c->b->guid, ""), rest);
}

void graph_no_content(struct call *c)
{
    c->a->status = 204;
    buf_clear(&c->a->body);
}

static void route(struct call *c)
{
    if (c->r->segment_count == 0 || strcmp(c->r->segments[0], "v1.0") != 0) {
        graph_error(c, 400, "BadRequest", "Invalid version: %s",
                    c->r->segment_count ? c->r->segments[0] : "");
    } else if (profile_is_wanted(c->r)) {
        profile_handle(c);
    } else if (reports_is_wanted(c->r)) {
        reports_handle(c);
    } else if (c->depth == 0) {
        graph_error(c, 400, "BadRequest", "Resource not found for the segment '%s'.",
                    c->r->segment_count > 1 ? c->r->segments[1] : "");
    } else if (!c->b && strcmp(c->r->segments[1], "me") == 0) {
        graph_error(c, 400, "BadRequest",
                    "/me request is only valid with delegated authentication flow.");
    } else if (!c->b) {
        graph_error(c, 404, "ErrorInvalidUser", "The requested user '%s' is invalid.",
                    c->r->segments[2]);
    } else if (!permission_mailbox(c)) {
        return;
    } else if (strcmp(c->path[0], "messages") == 0) {
        messages_handle(c);
    } else if (strcmp(c->path[0], "mailFolders") == 0) {
        folders_handle(c);
    } else {
        graph_error(c, 400, "BadRequest", "Resource not found for the segment '%s'.", c->path[0]);
    }
}

void graph_dispatch(struct sandbox *s, struct request *r, struct answer *a)
{
    size_t at = mailbox_at(r);
    struct call c = {
        .s = s,
        .r = r,
        .a = a,
        .b = graph_mailbox_of(s, r),
        .immutable = request_prefers(r, "IdType=\"ImmutableId\""),
        .path = r->segments + at,
        .depth = at ? r->segment_count - at : 0,
    };
    if (!reports_is_wanted(r) && strpbrk(r->raw_path, "=+"))
        journal_violation(&s->journal, "unescaped-id", "%s %s: an id is not percent-encoded",
                          r->method, r->raw_path);
    if (c.b)
        mailbox_touch_late(c.b);
    route(&c);
}
