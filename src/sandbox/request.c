#include "request.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define QUERY_OPTIONS_MAX 64
#define SEGMENTS_MAX      32

char *request_unescape(struct arena *a, const char *s, size_t len, bool plus_is_space)
{
    char *out = arena_alloc(a, len + 1);
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)s[i];
        if (byte == '%') {
            if (len - i < 3 || !hex_decode(s + i + 1, 2, &byte) || byte == 0)
                return NULL;
            i += 2;
        } else if (byte == '+' && plus_is_space) {
            byte = ' ';
        }
        out[n++] = (char)byte;
    }
    return out;
}

char *request_escape(struct arena *a, const char *s, const char *keep)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    char *out = arena_alloc(a, strlen(s) * 3 + 1);
    char *p = out;
    for (; *s; s++) {
        if (strchr(unreserved, *s) || strchr(keep, *s)) {
            *p++ = *s;
        } else {
            *p++ = '%';
            hex_encode(s, 1, p);
            p += 2;
        }
    }
    *p = '\0';
    return out;
}

static bool parse_path(struct request *r, const char *path)
{
    r->segments = arena_alloc(r->arena, SEGMENTS_MAX * sizeof *r->segments);
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len > 0) {
            char *segment = request_unescape(r->arena, path, len, false);
            if (!segment || r->segment_count == SEGMENTS_MAX)
                return false;
            r->segments[r->segment_count++] = segment;
        }
        path += len;
        if (*path == '/')
            path++;
    }
    return true;
}

static bool parse_query(struct request *r, const char *query)
{
    r->params = arena_alloc(r->arena, QUERY_OPTIONS_MAX * sizeof *r->params);
    while (*query) {
        size_t len = strcspn(query, "&");
        if (len > 0) {
            const char *eq = memchr(query, '=', len);
            size_t name_len = eq ? (size_t)(eq - query) : len;
            const char *value = eq ? eq + 1 : query + len;
            struct request_pair pair = {0};
            pair.name = request_unescape(r->arena, query, name_len, true);
            pair.value = request_unescape(r->arena, value, (size_t)(query + len - value), true);
            if (!pair.name || !pair.value || r->param_count == QUERY_OPTIONS_MAX)
                return false;
            r->params[r->param_count++] = pair;
        }
        query += len;
        if (*query == '&')
            query++;
    }
    return true;
}

bool request_parse_target(struct request *r, const char *target)
{
    size_t path_len = strcspn(target, "?");
    const char *query = target[path_len] ? target + path_len + 1 : "";
    r->raw_path = arena_strndup(r->arena, target, path_len);
    r->raw_query = arena_strdup(r->arena, query);
    r->path = request_unescape(r->arena, target, path_len, false);
    r->query = request_unescape(r->arena, query, strlen(query), true);
    if (!r->path || !r->query) {
        r->path = r->raw_path;
        r->query = r->raw_query;
        return false;
    }
    return parse_path(r, r->raw_path) && parse_query(r, query);
}

const char *request_header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0)
            return r->headers[i].value;
    }
    return NULL;
}

/* The part of a Prefer list that starts at *list, trimmed, into the arena; moves *list on. */
static char *next_preference(struct arena *a, const char **list)
{
    const char *s = *list;
    bool quoted = false;
    size_t len = 0;
    while (s[len] && (quoted || s[len] != ',')) {
        if (s[len] == '"')
            quoted = !quoted;
        len++;
    }
    *list = s[len] ? s + len + 1 : s + len;
    while (len > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        len--;
    }
    while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        len--;
    return arena_strndup(a, s, len);
}

bool request_prefers(const struct request *r, const char *token)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, "Prefer") != 0)
            continue;
        for (const char *list = r->headers[i].value; *list;) {
            if (strcasecmp(next_preference(r->arena, &list), token) == 0)
                return true;
        }
    }
    return false;
}

const char *request_preference(const struct request *r, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, "Prefer") != 0)
            continue;
        for (const char *list = r->headers[i].value; *list;) {
            char *item = next_preference(r->arena, &list);
            if (strncasecmp(item, name, len) == 0 && item[len] == '=')
                return item + len + 1;
        }
    }
    return NULL;
}

const char *request_param(struct request *r, const char *name)
{
    for (size_t i = 0; i < r->param_count; i++) {
        if (strcmp(r->params[i].name, name) == 0) {
            r->params[i].ours = true;
            return r->params[i].value;
        }
    }
    return NULL;
}

void answer_init(struct answer *a)
{
    memset(a, 0, sizeof *a);
    buf_init(&a->body, ANSWER_BODY_MAX);
}

void answer_free(struct answer *a)
{
    for (size_t i = 0; i < a->header_count; i++)
        free((char *)a->headers[i].value);
    buf_free(&a->body);
    a->header_count = 0;
}

void answer_header(struct answer *a, const char *name, const char *value)
{
    if (a->header_count < ANSWER_HEADERS)
        a->headers[a->header_count++] =
            (struct request_pair){.name = name, .value = xstrdup(value)};
}

const char *answer_get_header(const struct answer *a, const char *name)
{
    for (size_t i = 0; i < a->header_count; i++) {
        if (strcasecmp(a->headers[i].name, name) == 0)
            return a->headers[i].value;
    }
    return NULL;
}

void answer_json(struct answer *a, int status, struct json_object *value)
{
    a->status = status;
    buf_clear(&a->body);
    buf_puts(&a->body, json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(value);
    if (!answer_get_header(a, "Content-Type"))
        answer_header(a, "Content-Type",
                      "application/json;odata.metadata=minimal;odata.streaming=true;"
                      "IEEE754Compatible=false;charset=utf-8");
}
