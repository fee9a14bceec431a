/*
 * $filter: the part of OData 4 that Exchange takes on messages and folders (OData URL conventions,
 * Graph: query-parameters, user-list-messages, singleValueLegacyExtendedProperty: get).
 *
 * A filter is parsed once into a tree in an arena and then asked about one item after another.
 * It knows no model: values come from the caller by property path.
 */
#ifndef SANDBOX_FILTER_H
#define SANDBOX_FILTER_H

#include "postern/base/arena.h"
#include "props.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_TEXT_MAX  8192
#define FILTER_DEPTH_MAX 32
#define FILTER_PATHS_MAX 32

enum value_kind { VALUE_NULL, VALUE_BOOLEAN, VALUE_NUMBER, VALUE_STRING, VALUE_DATE };

struct value {
    enum value_kind kind;
    int64_t number;     /* boolean, number, date (milliseconds) */
    const char *string; /* UTF-8 */
};

/* Where the values come from. */
struct filter_source {
    /* Is there a property of this path ("subject", "from/emailAddress/address") to filter on? */
    bool (*knows)(const char *path);
    /* Is this a collection of strings, for any()? */
    bool (*is_collection)(const char *path);
    /* Its value in an item; strings live at least until the next call for the same item. */
    struct value (*get)(void *item, const char *path);
    /* NULL-terminated strings of a collection, NULL: empty. */
    const char *const *(*collection)(void *item, const char *path);
    /* The value of an extended property, NULL: absent. */
    const char *(*extended)(void *item, const struct prop_id *id);
};

struct filter;

/* NULL: `why` (in the arena) says what is wrong, in the words of Graph. */
struct filter *filter_parse(struct arena *arena, const char *text,
                            const struct filter_source *source, const char **why);
bool filter_matches(const struct filter *f, void *item);
/* The property paths in the order in which they stand, for the rule about $orderby. */
size_t filter_paths(const struct filter *f, const char *const **paths);

#endif
