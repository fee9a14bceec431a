/*
 * The decoders behind the `*_decode` functions of graph/mail.h, on plain bytes, so that tests and
 * fuzzers reach them without a call. On false nothing needs to be freed.
 */
#ifndef POSTERN_SRC_GRAPH_DECODE_H
#define POSTERN_SRC_GRAPH_DECODE_H

#include "postern/graph/folder.h"

#include <json-c/json.h>

/* A property's id as Graph echoes it, in whatever spelling: "Integer 0xe08",
 * "Integer {00062008-0000-0000-C000-000000000046} Id 0x8570", "String {…} Name x". */
struct property_id {
    char type[16];    /* lower case */
    char guid[37];    /* lower case without braces, "" for a tag */
    const char *name; /* into the parsed text, NULL: `number` counts */
    uint32_t number;
};
bool property_id_parse(const char *text, struct property_id *out);

/* The value (a string in the arena) of a single-value extended property of `item`; *value is
 * NULL if the item does not have it. `want` is an id in any spelling. */
bool property_find(struct json_object *item, const char *want, struct arena *a, const char **value,
                   struct error *e);
/* The same as a number; text that is none counts as missing. */
bool property_find_int(struct json_object *item, const char *want, int64_t *value, bool *present,
                       struct error *e);

bool decode_page(const char *data, size_t len, struct graph_page *page, struct error *e);
bool decode_message(const char *data, size_t len, struct arena *a, struct graph_message *m,
                    struct error *e);
bool decode_header_page(const char *data, size_t len, enum graph_headers what,
                        struct graph_header_page *page, struct error *e);
/* The fields of an ENVELOPE as a header block in the arena; members of another shape are passed
 * over. */
bool decode_envelope(struct json_object *item, struct arena *a, const char **block,
                     struct error *e);
bool decode_folder_page(const char *data, size_t len, struct graph_folder_page *page,
                        struct error *e);
bool decode_folder(const char *data, size_t len, struct arena *a, struct graph_folder *f,
                   struct error *e);

/* The frame of both kinds of page: the "value" array with each element an object that is no
 * error, and the links. The root stays with the caller. */
struct decode_frame {
    struct json_object *root;
    struct json_object *items;
    size_t count;
    const char *next_link, *delta_link;
};
bool decode_frame(const char *data, size_t len, struct arena *a, struct decode_frame *frame,
                  struct error *e);
/* One object that is no error; json_object_put() it. NULL: `e`. */
struct json_object *decode_single(const char *data, size_t len, struct error *e);
/* "id", which must be there and not empty. */
bool decode_id(struct json_object *item, struct arena *a, const char **id, struct error *e);

#endif
