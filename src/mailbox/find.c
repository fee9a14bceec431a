/* Finding a message that was made and whose answer was lost. */
#include "internal.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct search {
    find_old_fn *old;
    void *arg;
    char *found;
    size_t count;
};

static void take_page(struct search *s, const struct graph_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        const char *id = page->messages[i].id;
        if (page->messages[i].removed || s->old(s->arg, id) ||
            (s->found && strcmp(s->found, id) == 0))
            continue;
        if (s->count++ == 0)
            s->found = xstrdup(id);
    }
}

int find_new(struct mailbox_account *a, const char *folder_id, enum graph_find what,
             const char *value, find_old_fn *old, void *arg, char **id, struct wait *w,
             struct error *e)
{
    struct search s = {.old = old, .arg = arg};
    struct graph_page page = {0};
    bool ok;
    do {
        struct graph_page next = {0};
        struct graph_call *call =
            graph_find_start(a->user, as_of(&s, w), folder_id, what, value, page.next_link);
        ok = graph_call_wait(call, w, e) && graph_page_decode(call, &next, e);
        graph_call_free(&call);
        if (ok && next.next_link && page.next_link && strcmp(next.next_link, page.next_link) == 0)
            ok = error_set(e, ERROR_ANSWER, "Graph answered a page that leads to itself");
        graph_page_free(&page);
        page = next;
        if (ok)
            take_page(&s, &page);
    } while (ok && page.next_link);
    graph_page_free(&page);
    if (ok && s.count > 1)
        ok = error_set(e, ERROR_ANSWER,
                       "%zu messages may be the one whose making was not answered; none is touched",
                       s.count);
    *id = ok ? s.found : NULL;
    if (!ok)
        free(s.found);
    return ok ? s.found != NULL : -1;
}
