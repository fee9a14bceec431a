#include "challenge.h"

#include "json.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <string.h>
#include <strings.h>

#define CAPABLE "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}"

struct word {
    const char *at;
    size_t len;
};

static bool is(const struct word *w, const char *text)
{
    return w->len == strlen(text) && strncasecmp(w->at, text, w->len) == 0;
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* RFC 9110 section 5.6.2, and what else people put there. */
static const char *take_word(const char *p, struct word *w)
{
    *w = (struct word){p, strcspn(p, " \t\r\n,=\"")};
    return p + w->len;
}

/* The value behind '=': a word, or what is between quotes; claims have no escapes in them. */
static const char *take_value(const char *p, struct word *w)
{
    if (*p != '"') {
        *w = (struct word){p, strcspn(p, " \t\r\n,")};
        return p + w->len;
    }
    *w = (struct word){p + 1, 0};
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1])
            p++;
    }
    w->len = (size_t)(p - w->at);
    return *p ? p + 1 : p;
}

/* Base64 of either alphabet, padded or not, that holds a JSON object and nothing else. */
static bool decode(const struct word *claims, struct buf *out)
{
    struct error ignored = ERROR_INIT;
    struct buf text = BUF_INIT(CHALLENGE_HEADER_MAX);
    struct buf json = BUF_INIT(CHALLENGE_HEADER_MAX);
    buf_append(&text, claims->at, claims->len);
    for (char *p = text.data; p && *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    struct json_object *root = NULL;
    if (text.len > 0 && base64url_decode(text.data, text.len, &json) && json.len <= CHALLENGE_MAX)
        root = json_read(buf_str(&json), json.len, &ignored);
    bool ok = root != NULL;
    if (ok) {
        buf_clear(out);
        buf_append(out, json.data, json.len);
    }
    json_object_put(root);
    buf_free(&text);
    buf_free(&json);
    return ok;
}

/* One Bearer challenge of perhaps many, as far as it was read. */
struct bearer {
    bool is_bearer, insufficient;
    struct word claims;
};

bool challenge_find(const char *header, struct buf *out)
{
    struct bearer b = {0};
    for (const char *p = header; *(p += strspn(p, " \t\r\n,"));) {
        struct word name, value;
        const char *start = p;
        p = skip_space(take_word(p, &name));
        if (*p != '=') {
            b = (struct bearer){.is_bearer = is(&name, "Bearer")};
            p += p == start; /* a stray quote */
            continue;
        }
        p = take_value(skip_space(p + 1), &value);
        if (is(&name, "error"))
            b.insufficient = is(&value, "insufficient_claims");
        else if (is(&name, "claims"))
            b.claims = value;
        if (b.is_bearer && b.insufficient && b.claims.len)
            return decode(&b.claims, out);
    }
    return false;
}

char *challenge_claims(const char *asked)
{
    struct error ignored = ERROR_INIT;
    struct json_object *root = asked ? json_read(asked, strlen(asked), &ignored) : NULL;
    if (!root)
        return xstrdup(CAPABLE);
    struct json_object *token, *capable = json_tokener_parse(CAPABLE);
    struct json_object *ours = json_object_object_get(capable, "access_token");
    if (!json_object_object_get_ex(root, "access_token", &token) ||
        !json_object_is_type(token, json_type_object)) {
        json_object_object_add(root, "access_token", json_object_get(ours));
    } else {
        struct json_object *xms_cc = json_object_object_get(ours, "xms_cc");
        json_object_object_add(token, "xms_cc", json_object_get(xms_cc));
    }
    char *text = xstrdup(json_object_to_json_string_ext(root, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(capable);
    json_object_put(root);
    return text;
}
