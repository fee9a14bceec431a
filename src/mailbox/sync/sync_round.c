/* A later round: what the delta link tells since the last one. */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mailbox/flags.h"

#include <stdlib.h>
#include <string.h>

/* Replication may report a message as present so long after we deleted it. */
#define ECHO_MS ((int64_t)15 * 60 * CLOCK_SECOND)
/* Clocks of both sides may differ, and changes show late: a listing looks back further. */
#define LOOK_BACK_MS ((int64_t)15 * 60 * CLOCK_SECOND)
/* Rounds that follow at once while our own writes get in the way of what they read. */
#define ROUNDS_MAX 3
/* More ids than this are looked for in the whole listing before they are asked for. */
#define BY_ID_MAX 64
/* A filtered listing that is longer than this many pages above what is wanted is given up. */
#define SPARE_PAGES 4
#define PAGE_SIZE   500

struct merge_item *sync_enter(struct mailbox_folder *f, struct merge *m, const char *id,
                              struct error *e)
{
    struct store_message known;
    struct row row;
    char *own;
    int64_t retired_ms;
    int found = store_message_find(f->account->db, f->key, id, &known, &own, &retired_ms, e);
    if (found < 0) {
        account_check(f->account);
        return NULL;
    }
    if (found)
        row_from_store(&row, &known);
    free(own);
    bool retired = retired_ms > 0 && clock_wall_ms() - retired_ms < ECHO_MS;
    return merge_enter(m, id, found ? &row : NULL, retired);
}

struct doubts {
    struct mailbox_folder *folder;
    struct merge *merge;
    struct error *error;
    bool ok;
};

static bool enter_doubt(void *arg, const char *id, void *value)
{
    struct doubts *x = arg;
    (void)value;
    struct merge_item *item = sync_enter(x->folder, x->merge, id, x->error);
    if (item)
        merge_doubt(item);
    x->ok = item != NULL;
    return x->ok;
}

/* What a commit left open is asked for by this round. */
static bool enter_doubts(struct mailbox_folder *f, struct merge *m, const struct table *ids,
                         struct error *e)
{
    struct doubts x = {.folder = f, .merge = m, .error = e, .ok = true};
    table_each(ids, enter_doubt, &x);
    return x.ok;
}

static bool take_page(struct mailbox_folder *f, struct merge *m, const struct graph_page *page,
                      struct error *e)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct graph_message *message = &page->messages[i];
        struct merge_item *item = merge_find(m, message->id);
        if (!item)
            item = sync_enter(f, m, message->id, e);
        if (!item)
            return false;
        merge_delta(item, message);
    }
    return true;
}

/* Follows the link to the next delta link; *link is replaced by it. */
static bool follow(struct mailbox_folder *f, struct merge *m, char **link, struct wait *w,
                   struct error *e)
{
    bool ok = true, done = false;
    while (ok && !done) {
        struct graph_page page = {0};
        struct graph_call *call =
            graph_delta_start(f->account->user, as_of(f, w), f->graph_id, *link);
        ok = graph_call_wait(call, w, e) && graph_page_decode(call, &page, e) &&
             take_page(f, m, &page, e);
        graph_call_free(&call);
        const char *next = page.next_link ? page.next_link : page.delta_link;
        if (ok && (!next || (page.next_link && strcmp(next, *link) == 0)))
            ok = error_set(e, ERROR_ANSWER, "Graph answered a delta page that leads nowhere");
        if (ok) {
            done = !page.next_link;
            free(*link);
            *link = xstrdup(next);
        }
        graph_page_free(&page);
    }
    return ok;
}

/* From when on the items of a round were modified. After a restart the last commit tells, whose
 * modseq is its time (but for a clock that was set back). */
static int64_t listing_bound(struct mailbox_folder *f)
{
    int64_t committed = (int64_t)(mailbox_folder_modseq(f) / 1000), now = clock_wall_ms();
    int64_t since = f->last_round_ms ? f->last_round_ms : committed;
    return (since < now ? since : now) - LOOK_BACK_MS;
}

/* Extended properties of new and changed items: one listing for all; a single item is asked for
 * directly, which costs the same and cannot miss. */
static bool list_new(struct mailbox_folder *f, struct merge *m, struct wait *w, struct error *e)
{
    struct merge_wants wants;
    merge_wants(m, &wants);
    size_t count = wants.listing_count;
    int64_t since = listing_bound(f);
    merge_wants_free(&wants);
    if (count < 2)
        return true;
    if (!fetch_listing(f, m, since, count, count / PAGE_SIZE + SPARE_PAGES, w, e)) {
        /* This filter together with $expand is more than some servers bear; there is another way.
         */
        if (e->kind != ERROR_REQUEST && e->kind != ERROR_TEMPORARY)
            return false;
        log_debug("%s: listing what is new failed: %s", f->path, e->text);
        error_clear(e);
    }
    merge_wants(m, &wants);
    count = wants.listing_count;
    merge_wants_free(&wants);
    return count <= BY_ID_MAX || fetch_listing(f, m, INT64_MIN, count, SIZE_MAX, w, e);
}

static bool settle(struct mailbox_folder *f, struct merge *m, struct wait *w, struct error *e)
{
    struct merge_wants wants;
    if (!list_new(f, m, w, e))
        return false;
    merge_wants(m, &wants);
    bool ok = fetch_by_id(f, m, wants.ask, wants.ask_count, w, e) &&
              fetch_by_id(f, m, wants.listing, wants.listing_count, w, e);
    merge_wants_free(&wants);
    return ok;
}

static bool commit(struct mailbox_folder *f, struct merge *m, const char *link, bool read_only,
                   struct merge_uids *uids, bool marked, struct wait *w, struct error *e)
{
    struct merge_result result;
    enum store_uid_mode before = uids->mode;
    merge_finish(m, uids, &result);
    struct folder_commit c = {
        .result = &result, .uids = *uids, .marked = marked, .delta_link = link};
    bool ok = (before == uids->mode || mark_divergence(f, read_only, marked, w, &c, e)) &&
              folder_commit(f, &c, e);
    bool changed = result.put_count + result.expunge_count > 0;
    merge_result_free(&result);
    if (ok && changed)
        mark_folder(f, read_only, w);
    return ok;
}

static bool run_round(struct mailbox_folder *f, const struct table *doubts, bool read_only,
                      struct wait *w, struct error *e)
{
    struct merge_uids uids;
    bool marked;
    int64_t began = clock_wall_ms();
    char *link = folder_sync_state(f, &uids, &marked);
    char *old = xstrdup(link);
    struct merge *m = merge_new(MERGE_ROUND);
    bool ok = enter_doubts(f, m, doubts, e) && follow(f, m, &link, w, e) &&
              arrive_meet(f, m, w, e) && settle(f, m, w, e);
    /* Nothing new and the same link: nothing to write. */
    if (ok && (merge_count(m) > 0 || strcmp(old, link) != 0))
        ok = commit(f, m, link, read_only, &uids, marked, w, e);
    if (ok)
        f->last_round_ms = began;
    merge_free(&m);
    free(link);
    free(old);
    return ok;
}

bool sync_round(struct mailbox_folder *f, bool read_only, struct wait *w, struct error *e)
{
    bool ok = true, again = true;
    for (unsigned i = 0; ok && again && i < ROUNDS_MAX; i++) {
        struct table *doubts = folder_take_doubts(f);
        ok = run_round(f, doubts, read_only, w, e);
        again = folder_return_doubts(f, &doubts, !ok);
    }
    return ok;
}
