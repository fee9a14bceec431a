/*
 * Reading the folder tree: mailFolders/delta (flat, the whole mailbox; what changed since the last
 * link), or listings level by level where that is absent or leaves folders out.
 */
#include "tree_keep.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 5000 /* of one list; empty ones are normal */
/* A folder that says it has children, of which the delta tells none, is looked into; if more do,
 * the delta does not cover the tree. */
#define DOUBTS_MAX 4

/* Refused, or a server that fails, where another request may do. */
static bool may_do_without(const struct error *e)
{
    return e->kind == ERROR_REQUEST || e->kind == ERROR_TEMPORARY || e->kind == ERROR_FOLDER_GONE ||
           e->kind == ERROR_GONE || e->kind == ERROR_MAILBOX_GONE;
}

/* Our mark was written since the last round: that is a change of the folder too, but none of what
 * is in it. */
static bool is_our_mark(struct mailbox_account *a, const char *id)
{
    pthread_mutex_lock(&a->lock);
    const struct mailbox_folder *f = table_get(a->folders, id);
    bool ours = f && f->marked_ms > 0 && f->marked_ms >= a->tree.began_ms;
    pthread_mutex_unlock(&a->lock);
    return ours;
}

/* What a delta tells of a folder that is known. True: it is a change. */
static bool judge(struct tree_reading *r, const struct tree_row *before, const struct tree_row *now)
{
    bool place = strcmp(before->name, now->name) == 0 &&
                 strcmp(before->parent_id, now->parent_id) == 0 && before->hidden == now->hidden &&
                 before->children == now->children;
    bool total = before->total == now->total, unread = before->unread == now->unread;
    r->tells_total = r->tells_total || (place && !total);
    r->tells_unread = r->tells_unread || (place && total && !unread);
    return !(place && total && unread && is_our_mark(r->account, now->id));
}

static void take_folder(struct tree_reading *r, const struct graph_folder *g)
{
    if (table_put(r->seen, g->id, r))
        tree_rows_enter(r->twice, g->id);
    const struct tree_row *known = tree_rows_find(r->rows, g->id);
    struct tree_row before = {0};
    if (known && known->name && known->parent_id && !r->whole)
        before = (struct tree_row){.name = known->name,
                                   .parent_id = known->parent_id,
                                   .hidden = known->hidden,
                                   .children = known->children,
                                   .total = known->total,
                                   .unread = known->unread};
    tree_rows_apply(r->rows, g);
    struct tree_row *row = tree_rows_find(r->rows, g->id);
    if (row && (!before.name || judge(r, &before, row)))
        row->change = r->round;
}

static bool take_page(struct tree_reading *r, const struct graph_folder_page *page, struct error *e)
{
    r->told += page->count;
    for (size_t i = 0; i < page->count; i++)
        take_folder(r, &page->folders[i]);
    return tree_rows_count(r->rows) <= TREE_FOLDERS_MAX ||
           error_set(e, ERROR_TOO_BIG, "the mailbox has more than %d folders", TREE_FOLDERS_MAX);
}

/* ---- delta ---- */

/* Follows r->link (NULL: from the start) to the next delta link. */
static bool follow(struct tree_reading *r, struct wait *w, struct error *e)
{
    struct mailbox_account *a = r->account;
    bool ok = true, done = false;
    for (unsigned pages = 0; ok && !done; pages++) {
        struct graph_folder_page page = {0};
        struct graph_call *call = graph_folder_delta_start(a->user, as_of(a, w), r->link);
        ok = graph_call_wait(call, w, e) && graph_folder_page_decode(call, &page, e) &&
             take_page(r, &page, e);
        graph_call_free(&call);
        const char *next = page.next_link ? page.next_link : page.delta_link;
        if (ok && (!next || pages == PAGES_MAX))
            ok = error_set(e, ERROR_ANSWER, "Graph's delta of folders leads nowhere");
        if (ok) {
            done = !page.next_link;
            free(r->link);
            r->link = xstrdup(next);
        }
        graph_folder_page_free(&page);
    }
    return ok;
}

struct incomplete {
    const char **ids;
    size_t count;
};

static void find_incomplete(void *arg, struct tree_row *row)
{
    struct incomplete *found = arg;
    if (!row->name || !row->parent_id)
        found->ids[found->count++] = row->id;
}

/* A change may be told without all that we never heard before, and in no order: what was told of
 * twice, present and removed or by two names, is asked for. */
static bool complete(struct tree_reading *r, struct wait *w, struct error *e)
{
    struct mailbox_account *a = r->account;
    size_t most = tree_rows_count(r->rows) + tree_rows_count(r->twice);
    struct incomplete found = {.ids = xcalloc(most + 1, sizeof *found.ids)};
    bool ok = true;
    tree_rows_each(r->twice, find_incomplete, &found);
    tree_rows_each(r->rows, find_incomplete, &found);
    for (size_t i = 0; ok && i < found.count; i++) {
        struct arena *arena = arena_new();
        struct graph_folder g;
        struct graph_call *call = graph_folder_start(a->user, as_of(a, w), found.ids[i], false);
        ok = graph_call_wait(call, w, e) && graph_folder_decode(call, arena, &g, e);
        graph_call_free(&call);
        if (ok) {
            tree_rows_apply(r->rows, &g);
        } else if (e->kind == ERROR_FOLDER_GONE || e->kind == ERROR_GONE) {
            error_clear(e);
            tree_rows_remove(r->rows, found.ids[i]);
            ok = true;
        }
        arena_free(&arena);
    }
    free(found.ids);
    return ok;
}

/* ---- listings ---- */

/* Adds the ids of folders that may have children to a queue. */
struct queue {
    char **ids;
    size_t count, cap;
};

static void queue_put(struct queue *q, const char *id)
{
    if (q->count == q->cap) {
        q->cap = q->cap ? q->cap * 2 : 64;
        q->ids = xreallocarray(q->ids, q->cap, sizeof *q->ids);
    }
    q->ids[q->count++] = xstrdup(id);
}

static void queue_free(struct queue *q)
{
    for (size_t i = 0; i < q->count; i++)
        free(q->ids[i]);
    free(q->ids);
}

bool tree_list_pages(struct mailbox_account *a, struct graph_call *first,
                     bool (*fn)(void *arg, const struct graph_folder_page *page, struct error *e),
                     void *arg, struct wait *w, struct error *e)
{
    struct graph_call *call = first;
    bool ok = true;
    for (unsigned pages = 0; ok && call; pages++) {
        struct graph_folder_page page = {0};
        ok = graph_call_wait(call, w, e) && graph_folder_page_decode(call, &page, e);
        graph_call_free(&call);
        ok = ok && fn(arg, &page, e);
        if (ok && page.next_link && pages == PAGES_MAX)
            ok = error_set(e, ERROR_ANSWER, "Graph's list of folders does not end");
        if (ok && page.next_link)
            call = graph_folder_list_start(a->user, as_of(a, w), NULL, NULL, false, page.next_link);
        graph_folder_page_free(&page);
    }
    return ok;
}

/* A list that is read, and where what may lie below it is put. */
struct listing {
    struct tree_reading *reading;
    struct queue *below;
};

static bool take_listed(void *arg, const struct graph_folder_page *page, struct error *e)
{
    struct listing *l = arg;
    /* Each once: a folder that is told below itself has no end. */
    for (size_t i = 0; i < page->count; i++)
        if (page->folders[i].child_count != 0 && !table_get(l->reading->seen, page->folders[i].id))
            queue_put(l->below, page->folders[i].id);
    return take_page(l->reading, page, e);
}

/* Reads the pages of one list, whose first is asked for already. */
static bool list_pages(struct tree_reading *r, struct graph_call *call, struct queue *below,
                       struct wait *w, struct error *e)
{
    struct listing l = {.reading = r, .below = below};
    return tree_list_pages(r->account, call, take_listed, &l, w, e);
}

static bool read_listings(struct tree_reading *r, struct wait *w, struct error *e)
{
    struct mailbox_account *a = r->account;
    struct graph_call *calls[ABREAST] = {NULL};
    struct queue q = {0};
    size_t asked = 0;
    bool ok = list_pages(r, graph_folder_list_start(a->user, as_of(a, w), NULL, NULL, false, NULL),
                         &q, w, e);
    for (size_t at = 0; ok && at < q.count; at++) {
        for (; asked < q.count && asked < at + ABREAST; asked++)
            calls[asked % ABREAST] =
                graph_folder_list_start(a->user, as_of(a, w), q.ids[asked], NULL, false, NULL);
        ok = list_pages(r, calls[at % ABREAST], &q, w, e);
        calls[at % ABREAST] = NULL;
    }
    for (size_t i = 0; i < ABREAST; i++)
        graph_call_free(&calls[i]);
    queue_free(&q);
    return ok;
}

/* ---- the whole tree ---- */

struct doubts {
    const struct tree_rows *rows;
    const char *root;
    struct queue parents;
    bool uncounted; /* some do not say how many children they have */
    bool deep;      /* folders below the first level are told of */
};

static void doubt(void *arg, struct tree_row *row)
{
    struct doubts *d = arg;
    d->uncounted = d->uncounted || (row->children < 0 && !row->hidden);
    d->deep = d->deep || (strcmp(row->id, d->root) != 0 && row->parent_id &&
                          strcmp(row->parent_id, d->root) != 0);
    if (row->children > 0 && !row->hidden && !tree_rows_has_child(d->rows, row->id))
        queue_put(&d->parents, row->id);
}

/* Does the delta tell the children too? It is documented for "the mailbox", with no word on
 * levels; a folder may also count children that are hidden. */
static bool covers_all(struct tree_reading *r, bool *covered, struct wait *w, struct error *e)
{
    struct mailbox_account *a = r->account;
    struct tree_special special;
    struct queue ignored = {0};
    bool complete, ok = special_recall(a, &special, &complete, e);
    if (!ok)
        return false;
    struct doubts d = {.rows = r->rows, .root = special.root ? special.root : ""};
    tree_rows_each(r->rows, doubt, &d);
    special_clear(&special);
    *covered = d.parents.count <= DOUBTS_MAX && (d.deep || !d.uncounted);
    for (size_t i = 0; ok && *covered && i < d.parents.count; i++) {
        size_t before = tree_rows_count(r->rows);
        ok = list_pages(
            r, graph_folder_list_start(a->user, as_of(a, w), d.parents.ids[i], NULL, false, NULL),
            &ignored, w, e);
        *covered = tree_rows_count(r->rows) == before;
    }
    queue_free(&d.parents);
    queue_free(&ignored);
    return ok;
}

static void forget_seen(struct tree_reading *r)
{
    table_free(&r->seen);
    tree_rows_unref(&r->twice);
    r->seen = table_new();
    r->twice = tree_rows_new(NULL);
}

static void start_anew(struct tree_reading *r)
{
    forget_seen(r);
    tree_rows_unref(&r->rows);
    r->rows = tree_rows_new(NULL);
    free(r->link);
    r->link = NULL;
    r->whole = true;
}

static bool read_whole(struct tree_reading *r, struct wait *w, struct error *e)
{
    bool covered = false;
    start_anew(r);
    if (!r->by_listing && follow(r, w, e) && complete(r, w, e) && covers_all(r, &covered, w, e)) {
        if (covered)
            return true;
        log_info("the delta of folders leaves some out; listings serve");
    } else if (!r->by_listing) {
        if (!may_do_without(e))
            return false;
        log_info("no folder delta here (%s); listings serve", e->code);
        error_clear(e);
    }
    r->by_listing = true;
    start_anew(r);
    return read_listings(r, w, e);
}

/* A tree read whole says nothing of what changed: that is found by comparing. */
static void inherit(void *arg, struct tree_row *row)
{
    const struct tree_row *old = tree_rows_find(arg, row->id);
    if (!old) {
        row->change = 0;
        return;
    }
    row->covered = old->covered;
    if (old->total == row->total && old->unread == row->unread && row->name && old->name &&
        strcmp(old->name, row->name) == 0) {
        row->change = old->change;
        row->told_ms = old->told_ms;
    }
}

static bool read_rows(struct tree_reading *r, const struct tree_rows *old, struct wait *w,
                      struct error *e)
{
    bool ok = false;
    if (r->link && !r->by_listing) {
        ok = follow(r, w, e) && complete(r, w, e);
        /* The link is dead, whatever the server calls it. */
        if (!ok && e->kind != ERROR_RESYNC && e->kind != ERROR_REQUEST &&
            e->kind != ERROR_FOLDER_GONE && e->kind != ERROR_GONE)
            return false;
    }
    if (!ok) {
        error_clear(e);
        ok = read_whole(r, w, e);
        if (ok)
            tree_rows_each(r->rows, inherit, (void *)old);
    }
    return ok;
}

bool tree_read(struct tree_reading *r, const struct tree_rows *old, struct wait *w, struct error *e)
{
    forget_seen(r);
    bool ok = read_rows(r, old, w, e);
    table_free(&r->seen);
    tree_rows_unref(&r->twice);
    return ok;
}
