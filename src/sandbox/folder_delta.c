/* Delta of the folder tree (Graph: mailFolder-delta). */
#include "links.h"
#include "render.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct told {
    struct folder *folder;
    uint64_t change;
};

static int by_change(const void *a, const void *b)
{
    const struct told *x = a, *y = b;
    return x->change < y->change ? -1 : x->change > y->change;
}

static struct json_object *removed(const struct folder *f)
{
    char id[ID_SIZE];
    id_folder(f, id);
    struct json_object *reason = json_object_new_object();
    struct json_object *o = json_object_new_object();
    json_object_object_add(reason, "reason", json_object_new_string("deleted"));
    json_object_object_add(o, "id", json_object_new_string(id));
    json_object_object_add(o, "@removed", reason);
    return o;
}

static bool is_shown(const struct call *c, const struct link *link, const struct folder *f)
{
    bool top =
        f->parent && f->parent->well_known && strcmp(f->parent->well_known, WELL_KNOWN_ROOT) == 0;
    return f->parent && (top || c->s->settings.folder_delta != FOLDER_DELTA_TOP) &&
           !(f->gone && link->first_round && f->change <= link->start);
}

/* Folders changed after the cursor, in order of their changes; true: there are more. */
static bool fill_page(struct call *c, struct link *link, const struct query *q, size_t page,
                      struct json_object *items)
{
    struct told *order = xcalloc(c->b->folder_count, sizeof *order);
    bool counts = c->s->settings.folder_delta_counts || link->first_round;
    size_t n = 0;
    for (size_t i = 0; i < c->b->folder_count; i++) {
        struct folder *f = c->b->folders[i];
        uint64_t change = counts ? f->change : f->tree_change;
        if (is_shown(c, link, f) && change > link->cursor)
            order[n++] = (struct told){f, change};
    }
    qsort(order, n, sizeof *order, by_change);
    size_t told = n < page ? n : page;
    for (size_t i = 0; i < told; i++) {
        struct folder *f = order[i].folder;
        json_object_array_add(items, f->gone ? removed(f) : render_folder(c, f, q));
        link->cursor = order[i].change;
    }
    free(order);
    return told < n;
}

void folder_delta_handle(struct call *c)
{
    struct link link;
    struct query q;
    if (c->s->settings.delta_absent || c->s->settings.folder_delta == FOLDER_DELTA_ABSENT) {
        graph_error(c, 400, "BadRequest", "Resource not found for the segment 'delta'.");
        return;
    }
    if (!link_read(c, -1, &link) ||
        !query_parse(c, &folder_resource, QUERY_SELECT | QUERY_EXPAND | QUERY_TOP, &q))
        return;
    if (q.expand_count > 0 && c->s->settings.delta_expand == EXPAND_FAIL) {
        graph_error(c, 500, "InternalServerError", "Value cannot be null. Parameter name: type");
        return;
    }
    if (c->s->settings.delta_expand == EXPAND_IGNORE)
        q.expand_count = 0;
    const char *preferred = request_preference(c->r, "odata.maxpagesize");
    int64_t page = q.top > 0 ? q.top : QUERY_TOP_DEFAULT;
    if (preferred) {
        int64_t wanted = strtoll(preferred, NULL, 10);
        page = wanted >= 1 && wanted <= QUERY_TOP_MAX ? wanted : page;
    }
    if (c->s->settings.page_cap > 0 && c->s->settings.page_cap < page)
        page = c->s->settings.page_cap;
    struct json_object *items = json_object_new_array();
    bool gap = c->s->settings.empty_pages && !link.gap;
    bool more = gap || fill_page(c, &link, &q, (size_t)page, items);
    link.gap = gap;
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "@odata.context",
                           json_object_new_string(graph_context(c, "mailFolders/$delta")));
    json_object_object_add(o, "value", items);
    link_put(c, o, &link, !more);
    answer_json(c->a, 200, o);
}
