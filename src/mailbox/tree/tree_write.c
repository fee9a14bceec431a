#include "tree_write.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A write whose answer was lost and which was not done is repeated so often. */
#define REPEATS_MAX 2

/* ---- looking ---- */

struct child_visit {
    void (*fn)(void *arg, const struct graph_folder *child);
    void *arg;
};

static bool visit_children(void *arg, const struct graph_folder_page *page, struct error *e)
{
    const struct child_visit *v = arg;
    (void)e;
    for (size_t i = 0; i < page->count; i++)
        v->fn(v->arg, &page->folders[i]);
    return true;
}

bool each_child(struct mailbox_account *a, const char *parent_id,
                void (*fn)(void *arg, const struct graph_folder *child), void *arg, struct wait *w,
                struct error *e)
{
    struct child_visit v = {.fn = fn, .arg = arg};
    struct graph_call *first =
        graph_folder_list_start(a->user, as_of(a, w), parent_id, NULL, false, NULL);
    return tree_list_pages(a, first, visit_children, &v, w, e);
}

struct child_match {
    const char *name;
    char *id;
    bool exact;
};

static void match_child(void *arg, const struct graph_folder *child)
{
    struct child_match *m = arg;
    if (!child->name || m->exact || strcasecmp(child->name, m->name) != 0)
        return;
    m->exact = strcmp(child->name, m->name) == 0;
    free(m->id);
    m->id = xstrdup(child->id);
}

int find_child(struct mailbox_account *a, const char *parent_id, const char *name, char **id,
               struct wait *w, struct error *e)
{
    struct child_match m = {.name = name};
    struct graph_folder_page page = {0};
    struct graph_call *call =
        graph_folder_list_start(a->user, as_of(a, w), parent_id, name, false, NULL);
    bool ok = graph_call_wait(call, w, e) && graph_folder_page_decode(call, &page, e);
    graph_call_free(&call);
    for (size_t i = 0; ok && i < page.count; i++)
        match_child(&m, &page.folders[i]);
    graph_folder_page_free(&page);
    /* Who does not take the filter gives the whole list. */
    if (!ok && e->kind == ERROR_REQUEST) {
        error_clear(e);
        ok = each_child(a, parent_id, match_child, &m, w, e);
    }
    *id = m.id;
    return !ok ? -1 : m.id != NULL;
}

/* What an ended write says: 1 done, 0 look, -1 failed. */
static int judge(struct graph_call *call, struct wait *w, struct error *e)
{
    if (graph_call_wait(call, w, e))
        return 1;
    /* Of a PATCH that was repeated in vain an attempt may have been done. */
    return e->kind == ERROR_UNKNOWN_WRITE || e->kind == ERROR_TEMPORARY ? 0 : -1;
}

/* After the write was found not to be done. True: once more. */
static bool repeat(unsigned *repeats, const struct error *why, struct error *e)
{
    if ((*repeats)++ < REPEATS_MAX)
        return true;
    *e = *why;
    if (e->kind == ERROR_UNKNOWN_WRITE)
        error_turn(e, ERROR_TEMPORARY); /* it is known by now: nothing was done */
    return false;
}

/* ---- writing ---- */

bool write_create(struct mailbox_account *a, const char *parent_id, const char *name, char **id,
                  struct wait *w, struct error *e)
{
    unsigned repeats = 0;
    *id = NULL;
    for (;;) {
        struct arena *arena = arena_new();
        struct graph_folder g;
        struct error why = ERROR_INIT;
        struct graph_call *call = graph_folder_create_start(a->user, as_of(a, w), parent_id, name);
        int said = judge(call, w, &why);
        /* An answer that cannot be read is as good as lost. */
        if (said == 1 && graph_folder_decode(call, arena, &g, &why))
            *id = xstrdup(g.id);
        graph_call_free(&call);
        arena_free(&arena);
        if (*id)
            return true;
        if (said < 0) {
            *e = why;
            return false;
        }
        int found = find_child(a, parent_id, name, id, w, e);
        if (found != 0)
            return found > 0;
        if (!repeat(&repeats, &why, e))
            return false;
    }
}

bool write_rename(struct mailbox_account *a, const char *id, const char *name, struct wait *w,
                  struct error *e)
{
    struct error why = ERROR_INIT;
    struct graph_call *call = graph_folder_rename_start(a->user, as_of(a, w), id, name);
    int said = judge(call, w, &why);
    graph_call_free(&call);
    if (said == 0) {
        struct arena *arena = arena_new();
        struct graph_folder g;
        said = tree_ask(a, id, arena, &g, w, e) && g.name && strcmp(g.name, name) == 0 ? 1 : -1;
        arena_free(&arena);
    }
    if (said < 0)
        *e = why;
    return said > 0;
}

/* Where is the folder? 1: below this parent; 0: not; -1: error. */
static int is_below(struct mailbox_account *a, const char *id, const char *parent_id,
                    struct wait *w, struct error *e)
{
    struct arena *arena = arena_new();
    struct graph_folder g;
    bool ok = tree_ask(a, id, arena, &g, w, e);
    int below = !ok ? -1 : g.parent_id && strcmp(g.parent_id, parent_id) == 0;
    arena_free(&arena);
    return below;
}

bool write_move(struct mailbox_account *a, const char *id, const char *parent_id, struct wait *w,
                struct error *e)
{
    unsigned repeats = 0;
    for (;;) {
        struct arena *arena = arena_new();
        struct graph_folder g;
        struct error why = ERROR_INIT;
        struct graph_call *call = graph_folder_move_start(a->user, as_of(a, w), id, parent_id);
        int said = judge(call, w, &why);
        bool there = said == 1 && graph_folder_decode(call, arena, &g, &why) && g.parent_id &&
                     strcmp(g.parent_id, parent_id) == 0;
        graph_call_free(&call);
        arena_free(&arena);
        if (there)
            return true;
        if (said < 0) {
            *e = why;
            return false;
        }
        int below = is_below(a, id, parent_id, w, e);
        if (below != 0)
            return below > 0;
        if (why.kind == ERROR_NONE)
            error_set(&why, ERROR_ANSWER,
                      "Graph answered a move that left the folder where it was");
        if (!repeat(&repeats, &why, e))
            return false;
    }
}

bool write_delete(struct mailbox_account *a, const char *id, bool permanent, struct wait *w,
                  struct error *e)
{
    unsigned repeats = 0;
    for (;;) {
        struct error why = ERROR_INIT;
        struct graph_call *call = permanent ? graph_folder_purge_start(a->user, as_of(a, w), id)
                                            : graph_folder_delete_start(a->user, as_of(a, w), id);
        int said = judge(call, w, &why);
        graph_call_free(&call);
        if (said == 1)
            return true;
        struct arena *arena = arena_new();
        struct graph_folder g;
        /* A 404 may also mean that the call is not offered here, so look then too. */
        bool look = said == 0 || why.kind == ERROR_FOLDER_GONE || why.kind == ERROR_GONE;
        bool there = look && tree_ask(a, id, arena, &g, w, e);
        arena_free(&arena);
        if (look && !there) {
            bool gone = e->kind == ERROR_FOLDER_GONE;
            if (gone)
                error_clear(e);
            return gone;
        }
        if (said < 0 || !repeat(&repeats, &why, e)) {
            *e = why;
            if (look || (permanent && why.kind == ERROR_REQUEST))
                error_set(e, ERROR_CANNOT,
                          "Microsoft 365 does not delete this folder; choose another `expunge` for "
                          "the login");
            return false;
        }
    }
}
