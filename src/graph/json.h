/*
 * Reading JSON answers with json-c, strictly: one object, valid UTF-8, limited depth, nothing
 * behind it. What the members hold is read leniently, as Graph's own samples demand.
 *
 * Objects stay with the thread that parsed them. The json_get_* functions: false with `e` filled
 * (ERROR_ANSWER) if the member has a type that cannot be meant; true and *present = false if it
 * is missing or null.
 */
#ifndef POSTERN_SRC_GRAPH_JSON_H
#define POSTERN_SRC_GRAPH_JSON_H

#include "postern/base/arena.h"
#include "postern/base/error.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 32

/* The root object; json_object_put() it. NULL: `e` says what is wrong (ERROR_ANSWER). */
struct json_object *json_read(const char *data, size_t len, struct error *e);

/* Also "true" and "false" in any case. */
bool json_get_bool(struct json_object *o, const char *name, bool *out, bool *present,
                   struct error *e);
/* Also a decimal number in a string; what is no number there counts as missing. */
bool json_get_int(struct json_object *o, const char *name, int64_t *out, bool *present,
                  struct error *e);
/* A copy in the arena, NULL if missing or null. A NUL inside is a fault. */
bool json_get_string(struct json_object *o, const char *name, struct arena *a, const char **out,
                     struct error *e);
/* NULL if missing or null. */
bool json_get_array(struct json_object *o, const char *name, struct json_object **out,
                    struct error *e);
/* The string of a member without a copy; NULL if it is not a string. For error bodies. */
const char *json_peek_string(struct json_object *o, const char *name);

#endif
