/*
 * Extended (MAPI) properties by their Graph ids: "Integer 0x0E23",
 * "String {guid} Name x", "Integer {guid} Id 0x8570"
 * (Graph: singleValueLegacyExtendedProperty, extended properties overview).
 */
#ifndef SANDBOX_PROPS_H
#define SANDBOX_PROPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum prop_type {
    PROP_INTEGER,
    PROP_LONG,
    PROP_STRING,
    PROP_BOOLEAN,
    PROP_BINARY,
    PROP_SYSTEMTIME,
    PROP_CLSID,
    PROP_DOUBLE
};
enum prop_kind { PROP_TAG, PROP_ID, PROP_NAME };

/* Properties whose meaning the sandbox knows (MAPI: PidTag…). */
enum prop_tag {
    TAG_MESSAGE_CLASS = 0x001a,
    TAG_SUBMIT_TIME = 0x0039,
    TAG_HEADERS = 0x007d,
    TAG_DELIVERY_TIME = 0x0e06,
    TAG_MESSAGE_FLAGS = 0x0e07,
    TAG_MESSAGE_SIZE = 0x0e08,
    TAG_ARTICLE = 0x0e23,
    TAG_READ = 0x0e69,
    TAG_MESSAGE_ID = 0x1035,
    TAG_REFERENCES = 0x1039,
    TAG_IN_REPLY_TO = 0x1042,
    TAG_FLAG_STATUS = 0x1090,
    TAG_HIDDEN = 0x10f4,
    TAG_CREATED = 0x3007,
    TAG_MODIFIED = 0x3008,
    TAG_CONTENT_COUNT = 0x3602,
    TAG_UNREAD_COUNT = 0x3603,
    TAG_CONTAINER_CLASS = 0x3613,
    TAG_ARTICLE_NEXT = 0x6751
};
/* Bits of TAG_MESSAGE_FLAGS. */
enum { MESSAGE_FLAG_READ = 0x01, MESSAGE_FLAG_UNSENT = 0x08 };

#define PROP_NAME_MAX  255
#define PROP_VALUE_MAX 32768
#define PROP_ID_SIZE   (PROP_NAME_MAX + 64)

struct prop_id {
    enum prop_type type;
    enum prop_kind kind;
    uint32_t number; /* of a tag or an id */
    char guid[37];   /* lower case, without braces; "" for a tag */
    char name[PROP_NAME_MAX + 1];
};

/* False: not an id that Graph would take. */
bool prop_id_parse(const char *text, struct prop_id *id);
/* In Graph's own spelling, which differs from what is usually asked for: hexadecimal digits in
 * lower case and without leading zeros. */
void prop_id_format(const struct prop_id *id, char out[PROP_ID_SIZE]);
/* Integer and Long of one tag are the same property; names are compared with their case. */
bool prop_id_same(const struct prop_id *a, const struct prop_id *b);
/* Does the text fit the type (numbers, true/false, dates, base64)? */
bool prop_value_fits(enum prop_type type, const char *value);

/* A small set of stored properties. */
struct prop_set {
    struct prop {
        struct prop_id id;
        char *value;
    } * items;
    size_t count;
};

const char *prop_get(const struct prop_set *set, const struct prop_id *id);
void prop_put(struct prop_set *set, const struct prop_id *id, const char *value);
void prop_copy(struct prop_set *to, const struct prop_set *from);
void prop_free(struct prop_set *set);

#endif
