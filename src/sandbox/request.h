/*
 * One HTTP request and its answer, free of any HTTP library, so that an item of a $batch is
 * handled by the same code as a request of its own. Everything in a request lives in its arena.
 */
#ifndef SANDBOX_REQUEST_H
#define SANDBOX_REQUEST_H

#include "caller.h"

#include "postern/base/arena.h"
#include "postern/base/buf.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* Graph refuses a larger request (known limit: 4 MB). */
#define REQUEST_BODY_MAX ((size_t)4 * 1024 * 1024)
#define ANSWER_BODY_MAX  ((size_t)512 * 1024 * 1024)
#define ANSWER_HEADERS   12

struct request_pair {
    const char *name;
    const char *value;
    bool ours; /* query: the option was recognised by a handler */
};

struct request {
    struct arena *arena;
    const char *method;
    const char *path; /* decoded, for people */
    const char *raw_path;
    const char *query; /* decoded, for people; "" if none */
    const char *raw_query;
    const char **segments; /* decoded one by one, empty ones left out */
    size_t segment_count;
    struct request_pair *params;
    size_t param_count;
    struct request_pair *headers;
    size_t header_count;
    const char *body; /* never NULL */
    size_t body_len;
    const char *origin;  /* "https://host:port", what links in the answer start with */
    char request_id[37]; /* told in the answer */
    bool batch_item;
    struct caller caller; /* Graph: by right of whose token */
};

struct answer {
    int status;
    struct request_pair headers[ANSWER_HEADERS]; /* values are malloc'ed */
    size_t header_count;
    struct buf body;
    bool chunked; /* the length is not told, as for $value */
};

/* Splits "/path?query"; false: a bad percent sequence. `target` is copied. */
bool request_parse_target(struct request *r, const char *target);
/* NULL if absent. Names of headers ignore case. */
const char *request_header(const struct request *r, const char *name);
/* Does a comma-separated list header hold this token (ASCII case ignored)? */
bool request_prefers(const struct request *r, const char *token);
/* "name=value" in Prefer: the value, NULL if absent. In the arena. */
const char *request_preference(const struct request *r, const char *name);
/* A query option; marks it as known. NULL if absent. */
const char *request_param(struct request *r, const char *name);
/* Percent-decodes into the arena; NULL: a bad sequence or a NUL. */
char *request_unescape(struct arena *a, const char *s, size_t len, bool plus_is_space);
/* Percent-encodes all but unreserved characters (RFC 3986) and the given ones. */
char *request_escape(struct arena *a, const char *s, const char *keep);

void answer_init(struct answer *a);
void answer_free(struct answer *a);
void answer_header(struct answer *a, const char *name, const char *value);
const char *answer_get_header(const struct answer *a, const char *name);
/* Serialises and releases `value`. Replaces what the body held. */
void answer_json(struct answer *a, int status, struct json_object *value);

#endif
