/*
 * The system query options of a request for messages or folders, checked as Graph checks them
 * (Graph: query-parameters, user-list-messages, singleValueLegacyExtendedProperty: get).
 */
#ifndef SANDBOX_QUERY_H
#define SANDBOX_QUERY_H

#include "filter.h"
#include "graph.h"

#define QUERY_SELECT_MAX  64
#define QUERY_ORDER_MAX   4
#define QUERY_EXPAND_MAX  20
#define QUERY_TOP_MAX     1000
#define QUERY_TOP_DEFAULT 10

enum {
    QUERY_SELECT = 1 << 0,
    QUERY_EXPAND = 1 << 1,
    QUERY_FILTER = 1 << 2,
    QUERY_ORDER = 1 << 3,
    QUERY_PAGING = 1 << 4, /* $top, $skip, $count */
    QUERY_TOP = 1 << 5     /* $top alone */
};

/* A kind of resource: what may be selected, and where filters find values. */
struct resource {
    const char *type_name;
    const char *const *members; /* NULL-terminated */
    const struct filter_source *source;
};

struct query {
    const char *select[QUERY_SELECT_MAX];
    size_t select_count; /* 0: the default members */
    struct {
        const char *path;
        bool descending;
    } order[QUERY_ORDER_MAX];
    size_t order_count;
    struct filter *filter;
    struct prop_id expand[QUERY_EXPAND_MAX];
    size_t expand_count;
    int64_t top, skip; /* top -1: not given */
    bool count;
};

/* False: refused, the answer is filled. Options outside of `allowed` stay unknown and are refused
 * by graph_check_options(), which this calls at its end. */
bool query_parse(struct call *c, const struct resource *resource, unsigned allowed,
                 struct query *out);
bool query_selects(const struct query *q, const char *member);
/* The $expand text alone; false: `why` says what is wrong. */
bool query_parse_expand(struct arena *arena, const char *text, struct query *q, const char **why);

#endif
