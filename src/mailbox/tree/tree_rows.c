#include "tree_build.h"

#include "postern/base/alloc.h"
#include "postern/base/table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct tree_rows {
    atomic_uint refs;
    struct arena *arena;
    struct table *by_id;
};

static bool copy_row(void *arg, const char *key, void *value)
{
    struct tree_rows *rows = arg;
    const struct tree_row *from = value;
    struct tree_row *row = tree_rows_enter(rows, key);
    row->parent_id = tree_rows_keep(rows, from->parent_id);
    row->name = tree_rows_keep(rows, from->name);
    row->hidden = from->hidden;
    row->children = from->children;
    row->total = from->total;
    row->unread = from->unread;
    row->change = from->change;
    row->covered = from->covered;
    row->told_ms = from->told_ms;
    return true;
}

struct tree_rows *tree_rows_new(const struct tree_rows *from)
{
    struct tree_rows *rows = xcalloc(1, sizeof *rows);
    atomic_init(&rows->refs, 1);
    rows->arena = arena_new();
    rows->by_id = table_new();
    if (from)
        table_each(from->by_id, copy_row, rows);
    return rows;
}

struct tree_rows *tree_rows_ref(struct tree_rows *rows)
{
    atomic_fetch_add(&rows->refs, 1);
    return rows;
}

void tree_rows_unref(struct tree_rows **rows)
{
    struct tree_rows *r = *rows;
    *rows = NULL;
    if (!r || atomic_fetch_sub(&r->refs, 1) > 1)
        return;
    table_free(&r->by_id);
    arena_free(&r->arena);
    free(r);
}

size_t tree_rows_count(const struct tree_rows *rows)
{
    return table_count(rows->by_id);
}

struct tree_row *tree_rows_find(const struct tree_rows *rows, const char *id)
{
    return table_get(rows->by_id, id);
}

struct tree_row *tree_rows_enter(struct tree_rows *rows, const char *id)
{
    struct tree_row *row = tree_rows_find(rows, id);
    if (row)
        return row;
    row = arena_alloc(rows->arena, sizeof *row);
    row->id = arena_strdup(rows->arena, id);
    row->children = row->total = row->unread = -1;
    table_put(rows->by_id, id, row);
    return row;
}

void tree_rows_remove(struct tree_rows *rows, const char *id)
{
    table_remove(rows->by_id, id);
}

const char *tree_rows_keep(struct tree_rows *rows, const char *text)
{
    return text ? arena_strdup(rows->arena, text) : NULL;
}

struct each_row {
    void (*fn)(void *arg, struct tree_row *row);
    void *arg;
};

static bool call_each(void *arg, const char *key, void *value)
{
    const struct each_row *each = arg;
    (void)key;
    each->fn(each->arg, value);
    return true;
}

void tree_rows_each(const struct tree_rows *rows, void (*fn)(void *arg, struct tree_row *row),
                    void *arg)
{
    table_each(rows->by_id, call_each, &(struct each_row){fn, arg});
}

void tree_rows_apply(struct tree_rows *rows, const struct graph_folder *g)
{
    if (g->removed) {
        tree_rows_remove(rows, g->id);
        return;
    }
    struct tree_row *row = tree_rows_enter(rows, g->id);
    if (g->parent_id)
        row->parent_id = tree_rows_keep(rows, g->parent_id);
    if (g->name)
        row->name = tree_rows_keep(rows, g->name);
    row->hidden = (g->has_hidden ? g->hidden : row->hidden) || g->search_folder;
    if (g->child_count >= 0)
        row->children = g->child_count;
    if (g->total >= 0)
        row->total = g->total;
    if (g->unread >= 0)
        row->unread = g->unread;
}

struct child_search {
    const char *parent_id;
    bool found;
};

static bool is_child(void *arg, const char *key, void *value)
{
    struct child_search *search = arg;
    const struct tree_row *row = value;
    (void)key;
    search->found = row->parent_id && strcmp(row->parent_id, search->parent_id) == 0;
    return !search->found;
}

bool tree_rows_has_child(const struct tree_rows *rows, const char *parent_id)
{
    struct child_search search = {.parent_id = parent_id};
    table_each(rows->by_id, is_child, &search);
    return search.found;
}
