/* Lists of messages, page by page (Graph: user-list-messages). */
#include "render.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct sort_key {
    struct message *m;
    struct value values[QUERY_ORDER_MAX];
};

static int compare_values(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    if (a.kind == VALUE_STRING)
        return strcasecmp(a.string, b.string);
    return a.number < b.number ? -1 : a.number > b.number;
}

static int compare_keys(const void *x, const void *y, void *query)
{
    const struct sort_key *a = x, *b = y;
    const struct query *q = query;
    for (size_t i = 0; i < q->order_count; i++) {
        int order = compare_values(a->values[i], b->values[i]);
        if (order)
            return q->order[i].descending ? -order : order;
    }
    return a->m->serial < b->m->serial ? -1 : a->m->serial > b->m->serial;
}

struct selection {
    struct message **items;
    size_t count, cap;
};

static void add(struct selection *sel, struct message *m)
{
    if (sel->count == sel->cap) {
        sel->cap = sel->cap ? sel->cap * 2 : 256;
        sel->items = xreallocarray(sel->items, sel->cap, sizeof(struct message *));
    }
    sel->items[sel->count++] = m;
}

static void select_folder(struct call *c, struct folder *f, const struct query *q,
                          struct selection *sel)
{
    struct arena *arena = arena_new();
    folder_sort(f);
    for (size_t i = 0; i < f->count; i++) {
        struct view v;
        view_init(&v, c->s, arena, f->items[i]);
        if (!q->filter || filter_matches(q->filter, &v))
            add(sel, f->items[i]);
        view_free(&v);
        arena_clear(arena);
    }
    arena_free(&arena);
}

static void sort_selection(struct call *c, const struct query *q, struct selection *sel)
{
    struct arena *arena = arena_new();
    struct sort_key *keys = xcalloc(sel->count + 1, sizeof *keys);
    for (size_t i = 0; i < sel->count; i++) {
        struct view v;
        view_init(&v, c->s, arena, sel->items[i]);
        keys[i].m = sel->items[i];
        for (size_t k = 0; k < q->order_count; k++)
            keys[i].values[k] = message_resource.source->get(&v, q->order[k].path);
        view_free(&v);
    }
    qsort_r(keys, sel->count, sizeof *keys, compare_keys, (void *)q);
    for (size_t i = 0; i < sel->count; i++)
        sel->items[i] = keys[i].m;
    free(keys);
    arena_free(&arena);
}

/* The request's own text with another $skip. */
const char *message_list_link(struct call *c, int64_t skip)
{
    struct buf out = BUF_INIT(FILTER_TEXT_MAX * 4);
    buf_printf(&out, "%s%s?", c->r->origin, c->r->raw_path);
    const char *s = c->r->raw_query;
    while (*s) {
        size_t len = strcspn(s, "&");
        if (len > 0 && strncmp(s, "$skip=", 6) != 0 && strncasecmp(s, "%24skip=", 8) != 0) {
            buf_append(&out, s, len);
            buf_putc(&out, '&');
        }
        s += len;
        if (*s == '&')
            s++;
    }
    buf_printf(&out, "$skip=%lld", (long long)skip);
    char *link = arena_strdup(c->r->arena, buf_str(&out));
    buf_free(&out);
    return link;
}

static size_t page_size(struct call *c, const struct query *q)
{
    const char *preferred = request_preference(c->r, "odata.maxpagesize");
    int64_t n = q->top > 0 ? q->top : QUERY_TOP_DEFAULT;
    if (q->top < 0 && preferred) {
        int64_t wanted = strtoll(preferred, NULL, 10);
        if (wanted >= 1 && wanted <= QUERY_TOP_MAX)
            n = wanted;
    }
    int64_t cap = c->s->settings.page_cap;
    return (size_t)(cap > 0 && cap < n ? cap : n);
}

static void answer_page(struct call *c, const struct query *q, struct message *const *items,
                        size_t count)
{
    struct json_object *o = json_object_new_object();
    struct json_object *list = json_object_new_array();
    size_t from = (size_t)q->skip < count ? (size_t)q->skip : count;
    size_t page = page_size(c, q);
    size_t until = count - from < page ? count : from + page;
    json_object_object_add(o, "@odata.context",
                           json_object_new_string(graph_context(c, "messages")));
    if (q->count)
        json_object_object_add(o, "@odata.count", json_object_new_int64((int64_t)count));
    for (size_t i = from; i < until; i++)
        json_object_array_add(list, render_message(c, items[i], q));
    json_object_object_add(o, "value", list);
    if (until < count)
        json_object_object_add(o, "@odata.nextLink",
                               json_object_new_string(message_list_link(c, (int64_t)until)));
    answer_json(c->a, 200, o);
}

static void select_all(struct call *c, struct folder *folder, const struct query *q,
                       struct selection *sel)
{
    for (size_t i = 0; i < c->b->folder_count; i++) {
        struct folder *f = c->b->folders[i];
        bool hidden = f->well_known && strcmp(f->well_known, WELL_KNOWN_DUMPSTER) == 0;
        if (folder ? f == folder : !hidden)
            select_folder(c, f, q, sel);
    }
}

void message_count_handle(struct call *c, struct folder *folder)
{
    struct query q;
    struct selection sel = {0};
    if (!query_parse(c, &message_resource, QUERY_FILTER, &q))
        return;
    select_all(c, folder, &q, &sel);
    c->a->status = 200;
    buf_printf(&c->a->body, "%zu", sel.count);
    answer_header(c->a, "Content-Type", "text/plain");
    free(sel.items);
}

void message_list_handle(struct call *c, struct folder *folder)
{
    struct query q;
    if (request_param(c->r, "$search")) {
        graph_error(c, 400, "SearchNotSupported",
                    "The sandbox does not search: $search is not implemented here.");
        return;
    }
    graph_tells_ids(c);
    if (!query_parse(c, &message_resource,
                     QUERY_SELECT | QUERY_EXPAND | QUERY_FILTER | QUERY_ORDER | QUERY_PAGING, &q))
        return;
    if (folder && !q.filter && q.order_count == 0) {
        folder_sort(folder);
        answer_page(c, &q, folder->items, folder->count);
        return;
    }
    struct selection sel = {0};
    select_all(c, folder, &q, &sel);
    if (q.order_count > 0)
        sort_selection(c, &q, &sel);
    answer_page(c, &q, sel.items, sel.count);
    free(sel.items);
}
