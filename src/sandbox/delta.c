/* Delta of messages in one folder (Graph: message-delta, delta-query-messages). */
#include "links.h"
#include "render.h"

#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { TYPE_CREATED = 1, TYPE_UPDATED = 2, TYPE_DELETED = 4, TYPE_ALL = 7 };

struct round {
    struct call *c;
    struct folder *folder;
    struct link link;
    struct query query;
    unsigned types;
    size_t page;
    struct json_object *items;
};

static bool parse_change_type(struct call *c, unsigned *types)
{
    const char *text = request_param(c->r, "changeType");
    *types = TYPE_ALL;
    if (!text)
        return true;
    if (strcmp(text, "created") == 0)
        *types = TYPE_CREATED;
    else if (strcmp(text, "updated") == 0)
        *types = TYPE_UPDATED;
    else if (strcmp(text, "deleted") == 0)
        *types = TYPE_DELETED;
    else
        return graph_error(c, 400, "BadRequest", "Invalid changeType '%s'.", text);
    return true;
}

/* $filter only "receivedDateTime ge|gt …", $orderby only "receivedDateTime desc". */
static bool check_limits(struct call *c, const struct query *q)
{
    const char *filter = request_param(c->r, "$filter");
    static const char ge[] = "receivedDateTime ge ", gt[] = "receivedDateTime gt ";
    const char *const *paths;
    if (filter &&
        ((strncmp(filter, ge, sizeof ge - 1) != 0 && strncmp(filter, gt, sizeof gt - 1) != 0) ||
         filter_paths(q->filter, &paths) != 1))
        return graph_error(c, 400, "ErrorInvalidUrlQuery",
                           "Change tracking supports a filter on receivedDateTime (ge, gt) only.");
    if (q->order_count > 1 ||
        (q->order_count == 1 &&
         (!q->order[0].descending || strcmp(q->order[0].path, "receivedDateTime") != 0)))
        return graph_error(c, 400, "ErrorInvalidUrlQuery",
                           "Change tracking supports $orderby=receivedDateTime desc only.");
    return true;
}

/* Whatever the documentation says, $expand breaks delta for most users; each outcome that was
 * seen can be had. False: refused. */
static bool treat_expand(struct round *r)
{
    if (r->query.expand_count == 0)
        return true;
    switch ((enum expand_mode)r->c->s->settings.delta_expand) {
    case EXPAND_HONOUR:
        return true;
    case EXPAND_IGNORE:
        r->query.expand_count = 0;
        return true;
    case EXPAND_FAIL:
        break;
    }
    journal_violation(&r->c->s->journal, "delta-expand", "%s: $expand in message delta",
                      r->c->r->path);
    return graph_error(r->c, 500, "InternalServerError",
                       "Value cannot be null. Parameter name: type");
}

static size_t page_size(struct call *c, const struct query *q)
{
    const char *preferred = request_preference(c->r, "odata.maxpagesize");
    int64_t n = q->top > 0 ? q->top : QUERY_TOP_DEFAULT;
    if (preferred) {
        n = strtoll(preferred, NULL, 10);
        if (n < 1 || n > QUERY_TOP_MAX)
            n = QUERY_TOP_DEFAULT;
        else
            answer_header(c->a, "Preference-Applied",
                          arena_printf(c->r->arena, "odata.maxpagesize=%lld", (long long)n));
    }
    int64_t cap = c->s->settings.page_cap;
    return (size_t)(cap > 0 && cap < n ? cap : n);
}

/* Replication takes its time: has this change reached the server that answers? */
static bool is_visible(const struct round *r, const struct change *change)
{
    const struct settings *s = &r->c->s->settings;
    if (change->at_ms == INT64_MIN)
        return true;
    return clock_mono_ms() >= change->at_ms + s->delta_lag_ms &&
           r->folder->rounds >= change->round + (uint64_t)s->delta_lag_rounds;
}

/* Is this a change of a kind that delta does not tell here? */
static bool is_quiet(const struct round *r, const struct change *change)
{
    const struct settings *s = &r->c->s->settings;
    unsigned quiet =
        (s->delta_categories ? 0 : CHANGE_CATEGORIES) | (s->delta_properties ? 0 : CHANGE_PROPS);
    return change->mask && !(change->mask & ~quiet);
}

/* Does a round see less than what happened? */
static bool is_behind(const struct round *r)
{
    const struct settings *s = &r->c->s->settings;
    return s->delta_lag_ms || s->delta_lag_rounds || !s->delta_categories || !s->delta_properties;
}

/* Does a later line of the log, of those that this round can see, say more of this message? */
static bool is_superseded(const struct round *r, size_t line)
{
    const struct folder *f = r->folder;
    const struct change *change = &f->log[line];
    const struct message *m = f->mailbox->messages[change->serial];
    if (!is_behind(r))
        return change->removed ? m->folder == f : m->folder != f || m->change != change->seq;
    for (size_t i = line + 1; i < f->log_len && is_visible(r, &f->log[i]); i++) {
        if (f->log[i].serial == change->serial && !is_quiet(r, &f->log[i]))
            return true;
    }
    return false;
}

/* The message as this round sees it: where replication lags, as it was when the change came. */
static struct message seen(const struct round *r, const struct change *change)
{
    struct message m = *r->folder->mailbox->messages[change->serial];
    const struct settings *s = &r->c->s->settings;
    if (!m.folder || (!s->delta_lag_ms && !s->delta_lag_rounds))
        return m;
    m.folder = r->folder;
    m.change = change->seq;
    m.moves = change->moves;
    m.is_read = change->is_read;
    m.is_draft = change->is_draft;
    m.flag = change->flag;
    m.categories = change->categories;
    m.modified_ms = change->modified_ms;
    return m;
}

static bool is_wanted(const struct round *r, const struct change *change, struct message *m)
{
    if (change->removed)
        return !(r->link.first_round && change->seq <= r->link.start) && r->types & TYPE_DELETED;
    if (m->folder != r->folder)
        return false;
    if (!(r->types & (r->link.first_round || change->created ? TYPE_CREATED : TYPE_UPDATED)))
        return false;
    /* Updates come whether they match the filter or not. */
    if (!r->query.filter || (!r->link.first_round && !change->created))
        return true;
    struct view v;
    view_init(&v, r->c->s, r->c->r->arena, m);
    bool match = filter_matches(r->query.filter, &v);
    view_free(&v);
    return match;
}

static void tell_removed(struct round *r, const struct change *change)
{
    char id[ID_SIZE];
    id_message_at(r->c->b, change->serial, change->moves, r->c->immutable, id);
    struct json_object *reason = json_object_new_object();
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "@odata.type",
                           json_object_new_string(message_type_name(KIND_MESSAGE)));
    json_object_object_add(reason, "reason", json_object_new_string("deleted"));
    json_object_object_add(o, "id", json_object_new_string(id));
    json_object_object_add(o, "@removed", reason);
    json_object_array_add(r->items, o);
}

/* Leaves the members that this change touched (and parentFolderId, as observed). */
static void keep_changed(struct json_object *o, unsigned mask)
{
    static const struct {
        const char *name;
        unsigned mask;
    } kept[] = {{"isRead", CHANGE_READ}, {"flag", CHANGE_FLAG}, {"categories", CHANGE_CATEGORIES}};
    const char *drop[128];
    size_t count = 0;
    json_object_object_foreach(o, name, value)
    {
        (void)value;
        bool keep =
            strcmp(name, "id") == 0 || strcmp(name, "parentFolderId") == 0 || name[0] == '@';
        for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
            keep = keep || (strcmp(name, kept[i].name) == 0 && (mask & kept[i].mask));
        if (!keep && count < sizeof drop / sizeof drop[0])
            drop[count++] = name;
    }
    while (count > 0)
        json_object_object_del(o, drop[--count]);
}

static void tell_present(struct round *r, const struct change *change, struct message *m)
{
    const struct settings *s = &r->c->s->settings;
    struct json_object *o = render_message(r->c, m, &r->query);
    struct json_object *read = NULL;
    /* Unlike a list, delta names the type of plain messages, too (delta-query-messages). */
    json_object_object_add(o, "@odata.type",
                           json_object_new_string(message_type_name((enum message_kind)m->kind)));
    if (s->changed_only && !r->link.first_round && !change->created && change->mask != CHANGE_ALL &&
        !(change->mask & CHANGE_OTHER))
        keep_changed(o, change->mask);
    if (s->isread_string && json_object_object_get_ex(o, "isRead", &read))
        json_object_object_add(
            o, "isRead", json_object_new_string(json_object_get_boolean(read) ? "true" : "false"));
    json_object_array_add(r->items, o);
}

static size_t first_after(const struct folder *f, uint64_t cursor)
{
    size_t low = 0, high = f->log_len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->log[middle].seq <= cursor)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Fills a page; true: there is more. */
static bool fill_page(struct round *r)
{
    const struct folder *f = r->folder;
    const struct settings *s = &r->c->s->settings;
    bool every = s->repeats || (s->changed_only && !r->link.first_round);
    for (size_t i = first_after(f, r->link.cursor); i < f->log_len; i++) {
        const struct change *change = &f->log[i];
        if (!is_visible(r, change))
            return false;
        struct message m = seen(r, change);
        bool tell =
            !is_quiet(r, change) && (every || !is_superseded(r, i)) && is_wanted(r, change, &m);
        if (tell && json_object_array_length(r->items) == r->page)
            return true;
        r->link.cursor = change->seq;
        if (tell && change->removed)
            tell_removed(r, change);
        else if (tell)
            tell_present(r, change, &m);
    }
    return false;
}

void message_delta_handle(struct call *c, struct folder *folder)
{
    struct round r = {.c = c, .folder = folder};
    if (c->s->settings.delta_absent) {
        graph_error(c, 400, "BadRequest", "Resource not found for the segment 'delta'.");
        return;
    }
    bool is_new_round = request_param(c->r, "$deltatoken") != NULL;
    graph_tells_ids(c);
    if (!link_read(c, folder->serial, &r.link) || !parse_change_type(c, &r.types) ||
        !query_parse(c, &message_resource,
                     QUERY_SELECT | QUERY_EXPAND | QUERY_FILTER | QUERY_ORDER | QUERY_TOP,
                     &r.query) ||
        !check_limits(c, &r.query) || !treat_expand(&r))
        return;
    if (is_new_round)
        folder->rounds++;
    r.page = page_size(c, &r.query);
    r.items = json_object_new_array();
    bool gap = c->s->settings.empty_pages && !r.link.gap;
    bool more = gap || fill_page(&r);
    r.link.gap = gap;
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "@odata.context",
                           json_object_new_string(graph_context(c, "messages/$delta")));
    json_object_object_add(o, "value", r.items);
    link_put(c, o, &r.link, !more);
    answer_json(c->a, 200, o);
}
