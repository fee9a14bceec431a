#include "oauth.h"

#include "json.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DESCRIPTION_SHOWN 160
#define CLAIMS_MAX        ((size_t)64 * 1024)

void oauth_request_free(struct oauth_request *r)
{
    free(r->url);
    r->url = NULL;
    buf_free_secret(&r->form);
}

void oauth_request_init(struct oauth_request *r, const char *url)
{
    memset(r, 0, sizeof *r);
    r->url = xstrdup(url);
    buf_init(&r->form, OAUTH_FORM_MAX);
    /* Room at once: a buffer that moves would leave a copy of the secret behind. */
    buf_reserve(&r->form, OAUTH_FORM_MAX);
}

void oauth_put(struct oauth_request *r, const char *name, const char *value)
{
    buf_printf(&r->form, "%s%s=", r->form.len ? "&" : "", name);
    url_put_form(&r->form, value);
}

void oauth_grant_clear(struct oauth_grant *g)
{
    secret_free(g->access);
    secret_free(g->refresh);
    secret_free(g->id_token);
    free(g->scope);
    free(g->reason);
    memset(g, 0, sizeof *g);
}

bool oauth_token_is_plain(const char *s)
{
    size_t n = 0;
    for (; s[n]; n++) {
        if (s[n] <= ' ' || s[n] >= 0x7f || n >= OAUTH_TOKEN_MAX)
            return false;
    }
    return n > 0;
}

/* NULL: not there, empty (as the metadata service sends it), or nothing that we would send on. */
static char *optional_token(struct json_object *root, const char *name)
{
    const char *token = json_peek_string(root, name);
    return token && oauth_token_is_plain(token) ? xstrdup(token) : NULL;
}

/* In seconds from now, or as the time at which it ends, as the metadata service also tells it. */
static bool decode_lifetime(struct json_object *root, int64_t *ms, struct error *e)
{
    int64_t seconds = OAUTH_LIFETIME_UNTOLD_MS / 1000;
    bool present;
    if (!json_get_int(root, "expires_in", &seconds, &present, e))
        return false;
    if (!present) {
        if (!json_get_int(root, "expires_on", &seconds, &present, e))
            return false;
        if (present)
            seconds -= clock_wall_ms() / 1000;
    }
    if (seconds < OAUTH_LIFETIME_MIN_MS / 1000)
        seconds = OAUTH_LIFETIME_MIN_MS / 1000;
    if (seconds > OAUTH_LIFETIME_MAX_MS / 1000)
        seconds = OAUTH_LIFETIME_MAX_MS / 1000;
    *ms = seconds * 1000;
    return true;
}

static bool decode_grant(struct json_object *root, struct oauth_grant *out, struct error *e)
{
    const char *type = json_peek_string(root, "token_type");
    out->access = optional_token(root, "access_token");
    if (!out->access)
        return error_set(e, ERROR_ANSWER, "the sign-in server's answer holds no usable token");
    if (type && strcasecmp(type, "Bearer") != 0)
        return error_set(e, ERROR_ANSWER,
                         "the sign-in server gave a token that is no bearer token");
    if (!decode_lifetime(root, &out->lifetime_ms, e))
        return false;
    out->refresh = optional_token(root, "refresh_token");
    out->id_token = optional_token(root, "id_token");
    out->scope = xstrdup_null(json_peek_string(root, "scope"));
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

static enum error_kind kind_of_word(const char *word, int status)
{
    if (word && (strcmp(word, "temporarily_unavailable") == 0 || strcmp(word, "server_error") == 0))
        return ERROR_TEMPORARY;
    return kind_of_status(status);
}

/* The words that say: what was shown is worth nothing any more ("Handle errors and exceptions",
 * RFC 6749 section 5.2), unless the number says that it is only refused for now. */
static bool word_ends(const char *word)
{
    static const char *const words[] = {"invalid_grant", "interaction_required", "login_required",
                                        "consent_required"};
    for (size_t i = 0; word && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

/* How much of it is for people: Entra ID puts ids for its support behind, on lines of their own or
 * not; the trace id stands in error.request_id. */
static int description_shown(const char *description)
{
    size_t n = description ? strcspn(description, "\r\n") : 0;
    const char *ids = description ? strstr(description, " Trace ID:") : NULL;
    if (ids && (size_t)(ids - description) < n)
        n = (size_t)(ids - description);
    return (int)(n < DESCRIPTION_SHOWN ? n : DESCRIPTION_SHOWN);
}

/* Decided on the word, which Microsoft keeps, and by number where the word is a general one. */
static bool names_no_api(const char *word, int number)
{
    static const char *const words[] = {"invalid_scope", "invalid_resource", "invalid_target"};
    for (size_t i = 0; word && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return number == 70011 || number == 500011 || number == 650057;
}

static void explain_refusal(const struct answer *a, struct json_object *root,
                            struct oauth_grant *out, struct error *e)
{
    const char *word = json_peek_string(root, "error");
    const char *description = json_peek_string(root, "error_description");
    int number = aadsts_number(root, description);
    const struct aadsts *known = aadsts_find(number);
    enum error_kind kind = known ? known->kind : kind_of_word(word, a->status);
    const char *advice =
        known ? known->advice : "check the tenant's settings and the app in Entra ID";
    int shown = description_shown(description);
    error_set(e, kind, "the sign-in to Microsoft 365 is refused: %s; %s (%.*s)",
              word ? word : "no reason given", advice, description ? shown : DESCRIPTION_SHOWN,
              description ? description : "no description");
    if (number)
        snprintf(e->code, sizeof e->code, "AADSTS%d", number);
    else
        graph_error_word(e->code, sizeof e->code, word);
    if (kind == ERROR_SIGN_IN)
        error_advise(e, "the service cannot sign in to Microsoft 365: %s%s%s%s", advice,
                     number ? " (" : "", number ? e->code : "", number ? ")" : "");
    graph_error_word(e->request_id, sizeof e->request_id, json_peek_string(root, "trace_id"));
    graph_error_word(out->word, sizeof out->word, word);
    bool coded = description && strncmp(description, "AADSTS", 6) == 0;
    out->reason = xasprintf("%s%s%.*s", coded ? "" : e->code, coded ? "" : ": ", shown,
                            description ? description : "");
    out->ended = kind == ERROR_SIGN_IN && word_ends(word) && !(known && known->keeps);
    out->nameless = names_no_api(word, number);
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

static void explain(const struct answer *a, struct json_object *root, struct oauth_grant *out,
                    struct error *e)
{
    if (root && json_peek_string(root, "error"))
        explain_refusal(a, root, out, e);
    else
        explain_status(a, e);
    graph_error_sign(e, a);
}

bool oauth_grant_decode(const struct answer *a, const char *body, size_t len,
                        struct oauth_grant *out, struct error *e)
{
    struct error ignored = ERROR_INIT;
    bool ok = false;
    memset(out, 0, sizeof *out);
    struct json_object *root = json_read(body, len, &ignored);
    if (!root || a->status != 200) {
        explain(a, root, out, e);
    } else {
        ok = decode_grant(root, out, e);
        if (!ok) {
            oauth_grant_clear(out);
            graph_error_sign(e, a);
        }
    }
    json_object_put(root);
    return ok;
}

void oauth_refusal_decode(const struct answer *a, const char *body, size_t len,
                          struct oauth_grant *out, struct error *e)
{
    struct error ignored = ERROR_INIT;
    memset(out, 0, sizeof *out);
    struct json_object *root = json_read(body, len, &ignored);
    explain(a, root, out, e);
    json_object_put(root);
}

/* "https://graph.microsoft.us", but not "https://127.0.0.1:8443". */
static bool is_service_name(const char *origin)
{
    const char *host = strstr(origin, "://");
    host = host ? host + 3 : origin;
    size_t len = strlen(host);
    return len && !strchr(host, ':') && strchr(host, '.') && isalpha((unsigned char)host[len - 1]);
}

struct oauth_names oauth_names_of_graph(const struct config_tenant *t)
{
    if (!t->cloud_url || strcmp(t->cloud_url, t->graph_url) == 0)
        return (struct oauth_names){.first = t->graph_url};
    if (is_service_name(t->graph_url))
        return (struct oauth_names){.first = t->graph_url, .second = t->cloud_url};
    return (struct oauth_names){.first = t->cloud_url, .second = t->graph_url};
}

/* What stands between the two dots of a JWT. */
struct json_object *oauth_token_claims(const char *token)
{
    struct error ignored = ERROR_INIT;
    struct buf payload = BUF_INIT(CLAIMS_MAX);
    struct json_object *root = NULL;
    const char *begin = strchr(token, '.');
    size_t len = begin ? strcspn(begin + 1, ".") : 0;
    if (begin && base64url_decode(begin + 1, len, &payload))
        root = json_read(buf_str(&payload), payload.len, &ignored);
    buf_free_secret(&payload);
    return root;
}

char *oauth_token_tenant(const char *access)
{
    struct json_object *root = oauth_token_claims(access);
    char *tenant = xstrdup_null(json_peek_string(root, "tid"));
    json_object_put(root);
    return tenant;
}

void oauth_person_decode(const char *token, struct oauth_person *out)
{
    static const char *const names[] = {"upn", "preferred_username", "unique_name"};
    memset(out, 0, sizeof *out);
    struct json_object *root = token ? oauth_token_claims(token) : NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !out->user; i++)
        out->user = xstrdup_null(json_peek_string(root, names[i]));
    out->object_id = xstrdup_null(json_peek_string(root, "oid"));
    json_object_put(root);
}

void oauth_person_clear(struct oauth_person *p)
{
    free(p->user);
    free(p->object_id);
    memset(p, 0, sizeof *p);
}
