/*
 * Whether counters moved. A folder's counters are not the numbers of its messages: they count
 * calendar items and the like, too. What they were beyond them when the folder was last read is
 * remembered, and the next article number, since as many may have come as went.
 */
#include "status.h"

#include "postern/base/alloc.h"

#include <stdlib.h>

struct seen {
    int64_t total, unread; /* beyond the messages */
    int64_t article_next;  /* -1: unknown */
};

static struct seen recall(struct mailbox_account *a, const char *id)
{
    pthread_mutex_lock(&a->lock);
    const struct seen *known = a->tree.seen ? table_get(a->tree.seen, id) : NULL;
    struct seen copy = known ? *known : (struct seen){.article_next = -1};
    pthread_mutex_unlock(&a->lock);
    return copy;
}

bool seen_differs(struct mailbox_account *a, const struct status_item *item,
                  const struct mailbox_status *totals)
{
    const struct graph_folder *g = item->found;
    if (!g)
        return false;
    struct seen seen = recall(a, g->id);
    bool total = g->total >= 0 && g->total != totals->messages + seen.total;
    bool unread = g->unread >= 0 && g->unread != totals->unseen + seen.unread;
    bool article =
        g->article_next >= 0 && seen.article_next >= 0 && g->article_next != seen.article_next;
    return total || unread || article;
}

void seen_note(struct mailbox_account *a, const struct status_item *item,
               const struct mailbox_status *totals)
{
    const struct graph_folder *g = item->found;
    if (!g)
        return;
    pthread_mutex_lock(&a->lock);
    if (!a->tree.seen)
        a->tree.seen = table_new();
    struct seen *seen = table_get(a->tree.seen, g->id);
    if (!seen) {
        seen = xcalloc(1, sizeof *seen);
        table_put(a->tree.seen, g->id, seen);
    }
    seen->total = g->total >= 0 ? g->total - totals->messages : 0;
    seen->unread = g->unread >= 0 ? g->unread - totals->unseen : 0;
    seen->article_next = g->article_next;
    pthread_mutex_unlock(&a->lock);
}

static bool free_one(void *arg, const char *key, void *value)
{
    (void)arg, (void)key;
    free(value);
    return true;
}

void seen_free(struct table **seen)
{
    if (*seen)
        table_each(*seen, free_one, NULL);
    table_free(seen);
}
