#include "json.h"

#include "postern/base/alloc.h"
#include "postern/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* json-c counts in int. */
#define PIECE_MAX    ((size_t)1 << 20)
#define UTF8_LONGEST 4
/* Beyond it a double holds no whole numbers. */
#define EXACT_MAX 9007199254740992.0

static bool only_space(const char *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!strchr(" \t\r\n", p[i]) || !p[i])
            return false;
    }
    return true;
}

/* json-c's own check lets overlong sequences and surrogates through. */
static bool is_utf8(const char *data, size_t len)
{
    size_t n = 1;
    for (; n && len >= UTF8_LONGEST; data += n, len -= n)
        n = text_utf8_len(data);
    char end[UTF8_LONGEST] = {0}; /* what is told apart by its length ends in a NUL */
    memcpy(end, data, n ? len : 0);
    for (const char *p = end; n && *p; p += n)
        n = text_utf8_len(p);
    return n != 0;
}

/* Feeds the tokener piece by piece. `used` is where the value ended. */
static struct json_object *feed(struct json_tokener *tok, const char *data, size_t len,
                                size_t *used)
{
    for (*used = 0; *used < len;) {
        size_t n = len - *used > PIECE_MAX ? PIECE_MAX : len - *used;
        struct json_object *root = json_tokener_parse_ex(tok, data + *used, (int)n);
        enum json_tokener_error state = json_tokener_get_error(tok);
        if (state == json_tokener_success) {
            *used += json_tokener_get_parse_end(tok);
            return root;
        }
        if (state != json_tokener_continue)
            return NULL;
        *used += n;
    }
    return NULL;
}

struct json_object *json_read(const char *data, size_t len, struct error *e)
{
    size_t used;
    if (len == 0 || memchr(data, '\0', len)) {
        error_set(e, ERROR_ANSWER, "the answer is %s", len ? "binary, not JSON" : "empty");
        return NULL;
    }
    if (!is_utf8(data, len)) {
        error_set(e, ERROR_ANSWER, "the answer is not JSON: it is not UTF-8");
        return NULL;
    }
    struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH_MAX);
    if (!tok)
        alloc_out_of_memory();
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
    struct json_object *root = feed(tok, data, len, &used);
    enum json_tokener_error state = json_tokener_get_error(tok);
    json_tokener_free(tok);
    if (state == json_tokener_continue)
        error_set(e, ERROR_ANSWER, "the JSON answer is cut short after %zu bytes", len);
    else if (state != json_tokener_success)
        error_set(e, ERROR_ANSWER, "the answer is not JSON: %s", json_tokener_error_desc(state));
    else if (!only_space(data + used, len - used))
        error_set(e, ERROR_ANSWER, "the JSON answer goes on after its end");
    else if (!json_object_is_type(root, json_type_object))
        error_set(e, ERROR_ANSWER, "the JSON answer is not an object");
    else
        return root;
    json_object_put(root);
    return NULL;
}

static struct json_object *member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    json_object_object_get_ex(o, name, &v);
    return v;
}

static bool wrong_type(const char *name, struct json_object *v, struct error *e)
{
    return error_set(e, ERROR_ANSWER, "member \"%s\" of the answer is of the wrong type (%s)", name,
                     json_type_to_name(json_object_get_type(v)));
}

bool json_get_bool(struct json_object *o, const char *name, bool *out, bool *present,
                   struct error *e)
{
    struct json_object *v = member(o, name);
    *present = v != NULL;
    if (!v)
        return true;
    if (json_object_is_type(v, json_type_boolean)) {
        *out = json_object_get_boolean(v);
        return true;
    }
    if (!json_object_is_type(v, json_type_string))
        return wrong_type(name, v, e);
    const char *s = json_object_get_string(v);
    *out = strcasecmp(s, "true") == 0;
    if (!*out && strcasecmp(s, "false") != 0)
        return wrong_type(name, v, e);
    return true;
}

bool json_get_int(struct json_object *o, const char *name, int64_t *out, bool *present,
                  struct error *e)
{
    struct json_object *v = member(o, name);
    *present = v != NULL;
    if (!v)
        return true;
    if (json_object_is_type(v, json_type_int)) {
        *out = json_object_get_int64(v);
        return true;
    }
    if (json_object_is_type(v, json_type_double)) { /* 3599.0 */
        double number = json_object_get_double(v);
        if (!(number >= -EXACT_MAX && number <= EXACT_MAX) || number != (double)(int64_t)number)
            return wrong_type(name, v, e);
        *out = (int64_t)number;
        return true;
    }
    if (!json_object_is_type(v, json_type_string))
        return wrong_type(name, v, e);
    const char *s = json_object_get_string(v);
    char *end;
    errno = 0;
    long long n = strtoll(s, &end, 10);
    *present = end != s && *end == '\0' && errno == 0;
    if (*present)
        *out = n;
    return true;
}

bool json_get_string(struct json_object *o, const char *name, struct arena *a, const char **out,
                     struct error *e)
{
    struct json_object *v = member(o, name);
    *out = NULL;
    if (!v)
        return true;
    if (!json_object_is_type(v, json_type_string))
        return wrong_type(name, v, e);
    const char *s = json_object_get_string(v);
    size_t len = (size_t)json_object_get_string_len(v);
    if (memchr(s, '\0', len))
        return error_set(e, ERROR_ANSWER, "member \"%s\" of the answer holds a NUL", name);
    *out = arena_strndup(a, s, len);
    return true;
}

bool json_get_array(struct json_object *o, const char *name, struct json_object **out,
                    struct error *e)
{
    *out = member(o, name);
    if (*out && !json_object_is_type(*out, json_type_array))
        return wrong_type(name, *out, e);
    return true;
}

const char *json_peek_string(struct json_object *o, const char *name)
{
    struct json_object *v = json_object_is_type(o, json_type_object) ? member(o, name) : NULL;
    return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}
