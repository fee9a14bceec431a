/*
 * The two algorithms of THREAD (RFC 5256 section 3). Nothing here recurses: a thread may be as deep
 * as a folder is long.
 */
#include "order.h"

#include "postern/base/table.h"

#include <stdlib.h>
#include <string.h>

/* ---- trees ---- */

static void add_part(struct thread_node *parent, struct thread_node *node)
{
    node->parent = parent;
    node->next = NULL;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
}

/* The next node of the tree, a node before its parts; NULL behind the last. */
static struct thread_node *next_node(struct thread_node *node)
{
    if (node->first)
        return node->first;
    while (node->parent && !node->next)
        node = node->parent;
    return node->next;
}

/* Who is not there is placed by its first part. */
static const struct order_item *item_of(const struct thread_node *node)
{
    return node->item ? node->item : node->first->item;
}

static int by_date(const void *x, const void *y)
{
    const struct order_item *a = item_of(*(struct thread_node *const *)x);
    const struct order_item *b = item_of(*(struct thread_node *const *)y);
    if (a->sent_ms != b->sent_ms)
        return a->sent_ms < b->sent_ms ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void sort_parts(struct thread_node *node, struct thread_node **room)
{
    size_t count = 0;
    for (struct thread_node *part = node->first; part; part = part->next)
        room[count++] = part;
    if (count < 2)
        return;
    qsort(room, count, sizeof *room, by_date);
    node->first = node->last = NULL;
    for (size_t i = 0; i < count; i++)
        add_part(node, room[i]);
}

/* Every set of siblings by date; those of the root last, since a part that is not there goes by
 * the first of its own. `room` is for as many as there are nodes. */
static void sort_all(struct thread_node *root, struct thread_node **room)
{
    for (struct thread_node *node = next_node(root); node; node = next_node(node))
        sort_parts(node, room);
    sort_parts(root, room);
}

static struct thread_node *make_nodes(size_t count, struct arena *a)
{
    return arena_alloc(a, (count + 1) * sizeof(struct thread_node));
}

static struct thread_node **make_room(size_t count, struct arena *a)
{
    return arena_alloc(a, (count + 1) * sizeof(struct thread_node *));
}

/* ---- ORDEREDSUBJECT ---- */

static int by_subject(const void *x, const void *y)
{
    const struct thread_node *a = *(struct thread_node *const *)x;
    const struct thread_node *b = *(struct thread_node *const *)y;
    int c = strcmp(a->item->subject, b->item->subject);
    return c != 0 ? c : by_date(x, y);
}

struct thread_node *thread_by_subject(const struct order_item *items, size_t count, struct arena *a)
{
    struct thread_node *nodes = make_nodes(count, a), **order = make_room(count, a);
    struct thread_node *root = make_nodes(0, a), *thread = NULL;
    for (size_t i = 0; i < count; i++) {
        nodes[i].item = &items[i];
        order[i] = &nodes[i];
    }
    qsort(order, count, sizeof *order, by_subject);
    for (size_t i = 0; i < count; i++) {
        bool same = thread && strcmp(thread->item->subject, order[i]->item->subject) == 0;
        add_part(same ? thread : root, order[i]);
        thread = same ? thread : order[i];
    }
    sort_parts(root, order);
    return root;
}

/* ---- REFERENCES, step 1: who answers whom ---- */

struct linker {
    struct arena *arena;
    struct table *by_id;
    struct thread_node **nodes; /* all, in the order in which they were met */
    size_t count, cap;
};

static struct thread_node *new_node(struct linker *l, const struct order_item *item)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        struct thread_node **grown = make_room(l->cap, l->arena);
        if (l->count)
            memcpy(grown, l->nodes, l->count * sizeof *grown);
        l->nodes = grown;
    }
    struct thread_node *node = make_nodes(0, l->arena);
    node->item = item;
    l->nodes[l->count++] = node;
    return node;
}

static struct thread_node *node_of_id(struct linker *l, const char *id)
{
    struct thread_node *node = table_get(l->by_id, id);
    if (!node) {
        node = new_node(l, NULL);
        table_put(l->by_id, id, node);
    }
    return node;
}

/* An id that another message has already stands for nothing here. */
static struct thread_node *node_of_item(struct linker *l, const struct order_item *item)
{
    struct thread_node *node = item->id ? node_of_id(l, item->id) : NULL;
    if (!node || node->item)
        return new_node(l, item);
    node->item = item;
    return node;
}

/* Would `node` under `parent` close a circle? One that nobody answers cannot. While linking,
 * `first` only tells that there are answers. */
static bool is_above(const struct thread_node *node, const struct thread_node *parent)
{
    if (node == parent)
        return true;
    for (; node->first && parent; parent = parent->parent) {
        if (parent == node)
            return true;
    }
    return false;
}

static void link_under(struct thread_node *node, struct thread_node *parent)
{
    node->parent = parent;
    if (parent)
        parent->first = node;
}

static void link_item(struct linker *l, const struct order_item *item)
{
    struct thread_node *above = NULL;
    for (size_t i = 0; i < item->reference_count; i++) {
        struct thread_node *node = node_of_id(l, item->references[i]);
        if (above && !node->parent && !is_above(node, above))
            link_under(node, above);
        above = node;
    }
    struct thread_node *self = node_of_item(l, item);
    if (above && is_above(self, above))
        return;
    link_under(self, above);
}

/* ---- steps 2 and 3: a tree without those that are not there ---- */

/* Of each node the nearest message above it; of those without one the topmost node, which holds
 * its thread together, and of that the root. */
static void hang(struct linker *l, struct thread_node *tops)
{
    /* First the tree as it was linked, parts in the order of the nodes. */
    for (size_t i = 0; i < l->count; i++)
        l->nodes[i]->first = l->nodes[i]->last = NULL;
    for (size_t i = 0; i < l->count; i++) {
        struct thread_node *node = l->nodes[i];
        add_part(node->parent ? node->parent : tops, node);
    }
    /* Then, a node before its parts, where each really belongs. */
    size_t count = 0;
    for (struct thread_node *node = next_node(tops); node; node = next_node(node))
        l->nodes[count++] = node;
    for (size_t i = 0; i < count; i++) {
        struct thread_node *parent = l->nodes[i]->parent;
        if (parent != tops && !parent->item && parent->parent != tops)
            l->nodes[i]->parent = parent->parent;
    }
    for (size_t i = 0; i < count; i++)
        l->nodes[i]->first = l->nodes[i]->last = NULL;
    tops->first = tops->last = NULL;
    for (size_t i = 0; i < count; i++) {
        if (l->nodes[i]->item || l->nodes[i]->parent == tops)
            add_part(l->nodes[i]->parent, l->nodes[i]);
    }
}

/* The threads: of tops that are not there those with one part give way to it, those with none
 * vanish. */
static void prune(struct thread_node *tops, struct thread_node *root)
{
    for (struct thread_node *node = tops->first, *next; node; node = next) {
        next = node->next;
        if (node->item || node->first != node->last)
            add_part(root, node);
        else if (node->first)
            add_part(root, node->first);
    }
}

/* ---- steps 4 and 5: threads of one subject ---- */

/* Which of two threads of one subject stands for it: one that holds others together, else one that
 * is no reply. */
static bool is_better(const struct thread_node *node, const struct thread_node *than)
{
    if (!node->item || !than->item)
        return than->item != NULL;
    return than->item->reply && !node->item->reply;
}

static struct table *find_subjects(struct thread_node *root)
{
    struct table *by_subject = table_new();
    for (struct thread_node *node = root->first; node; node = node->next) {
        const char *subject = item_of(node)->subject;
        struct thread_node *there = *subject ? table_get(by_subject, subject) : NULL;
        if (*subject && (!there || is_better(node, there)))
            table_put(by_subject, subject, node);
    }
    return by_subject;
}

/* `node` joins the thread that stands for its subject; if that one is there, this one is too. */
static void merge(struct linker *l, struct thread_node *node, struct thread_node *there)
{
    if (!there->item && !node->item) {
        for (struct thread_node *part = node->first, *next; part; part = next) {
            next = part->next;
            add_part(there, part);
        }
        node->first = node->last = NULL;
        return;
    }
    if (there->item && (!node->item->reply || there->item->reply)) {
        /* Neither answers the other: the place of the one that was there is taken by nobody. */
        struct thread_node *self = new_node(l, there->item);
        self->first = there->first;
        self->last = there->last;
        for (struct thread_node *part = self->first; part; part = part->next)
            part->parent = self;
        there->item = NULL;
        there->first = there->last = NULL;
        add_part(there, self);
    }
    add_part(there, node);
}

static void join_subjects(struct linker *l, struct thread_node *root)
{
    struct table *by_subject = find_subjects(root);
    struct thread_node *node = root->first;
    root->first = root->last = NULL;
    for (struct thread_node *next; node; node = next) {
        next = node->next;
        const char *subject = item_of(node)->subject;
        struct thread_node *there = *subject ? table_get(by_subject, subject) : node;
        if (there == node)
            add_part(root, node);
        else
            merge(l, node, there);
    }
    table_free(&by_subject);
}

struct thread_node *thread_by_references(const struct order_item *items, size_t count,
                                         struct arena *a)
{
    struct linker l = {.arena = a, .by_id = table_new()};
    struct thread_node *tops = make_nodes(0, a), *root = make_nodes(0, a);
    for (size_t i = 0; i < count; i++)
        link_item(&l, &items[i]);
    table_free(&l.by_id);
    hang(&l, tops);
    prune(tops, root);
    /* A subject may put one more node above each thread. */
    struct thread_node **room = make_room(2 * l.count, a);
    sort_all(root, room);
    join_subjects(&l, root);
    sort_all(root, room);
    return root;
}

/* ---- output ---- */

static bool is_alone(const struct thread_node *node)
{
    return !node->next && node->parent->first == node;
}

/* A thread, and each of several answers, stands in parentheses; a single answer follows. */
bool thread_write(const struct thread_node *root, struct buf *out)
{
    for (const struct thread_node *node = root->first; node;) {
        bool top = node->parent == root;
        if (top || !is_alone(node))
            buf_putc(out, '(');
        else if (node->parent->item)
            buf_putc(out, ' ');
        if (node->item)
            buf_printf(out, "%lu", (unsigned long)node->item->number);
        if (node->first) {
            if (node->item && node->first->next)
                buf_putc(out, ' ');
            node = node->first;
            continue;
        }
        /* Up to the next one that is not written, closing what is complete. */
        while (node != root) {
            if (node->parent == root || !is_alone(node))
                buf_putc(out, ')');
            if (node->next)
                break;
            node = node->parent;
        }
        node = node == root ? NULL : node->next;
    }
    return !out->overflow;
}
