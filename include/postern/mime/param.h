/*
 * Structured field values with parameters (RFC 2045 section 5.1, RFC 2183, RFC 2231): Content-Type,
 * Content-Disposition. Pure functions, any thread; what is not well-formed is passed over.
 */
#ifndef POSTERN_MIME_PARAM_H
#define POSTERN_MIME_PARAM_H

#include "postern/base/arena.h"
#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

#define MIME_PARAMS_MAX 100 /* of one field; the others are left out */

struct mime_param {
    const char *name;  /* as written, "filename*0*" too */
    const char *value; /* quoting removed, nothing else decoded */
};

struct mime_value {
    const char *type;    /* "text" of "text/plain", "attachment"; "" if missing */
    const char *subtype; /* NULL if there is no slash */
    struct mime_param *params;
    size_t count;
};

/* Parses a raw field value; everything in `out` lives in `arena`. */
void mime_value_parse(const char *value, size_t len, struct arena *arena, struct mime_value *out);
/* ASCII case ignored; both "" or NULL match what is missing. */
bool mime_value_is(const struct mime_value *v, const char *type, const char *subtype);
/* The first parameter of exactly that name, ASCII case ignored; NULL if there is none. */
const char *mime_param_get(const struct mime_value *v, const char *name);
/* The same with the pieces of a parameter ("name*0", "name*1*") joined to one, "name", or "name*"
 * if a piece is escaped; then all of it is, and it begins with charset and language, which may be
 * empty (RFC 2231). Pieces that no first one begins stay as they are. */
void mime_params_join(const struct mime_value *v, struct arena *arena, struct mime_value *out);
/* Appends a parameter as one line of UTF-8: pieces ("name*0", "name*1*") joined, charset and
 * percent escapes decoded (RFC 2231), encoded words too, which many writers put here. False:
 * there is no such parameter, or `out` is over its cap (see out->overflow). */
bool mime_param_decode(const struct mime_value *v, const char *name, struct buf *out);

#endif
