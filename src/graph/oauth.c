#include "oauth.h"

#include "json.h"

#include "postern/base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DESCRIPTION_SHOWN 160

void oauth_request_free(struct oauth_request *r)
{
    free(r->url);
    r->url = NULL;
    buf_free_secret(&r->form);
}

/* The token goes into a header: visible ASCII, no space (RFC 6750 section 2.1). */
static bool plain_token(const char *s)
{
    size_t n = 0;
    for (; s[n]; n++) {
        if (s[n] <= ' ' || s[n] >= 0x7f || n >= OAUTH_TOKEN_MAX)
            return false;
    }
    return n > 0;
}

static bool decode_grant(struct json_object *root, struct oauth_token *out, struct error *e)
{
    const char *type = json_peek_string(root, "token_type");
    const char *access = json_peek_string(root, "access_token");
    int64_t seconds;
    bool present;
    if (!access || !plain_token(access))
        return error_set(e, ERROR_ANSWER, "the sign-in server's answer holds no usable token");
    if (type && strcasecmp(type, "Bearer") != 0)
        return error_set(e, ERROR_ANSWER,
                         "the sign-in server gave a token that is no bearer token");
    if (!json_get_int(root, "expires_in", &seconds, &present, e))
        return false;
    if (!present)
        return error_set(e, ERROR_ANSWER, "the sign-in server's answer has no expires_in");
    if (seconds < OAUTH_LIFETIME_MIN_MS / 1000)
        seconds = OAUTH_LIFETIME_MIN_MS / 1000;
    if (seconds > OAUTH_LIFETIME_MAX_MS / 1000)
        seconds = OAUTH_LIFETIME_MAX_MS / 1000;
    out->lifetime_ms = seconds * 1000;
    out->access = xstrdup(access);
    return true;
}

/* From "error_codes", or from "AADSTS70011: …" in the description; 0: none. */
static int aadsts_number(struct json_object *root, const char *description)
{
    struct json_object *codes = NULL;
    if (json_object_object_get_ex(root, "error_codes", &codes) &&
        json_object_is_type(codes, json_type_array) && json_object_array_length(codes) > 0)
        return json_object_get_int(json_object_array_get_idx(codes, 0));
    const char *p = description ? strstr(description, "AADSTS") : NULL;
    return p ? (int)strtol(p + 6, NULL, 10) : 0;
}

static enum error_kind kind_of_status(int status)
{
    if (status == 429)
        return ERROR_THROTTLED;
    if (status == 408 || status >= 500)
        return ERROR_TEMPORARY;
    return ERROR_SIGN_IN;
}

static void explain_refusal(const struct answer *a, struct json_object *root, struct error *e)
{
    const char *word = json_peek_string(root, "error");
    const char *description = json_peek_string(root, "error_description");
    int number = aadsts_number(root, description);
    const struct aadsts *known = aadsts_find(number);
    enum error_kind kind = known ? known->kind : kind_of_status(a->status);
    const char *advice =
        known ? known->advice : "check the tenant's settings and the app in Entra ID";
    size_t shown = description ? strcspn(description, "\r\n") : 0;
    error_set(e, kind, "the sign-in to Microsoft 365 is refused: %s; %s (%.*s)",
              word ? word : "no reason given", advice,
              (int)(shown < DESCRIPTION_SHOWN ? shown : DESCRIPTION_SHOWN),
              description ? description : "no description");
    if (number)
        snprintf(e->code, sizeof e->code, "AADSTS%d", number);
    else
        graph_error_word(e->code, sizeof e->code, word);
    graph_error_word(e->request_id, sizeof e->request_id, json_peek_string(root, "trace_id"));
}

static void explain_status(const struct answer *a, struct error *e)
{
    if (a->status >= 300 && a->status < 400)
        error_set(
            e, ERROR_ANSWER,
            "the sign-in server redirects to %s; Postern follows no redirects: check login-url",
            a->location);
    else
        error_set(e, a->status < 300 ? ERROR_ANSWER : kind_of_status(a->status),
                  "the sign-in server, or a proxy before it, answered %d without a reason; check "
                  "login-url, tenant-id and the proxy",
                  a->status);
}

bool oauth_token_decode(const struct answer *a, const char *body, size_t len,
                        struct oauth_token *out, struct error *e)
{
    struct error ignored = ERROR_INIT;
    bool ok = false;
    memset(out, 0, sizeof *out);
    struct json_object *root = json_read(body, len, &ignored);
    if (root && a->status == 200)
        ok = decode_grant(root, out, e);
    else if (root && json_peek_string(root, "error"))
        explain_refusal(a, root, e);
    else
        explain_status(a, e);
    json_object_put(root);
    if (!ok)
        graph_error_sign(e, a);
    return ok;
}
