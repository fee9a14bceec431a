/* Asking Graph for particular messages, for sync. */
#include "internal.h"

#include <string.h>

/* In another folder now? Then it is gone from this one. */
static bool is_elsewhere(const struct mailbox_folder *f, const struct graph_message *m)
{
    return (m->has & GRAPH_HAS_PARENT) && strcmp(m->parent_folder_id, f->graph_id) != 0;
}

static bool tell_answer(struct mailbox_folder *f, size_t index, struct graph_call *call,
                        fetch_fn *fn, void *arg, struct error *e)
{
    struct graph_message m;
    if (!graph_call_outcome(call, e)) {
        if (e->kind != ERROR_GONE)
            return false;
        error_clear(e);
        fn(arg, index, NULL);
        return true;
    }
    struct arena *a = arena_new();
    bool ok = graph_message_decode(call, a, &m, e);
    if (ok)
        fn(arg, index, is_elsewhere(f, &m) ? NULL : &m);
    arena_free(&a);
    return ok;
}

bool fetch_each(struct mailbox_folder *f, const char *const *ids, size_t count, fetch_fn *fn,
                void *arg, struct wait *w, struct error *e)
{
    struct graph_call *calls[ABREAST] = {NULL};
    size_t asked[ABREAST] = {0};
    size_t next = 0, open = 0;
    bool ok = true;
    while (ok && (open > 0 || next < count)) {
        for (size_t i = 0; i < ABREAST && next < count; i++) {
            if (calls[i])
                continue;
            asked[i] = next++;
            calls[i] = graph_message_start(f->account->user, as_of(f, w), ids[asked[i]]);
            open++;
        }
        ok = graph_call_wait_any(calls, ABREAST, w, e);
        for (size_t i = 0; ok && i < ABREAST; i++) {
            if (!calls[i] || !graph_call_ended(calls[i]))
                continue;
            ok = tell_answer(f, asked[i], calls[i], fn, arg, e);
            graph_call_free(&calls[i]);
            open--;
        }
    }
    for (size_t i = 0; i < ABREAST; i++)
        if (calls[i])
            graph_call_free(&calls[i]);
    return ok;
}

struct merge_answers {
    struct merge *merge;
    const char *const *ids;
};

static void answer_merge(void *arg, size_t index, const struct graph_message *m)
{
    const struct merge_answers *answers = arg;
    merge_answer(merge_find(answers->merge, answers->ids[index]), m);
}

bool fetch_by_id(struct mailbox_folder *f, struct merge *m, const char *const *ids, size_t count,
                 struct wait *w, struct error *e)
{
    struct merge_answers answers = {.merge = m, .ids = ids};
    return fetch_each(f, ids, count, answer_merge, &answers, w, e);
}

/* How many of the page's messages the merge waited for. */
static size_t take_page(struct merge *m, const struct graph_page *page)
{
    size_t found = 0;
    for (size_t i = 0; i < page->count; i++) {
        struct merge_item *item = merge_find(m, page->messages[i].id);
        if (item && !page->messages[i].removed)
            found += merge_listed(item, &page->messages[i]);
    }
    return found;
}

bool fetch_page(struct graph_call *call, struct graph_page *page, struct wait *w, struct error *e)
{
    struct graph_page next = {0};
    bool ok = graph_call_wait(call, w, e) && graph_page_decode(call, &next, e);
    graph_call_free(&call);
    if (ok && next.next_link && page->next_link && strcmp(next.next_link, page->next_link) == 0)
        ok = error_set(e, ERROR_ANSWER, "Graph answered a page that leads to itself");
    graph_page_free(page);
    *page = next;
    return ok;
}

bool fetch_listing(struct mailbox_folder *f, struct merge *m, int64_t since_ms, size_t wanted,
                   size_t max_pages, struct wait *w, struct error *e)
{
    struct graph_page page = {0};
    size_t found = 0, pages = 0;
    bool ok;
    do {
        struct graph_call *call = graph_listing_start(f->account->user, as_of(f, w), f->graph_id,
                                                      since_ms, page.next_link);
        ok = fetch_page(call, &page, w, e);
        if (ok)
            found += take_page(m, &page);
    } while (ok && page.next_link && found < wanted && ++pages < max_pages);
    graph_page_free(&page);
    return ok;
}
