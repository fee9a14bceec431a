/* Finding a message that was made and whose answer was lost. */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Pauses before the further looks for what a listing does not show yet. */
static const int64_t pauses_ms[] = {500, 1500};
#define LOOKS (sizeof pauses_ms / sizeof *pauses_ms + 1)

/* ---- each that fits ---- */

struct listing {
    enum graph_find what;
    const char *value;
    bool whole; /* the server does not choose for us */
    void (*fn)(void *arg, const char *id);
    void *arg;
};

static bool fits(const struct listing *l, const struct graph_message *m)
{
    const char *has = l->what == GRAPH_FIND_MARK ? m->mark : m->message_id;
    return !m->removed && (!l->whole || (has && strcmp(has, l->value) == 0));
}

static bool list(struct listing *l, struct mailbox_account *a, const char *folder_id,
                 struct wait *w, struct error *e)
{
    struct graph_page page = {0};
    bool ok;
    do {
        struct graph_call *call =
            graph_find_start(a->user, as_of(l, w), folder_id, l->whole ? GRAPH_FIND_ALL : l->what,
                             l->value, page.next_link);
        ok = fetch_page(call, &page, w, e);
        for (size_t i = 0; ok && i < page.count; i++)
            if (fits(l, &page.messages[i]))
                l->fn(l->arg, page.messages[i].id);
    } while (ok && page.next_link);
    graph_page_free(&page);
    return ok;
}

bool find_each(struct mailbox_account *a, const char *folder_id, enum graph_find what,
               const char *value, void (*fn)(void *arg, const char *id), void *arg, struct wait *w,
               struct error *e)
{
    struct listing l = {.what = what, .value = value, .fn = fn, .arg = arg};
    if (list(&l, a, folder_id, w, e))
        return true;
    if (e->kind != ERROR_REQUEST)
        return false;
    error_clear(e);
    l.whole = true;
    return list(&l, a, folder_id, w, e);
}

/* ---- the one that is new ---- */

struct search {
    struct mailbox_account *account;
    find_old_fn *old;
    void *arg;
    char **ids;
    size_t count;
};

static void take(void *arg, const char *id)
{
    struct search *s = arg;
    if (s->old(s->arg, id))
        return;
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->ids[i], id) == 0)
            return;
    s->ids = xreallocarray(s->ids, s->count + 1, sizeof *s->ids);
    s->ids[s->count++] = xstrdup(id);
}

/* Leaves those that nobody claims, once everybody had the time to. */
static bool drop_claimed(struct search *s, const char *folder_id, struct wait *w, struct error *e)
{
    size_t left = 0;
    if (s->count && !claims_settle(s->account->claims, folder_id, w, e))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        if (claims_has(s->account->claims, s->ids[i]))
            free(s->ids[i]);
        else
            s->ids[left++] = s->ids[i];
    }
    s->count = left;
    return true;
}

/* False: the wait has ended. */
static bool pause_for(int64_t ms, struct wait *w, struct error *e)
{
    int64_t deadline = w->deadline_ms, until = clock_mono_ms() + ms;
    w->deadline_ms = until < deadline ? until : deadline;
    while (wait_sleep(w, e)) {
        /* Somebody else's news. */
    }
    w->deadline_ms = deadline;
    error_clear(e);
    return !wait_ended(w, e);
}

int find_new(struct mailbox_account *a, const char *folder_id, enum graph_find what,
             const char *value, find_old_fn *old, void *arg, char **id, struct wait *w,
             struct error *e)
{
    struct search s = {.account = a, .old = old, .arg = arg};
    size_t looks = w->background ? 1 : LOOKS;
    bool ok = true;
    *id = NULL;
    for (size_t i = 0; ok && s.count == 0 && i < looks; i++)
        ok = (i == 0 || pause_for(pauses_ms[i - 1], w, e)) &&
             find_each(a, folder_id, what, value, take, &s, w, e) &&
             drop_claimed(&s, folder_id, w, e);
    if (ok && s.count > 1)
        ok = error_set(e, ERROR_ANSWER,
                       "%zu messages may be the one whose making was not answered; none is touched",
                       s.count);
    /* Another one who looks may have been quicker. */
    if (ok && s.count == 1 && claims_take(a->claims, s.ids[0]))
        *id = xstrdup(s.ids[0]);
    for (size_t i = 0; i < s.count; i++)
        free(s.ids[i]);
    free(s.ids);
    return ok ? *id != NULL : -1;
}
