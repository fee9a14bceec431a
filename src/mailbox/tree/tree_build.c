#include "tree_build.h"

#include "names.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/base/table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A name beyond this, which takes more levels than Exchange allows, is not shown. */
#define NAME_MAX_BYTES ((size_t)16 * 1024)

struct item {
    struct mailbox_node node; /* first: a node is found inside its item */
    const struct tree_row *row;
};

struct mailbox_tree {
    atomic_uint refs;
    struct tree_rows *rows;
    struct arena *arena;
    struct item *items;
    size_t count;
    struct table *by_name, *by_id;
    struct table *by_folded; /* by the name in lower case, the first one */
    const char **orphans;
    size_t orphan_count;
};

/* ---- building ---- */

struct builder {
    struct mailbox_tree *tree;
    const struct tree_special *special;
    const struct tree_subscriptions *subscriptions;
    const struct tree_row **order; /* rows that are shown, by parent */
    size_t count;
};

static void collect(void *arg, struct tree_row *row)
{
    struct builder *b = arg;
    if (row->name && row->parent_id && !row->hidden && strcmp(row->id, b->special->root) != 0)
        b->order[b->count++] = row;
}

static int by_parent(const void *a, const void *b)
{
    const struct tree_row *x = *(const struct tree_row *const *)a;
    const struct tree_row *y = *(const struct tree_row *const *)b;
    int order = strcmp(x->parent_id, y->parent_id);
    return order ? order : strcmp(x->id, y->id);
}

static int parent_is(const void *key, const void *element)
{
    const struct tree_row *row = *(const struct tree_row *const *)element;
    return strcmp(key, row->parent_id);
}

static enum mailbox_use use_of(const struct tree_special *special, const char *id)
{
    for (int use = MAILBOX_USE_INBOX; use <= MAILBOX_USE_TRASH; use++)
        if (special->uses[use] && strcmp(special->uses[use], id) == 0)
            return (enum mailbox_use)use;
    return MAILBOX_USE_NONE;
}

/* NULL: it cannot be shown. */
static const char *name_of(struct builder *b, const char *parent, const struct tree_row *row,
                           enum mailbox_use use)
{
    struct buf name = BUF_INIT(NAME_MAX_BYTES);
    if (use == MAILBOX_USE_INBOX) {
        buf_puts(&name, "INBOX");
    } else {
        if (parent)
            buf_printf(&name, "%s/", parent);
        name_encode(row->name, !parent, &name);
    }
    const char *kept =
        name.overflow || name.len == 0 ? NULL : arena_strdup(b->tree->arena, buf_str(&name));
    buf_free(&name);
    return kept;
}

static int by_subscription(const void *key, const void *element)
{
    return strcmp(key, ((const struct tree_subscription *)element)->name);
}

static bool is_subscribed(const struct tree_subscriptions *s, const char *name)
{
    const struct tree_subscription *found =
        s->count ? bsearch(name, s->items, s->count, sizeof *s->items, by_subscription) : NULL;
    return !found || found->subscribed;
}

/* False: it is left out, with all that is in it. */
static bool add_item(struct builder *b, const char *parent, const struct tree_row *row)
{
    struct mailbox_tree *t = b->tree;
    enum mailbox_use use = use_of(b->special, row->id);
    const char *name = name_of(b, parent, row, use);
    if (!name || table_get(t->by_name, name)) {
        log_debug("a folder is not shown: its name is too long, or another one has it");
        return false;
    }
    struct item *item = &t->items[t->count++];
    item->row = row;
    item->node = (struct mailbox_node){.name = name,
                                       .graph_id = row->id,
                                       .use = use,
                                       .subscribed = is_subscribed(b->subscriptions, name),
                                       .total = row->total,
                                       .unread = row->unread};
    table_put(t->by_name, name, item); /* a place for now: sorting moves the items */
    return true;
}

static size_t add_children(struct builder *b, const char *parent_id, const char *parent)
{
    size_t before = b->tree->count;
    const struct tree_row **any =
        b->count ? bsearch(parent_id, b->order, b->count, sizeof *b->order, parent_is) : NULL;
    if (!any)
        return 0;
    while (any > b->order && strcmp(any[-1]->parent_id, parent_id) == 0)
        any--;
    for (; any < b->order + b->count && strcmp((*any)->parent_id, parent_id) == 0; any++)
        add_item(b, parent, *any);
    return b->tree->count - before;
}

/* INBOX first, then by name; '/' sorts before all else, so that children follow their parent. */
static int by_name(const void *a, const void *b)
{
    const char *x = ((const struct item *)a)->node.name, *y = ((const struct item *)b)->node.name;
    bool inbox_x = name_is_inbox(x) || name_below_inbox(x);
    bool inbox_y = name_is_inbox(y) || name_below_inbox(y);
    if (inbox_x != inbox_y)
        return inbox_x ? -1 : 1;
    while (*x && *x == *y)
        x++, y++;
    unsigned left = *x == '/' ? 1 : (unsigned char)*x, right = *y == '/' ? 1 : (unsigned char)*y;
    return (left > right) - (left < right);
}

/* In lower case as far as ASCII goes; the caller frees it. */
static char *fold(const char *name)
{
    char *folded = xstrdup(name);
    for (char *p = folded; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return folded;
}

static void index_items(struct mailbox_tree *t)
{
    qsort(t->items, t->count, sizeof *t->items, by_name);
    for (size_t i = 0; i < t->count; i++) {
        char *folded = fold(t->items[i].node.name);
        if (!table_get(t->by_folded, folded))
            table_put(t->by_folded, folded, &t->items[i]);
        free(folded);
        table_put(t->by_name, t->items[i].node.name, &t->items[i]);
        table_put(t->by_id, t->items[i].node.graph_id, &t->items[i]);
    }
}

static void find_orphans(struct mailbox_tree *t, const struct tree_subscriptions *s)
{
    t->orphans = arena_alloc(t->arena, (s->count + 1) * sizeof *t->orphans);
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].subscribed && !table_get(t->by_name, s->items[i].name))
            t->orphans[t->orphan_count++] = arena_strdup(t->arena, s->items[i].name);
}

struct mailbox_tree *tree_build(struct tree_rows *rows, const struct tree_special *special,
                                const struct tree_subscriptions *subscriptions)
{
    struct mailbox_tree *t = xcalloc(1, sizeof *t);
    struct builder b = {.tree = t, .special = special, .subscriptions = subscriptions};
    size_t all = tree_rows_count(rows);
    atomic_init(&t->refs, 1);
    t->rows = tree_rows_ref(rows);
    t->arena = arena_new();
    t->by_name = table_new();
    t->by_id = table_new();
    t->by_folded = table_new();
    t->items = xcalloc(all + 1, sizeof *t->items);
    b.order = xcalloc(all + 1, sizeof *b.order);
    tree_rows_each(rows, collect, &b);
    qsort(b.order, b.count, sizeof *b.order, by_parent);
    /* Level by level from the root: what is not below it, or in a circle, is never reached. */
    add_children(&b, special->root, NULL);
    for (size_t i = 0; i < t->count; i++)
        t->items[i].node.has_children =
            add_children(&b, t->items[i].node.graph_id, t->items[i].node.name) > 0;
    free(b.order);
    index_items(t);
    find_orphans(t, subscriptions);
    return t;
}

/* ---- reading ---- */

struct mailbox_tree *mailbox_tree_ref(struct mailbox_tree *t)
{
    if (t)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

void mailbox_tree_unref(struct mailbox_tree **tree)
{
    struct mailbox_tree *t = *tree;
    *tree = NULL;
    if (!t || atomic_fetch_sub(&t->refs, 1) > 1)
        return;
    table_free(&t->by_name);
    table_free(&t->by_id);
    table_free(&t->by_folded);
    arena_free(&t->arena);
    tree_rows_unref(&t->rows);
    free(t->items);
    free(t);
}

size_t mailbox_tree_count(const struct mailbox_tree *t)
{
    return t->count;
}

const struct mailbox_node *mailbox_tree_at(const struct mailbox_tree *t, size_t index)
{
    return &t->items[index].node;
}

const struct mailbox_node *mailbox_tree_find(const struct mailbox_tree *t, const char *name)
{
    const struct mailbox_node *node = table_get(t->by_name, name);
    if (node)
        return node;
    char *folded = fold(name);
    node = table_get(t->by_folded, folded);
    free(folded);
    return node;
}

void mailbox_tree_orphans(const struct mailbox_tree *t, void (*fn)(void *arg, const char *name),
                          void *arg)
{
    for (size_t i = 0; i < t->orphan_count; i++)
        fn(arg, t->orphans[i]);
}

struct tree_rows *tree_rows_of(const struct mailbox_tree *t)
{
    return t->rows;
}

const struct tree_row *tree_row_of(const struct mailbox_tree *t, const struct mailbox_node *node)
{
    (void)t;
    return ((const struct item *)node)->row;
}

const struct mailbox_node *tree_find_id(const struct mailbox_tree *t, const char *id)
{
    return table_get(t->by_id, id);
}

const struct mailbox_node *tree_parent(const struct mailbox_tree *t,
                                       const struct mailbox_node *node)
{
    return tree_find_id(t, tree_row_of(t, node)->parent_id);
}

const struct mailbox_node *tree_find_child(const struct mailbox_tree *t,
                                           const struct mailbox_node *parent, const char *display,
                                           size_t len)
{
    const struct mailbox_node *alike = NULL;
    for (size_t i = 0; i < t->count; i++) {
        const struct item *item = &t->items[i];
        if (tree_parent(t, &item->node) != parent || strlen(item->row->name) != len)
            continue;
        if (memcmp(item->row->name, display, len) == 0)
            return &item->node;
        if (strncasecmp(item->row->name, display, len) == 0)
            alike = &item->node;
    }
    return alike;
}
