#include "query.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_member(const struct resource *resource, const char *name)
{
    for (size_t i = 0; resource->members[i]; i++) {
        if (strcmp(resource->members[i], name) == 0)
            return true;
    }
    return false;
}

/* The next comma-separated part, trimmed; NULL at the end. */
static char *next_part(struct arena *arena, const char **text)
{
    if (!*text)
        return NULL;
    const char *s = *text;
    size_t len = strcspn(s, ",");
    *text = s[len] ? s + len + 1 : NULL;
    while (len > 0 && isspace((unsigned char)*s)) {
        s++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)s[len - 1]))
        len--;
    return arena_strndup(arena, s, len);
}

static bool parse_select(struct call *c, const struct resource *resource, struct query *q)
{
    const char *text = request_param(c->r, "$select");
    for (char *part; text && (part = next_part(c->r->arena, &text));) {
        if (!is_member(resource, part) || q->select_count == QUERY_SELECT_MAX)
            return graph_error(c, 400, "RequestBroker--ParseUri",
                               "Could not find a property named '%s' on type '%s'.", part,
                               resource->type_name);
        q->select[q->select_count++] = part;
    }
    return true;
}

static bool parse_order(struct call *c, const struct resource *resource, struct query *q)
{
    const char *text = request_param(c->r, "$orderby");
    for (char *part; text && (part = next_part(c->r->arena, &text));) {
        char *direction = strchr(part, ' ');
        bool descending = false;
        if (direction) {
            *direction++ = '\0';
            descending = strcmp(direction, "desc") == 0;
        }
        if ((direction && !descending && strcmp(direction, "asc") != 0) ||
            !resource->source->knows(part) || q->order_count == QUERY_ORDER_MAX)
            return graph_error(c, 400, "RequestBroker--ParseUri",
                               "Could not find a property named '%s' on type '%s'.", part,
                               resource->type_name);
        q->order[q->order_count].path = part;
        q->order[q->order_count++].descending = descending;
    }
    return true;
}

static bool parse_number(struct call *c, const char *name, int64_t min, int64_t max, int64_t *out)
{
    const char *text = request_param(c->r, name);
    if (!text)
        return true;
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text || *end || n < min || n > max)
        return graph_error(c, 400, "ErrorInvalidUrlQuery",
                           "The value '%s' for %s is not valid; it must be from %lld to %lld.",
                           text, name, (long long)min, (long long)max);
    *out = n;
    return true;
}

/* Each property of $orderby must be in $filter too, in this order and before any others
 * (Graph: user-list-messages). */
static bool check_efficiency(struct call *c, const struct query *q)
{
    if (!q->filter || q->order_count == 0)
        return true;
    const char *const *paths;
    size_t count = filter_paths(q->filter, &paths);
    for (size_t i = 0; i < q->order_count; i++) {
        if (i >= count || strcmp(paths[i], q->order[i].path) != 0)
            return graph_error(c, 400, "InefficientFilter",
                               "The restriction or sort order is too complex for this operation.");
    }
    return true;
}

static bool parse_filter(struct call *c, const struct resource *resource, struct query *q)
{
    const char *text = request_param(c->r, "$filter");
    if (!text)
        return true;
    const char *why = NULL;
    q->filter = filter_parse(c->r->arena, text, resource->source, &why);
    return q->filter || graph_error(c, 400, "BadRequest", "Invalid filter clause: %s", why);
}

/* One "id eq '…'" with what follows it; false: something else stands there. */
static bool take_expand_id(struct arena *arena, const char **text, struct query *q)
{
    const char *s = *text;
    if (strncmp(s, "id eq '", 7) != 0)
        return false;
    s += 7;
    char *id = arena_alloc(arena, strlen(s) + 1);
    size_t n = 0;
    for (; *s && (*s != '\'' || s[1] == '\''); s++) {
        if (*s == '\'')
            s++;
        id[n++] = *s;
    }
    if (*s != '\'' || q->expand_count == QUERY_EXPAND_MAX ||
        !prop_id_parse(id, &q->expand[q->expand_count]))
        return false;
    q->expand_count++;
    *text = s + 1;
    return true;
}

bool query_parse_expand(struct arena *arena, const char *text, struct query *q, const char **why)
{
    static const char head[] = "singleValueExtendedProperties";
    static const char filter[] = "($filter=";
    *why = "Could not find a property of that name to expand.";
    if (strncmp(text, head, sizeof head - 1) != 0)
        return false;
    text += sizeof head - 1;
    *why = "The $expand of extended properties needs a $filter on their ids.";
    if (strncmp(text, filter, sizeof filter - 1) != 0)
        return false;
    text += sizeof filter - 1;
    *why = "Extended property ID is not valid, or there are too many.";
    for (;;) {
        if (!take_expand_id(arena, &text, q))
            return false;
        if (strcmp(text, ")") == 0)
            return true;
        if (strncmp(text, " or ", 4) != 0)
            return false;
        text += 4;
    }
}

static bool parse_expand(struct call *c, struct query *q)
{
    const char *text = request_param(c->r, "$expand");
    const char *why = NULL;
    if (!text || query_parse_expand(c->r->arena, text, q, &why))
        return true;
    return graph_error(c, 400, "BadRequest", "Parsing OData Select and Expand failed: %s", why);
}

static bool parse_count(struct call *c, struct query *q)
{
    const char *text = request_param(c->r, "$count");
    if (!text)
        return true;
    q->count = strcmp(text, "true") == 0;
    return q->count || strcmp(text, "false") == 0 ||
           graph_error(c, 400, "BadRequest", "Invalid value '%s' for $count query option found.",
                       text);
}

bool query_parse(struct call *c, const struct resource *resource, unsigned allowed, struct query *q)
{
    memset(q, 0, sizeof *q);
    q->top = -1;
    bool top = allowed & (QUERY_PAGING | QUERY_TOP);
    return (!(allowed & QUERY_SELECT) || parse_select(c, resource, q)) &&
           (!(allowed & QUERY_EXPAND) || parse_expand(c, q)) &&
           (!(allowed & QUERY_FILTER) || parse_filter(c, resource, q)) &&
           (!(allowed & QUERY_ORDER) || parse_order(c, resource, q)) &&
           (!top || parse_number(c, "$top", 1, QUERY_TOP_MAX, &q->top)) &&
           (!(allowed & QUERY_PAGING) ||
            (parse_number(c, "$skip", 0, INT32_MAX, &q->skip) && parse_count(c, q))) &&
           graph_check_options(c) && check_efficiency(c, q);
}

bool query_selects(const struct query *q, const char *member)
{
    for (size_t i = 0; i < q->select_count; i++) {
        if (strcmp(q->select[i], member) == 0)
            return true;
    }
    return q->select_count == 0;
}
