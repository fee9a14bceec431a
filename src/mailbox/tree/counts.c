/*
 * Counters, marks and next article numbers (0x6751) of many folders: all that are below one parent
 * come with one listing, and many such listings in one request.
 */
#include "status.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 5000
/* A tree of so many folders with children is listed whole. */
#define WHOLE_MAX (2 * GRAPH_BATCH_MAX)

struct counts {
    atomic_uint refs;
    int64_t began_ms;
    struct table *parents; /* ids of those listed */
    struct table *folders; /* id → what was found */
    struct graph_folder_page *pages;
    size_t page_count, page_cap;
};

struct asking {
    struct mailbox_account *account;
    struct counts *counts;
    struct wait *wait;
    const char **parents;
    size_t count, cap;
};

void counts_unref(struct counts **counts)
{
    struct counts *c = *counts;
    *counts = NULL;
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    for (size_t i = 0; i < c->page_count; i++)
        graph_folder_page_free(&c->pages[i]);
    free(c->pages);
    table_free(&c->parents);
    table_free(&c->folders);
    free(c);
}

const struct graph_folder *counts_find(const struct counts *c, const char *id)
{
    return c ? table_get(c->folders, id) : NULL;
}

/* ---- asking ---- */

static void add_parent(struct asking *q, const char *id)
{
    if (table_put(q->counts->parents, id, q->counts))
        return;
    if (q->count == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 64;
        q->parents = xreallocarray(q->parents, q->cap, sizeof *q->parents);
    }
    q->parents[q->count++] = id;
}

static void keep_page(struct counts *c, const struct graph_folder_page *page)
{
    if (c->page_count == c->page_cap) {
        c->page_cap = c->page_cap ? c->page_cap * 2 : 16;
        c->pages = xreallocarray(c->pages, c->page_cap, sizeof *c->pages);
    }
    c->pages[c->page_count++] = *page;
    for (size_t i = 0; i < page->count; i++)
        table_put(c->folders, page->folders[i].id, &page->folders[i]);
}

/* Reads the list that begins with the call. */
static bool read_list(struct asking *q, struct graph_call *call, struct error *e)
{
    struct mailbox_account *a = q->account;
    bool ok = true;
    for (unsigned pages = 0; ok && call && pages < PAGES_MAX; pages++) {
        struct graph_folder_page page = {0};
        ok = graph_call_wait(call, q->wait, e) && graph_folder_page_decode(call, &page, e);
        graph_call_free(&call);
        if (ok)
            keep_page(q->counts, &page);
        if (ok && page.next_link)
            call = graph_folder_list_start(a->user, as_of(a, q->wait), NULL, NULL, true,
                                           page.next_link);
    }
    graph_call_free(&call);
    return ok;
}

/* With properties, or without where those are refused. */
static bool read_one(struct asking *q, const char *parent, struct error *e)
{
    struct graph_user *u = q->account->user;
    struct graph_as as = as_of(q->account, q->wait);
    if (read_list(q, graph_folder_list_start(u, as, parent, NULL, true, NULL), e))
        return true;
    if (e->kind == ERROR_FOLDER_GONE || e->kind == ERROR_GONE) {
        error_clear(e); /* moved or deleted just now, with all that is in it */
        return true;
    }
    if (e->kind != ERROR_REQUEST && e->kind != ERROR_TEMPORARY)
        return false;
    log_debug("folders are listed without their properties: %s", e->text);
    error_clear(e);
    return read_list(q, graph_folder_list_start(u, as, parent, NULL, false, NULL), e);
}

/* The first pages of many lists in one request; what is left open is asked for singly. */
static bool read_batch(struct asking *q, const char *const *parents, size_t count, struct error *e)
{
    struct mailbox_account *a = q->account;
    struct graph_folder_page *pages = xcalloc(count, sizeof *pages);
    struct error *errors = xcalloc(count, sizeof *errors);
    struct graph_call *call = graph_folder_lists_start(a->user, as_of(a, q->wait), parents, count);
    struct error whole = ERROR_INIT;
    bool ok = true;
    if (!graph_call_wait(call, q->wait, &whole) ||
        !graph_folder_lists_decode(call, pages, errors, count, &whole))
        log_debug("lists of folders are asked for one by one: %s", whole.text);
    graph_call_free(&call);
    for (size_t i = 0; i < count; i++) {
        if (!pages[i].arena) {
            ok = ok && read_one(q, parents[i], e);
            continue;
        }
        keep_page(q->counts, &pages[i]);
        if (ok && pages[i].next_link)
            ok = read_list(q,
                           graph_folder_list_start(a->user, as_of(a, q->wait), NULL, NULL, true,
                                                   pages[i].next_link),
                           e);
    }
    free(pages);
    free(errors);
    return ok;
}

static bool read_all(struct asking *q, struct error *e)
{
    bool ok = true;
    for (size_t i = 0; ok && i < q->count; i += GRAPH_BATCH_MAX) {
        size_t left = q->count - i;
        size_t count = left < GRAPH_BATCH_MAX ? left : GRAPH_BATCH_MAX;
        ok = count == 1 ? read_one(q, q->parents[i], e) : read_batch(q, &q->parents[i], count, e);
    }
    return ok;
}

/* ---- what to ask for ---- */

static void add_all(struct asking *q, const struct mailbox_tree *t)
{
    size_t parents = 1;
    for (size_t i = 0; i < mailbox_tree_count(t); i++)
        parents += mailbox_tree_at(t, i)->has_children;
    for (size_t i = 0; parents <= WHOLE_MAX && i < mailbox_tree_count(t); i++)
        add_parent(q, tree_row_of(t, mailbox_tree_at(t, i))->parent_id);
}

/* What was asked for a moment ago, if it has all that is wanted now. */
static struct counts *recent(struct mailbox_account *a, const struct status_item *items,
                             size_t count, int64_t newer_than_ms)
{
    pthread_mutex_lock(&a->lock);
    struct counts *c = a->tree.counts;
    bool fits = c && c->began_ms >= newer_than_ms && c->began_ms > a->tree.stale_ms;
    for (size_t i = 0; fits && i < count; i++)
        fits = !items[i].node || table_get(c->parents, items[i].row->parent_id);
    if (fits)
        atomic_fetch_add(&c->refs, 1);
    pthread_mutex_unlock(&a->lock);
    return fits ? c : NULL;
}

static void publish(struct mailbox_account *a, struct counts *c)
{
    atomic_fetch_add(&c->refs, 1);
    pthread_mutex_lock(&a->lock);
    struct counts *old = a->tree.counts;
    a->tree.counts = c;
    pthread_mutex_unlock(&a->lock);
    counts_unref(&old);
}

struct counts *counts_get(struct mailbox_account *a, const struct mailbox_tree *t,
                          const struct status_item *items, size_t count, int64_t newer_than_ms,
                          struct wait *w, struct error *e)
{
    struct counts *c = recent(a, items, count, newer_than_ms);
    if (c)
        return c;
    c = xcalloc(1, sizeof *c);
    atomic_init(&c->refs, 1);
    c->began_ms = clock_mono_ms();
    c->parents = table_new();
    c->folders = table_new();
    struct asking q = {.account = a, .counts = c, .wait = w};
    for (size_t i = 0; i < count; i++)
        if (items[i].node)
            add_parent(&q, items[i].row->parent_id);
    add_all(&q, t);
    bool ok = read_all(&q, e);
    if (ok)
        publish(a, c);
    else
        counts_unref(&c);
    free(q.parents);
    return c;
}
