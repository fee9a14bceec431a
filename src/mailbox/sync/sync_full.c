/*
 * A full sync: delta and listing from the start, side by side, joined by id. The first sync of a
 * folder stages every page in the store, so that a restart goes on where it stopped; a resync
 * (the delta link is dead) and the listing of a folder without delta keep their pages in memory,
 * since their rows are in the store under their UIDs already.
 */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

/* A link may die in a long first sync; then it starts anew, but not for ever. */
#define STARTS_MAX 3

/* One of the two streams of pages. */
struct stream {
    struct graph_call *call;
    char *link; /* of the page asked for; NULL: the first */
    bool done;
};

struct full {
    struct mailbox_folder *folder;
    struct merge *merge;
    struct stream delta, listing;
    char *delta_link; /* the harvest */
    bool first;       /* the folder's first sync: pages are staged */
    unsigned starts;
};

static void stream_reset(struct stream *s)
{
    if (s->call)
        graph_call_free(&s->call);
    free(s->link);
    memset(s, 0, sizeof *s);
}

static bool enter_known(void *arg, const struct store_message *m)
{
    struct full *x = arg;
    struct row row;
    row_from_store(&row, m);
    merge_enter(x->merge, m->graph_id, &row, false);
    return true;
}

/* Writes the staged rows of a page and where both streams stand: one transaction. */
static bool stage(struct full *x, const struct graph_page *page, struct error *e)
{
    struct mailbox_folder *f = x->folder;
    pthread_mutex_lock(&f->writer);
    struct store_folder row = f->row;
    row.resume_delta = x->delta.done ? x->delta_link : x->delta.link;
    row.resume_listing = x->listing.link;
    row.delta_done = x->delta.done;
    row.listing_done = x->listing.done;
    struct store_tx *tx = store_tx_begin(f->account->db, e);
    bool ok = tx != NULL;
    if (ok && !page)
        ok = store_tx_unstage(tx, row.key, NULL, e);
    for (size_t i = 0; ok && page && i < page->count; i++) {
        struct store_message m;
        struct merge_item *item = merge_find(x->merge, page->messages[i].id);
        if (!item)
            continue; /* removed before it was seen */
        merge_staged(item, &m);
        ok = store_tx_put(tx, row.key, &m, e);
    }
    ok = ok && store_tx_folder(tx, &row, e) && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (ok) {
        free(f->row.resume_delta);
        free(f->row.resume_listing);
        row.resume_delta = xstrdup_null(row.resume_delta);
        row.resume_listing = xstrdup_null(row.resume_listing);
        f->row = row;
    }
    pthread_mutex_unlock(&f->writer);
    if (!ok)
        account_check(f->account);
    return ok;
}

/* Forgets all pages and begins with the first ones. */
static bool start_anew(struct full *x, struct error *e)
{
    struct mailbox_folder *f = x->folder;
    enum merge_kind kind = f->no_delta ? MERGE_FULL_LISTING : MERGE_FULL;
    stream_reset(&x->delta);
    stream_reset(&x->listing);
    free(x->delta_link);
    x->delta_link = NULL;
    x->delta.done = f->no_delta;
    merge_free(&x->merge);
    x->merge = merge_new(kind);
    x->starts++;
    if (x->first)
        return stage(x, NULL, e);
    return store_message_each(f->account->db, f->key, enter_known, x, e);
}

/* Goes on with an interrupted first sync, or starts. */
static bool begin(struct full *x, struct error *e)
{
    struct mailbox_folder *f = x->folder;
    pthread_mutex_lock(&f->writer);
    x->first = !f->row.synced;
    bool resume = x->first && (f->row.resume_delta || f->row.resume_listing || f->row.delta_done ||
                               f->row.listing_done);
    x->delta.done = resume && f->row.delta_done;
    x->listing.done = resume && f->row.listing_done;
    if (resume) {
        char *delta = xstrdup_null(f->row.resume_delta);
        *(x->delta.done ? &x->delta_link : &x->delta.link) = delta;
        x->listing.link = xstrdup_null(f->row.resume_listing);
    }
    pthread_mutex_unlock(&f->writer);
    if (!resume)
        return start_anew(x, e);
    x->merge = merge_new(MERGE_FULL);
    return store_message_each(f->account->db, f->key, enter_known, x, e);
}

/* The item of a message; one never seen is entered. NULL: error. */
static struct merge_item *item_of(struct full *x, const char *id, struct error *e)
{
    struct merge_item *item = merge_find(x->merge, id);
    return item ? item : sync_enter(x->folder, x->merge, id, e);
}

static bool take_page(struct full *x, bool is_delta, const struct graph_page *page, struct error *e)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct graph_message *m = &page->messages[i];
        if (m->removed && !merge_find(x->merge, m->id))
            continue; /* if the listing has it, it lacks its delta and is asked for */
        struct merge_item *item = item_of(x, m->id, e);
        if (!item)
            return false;
        if (is_delta)
            merge_delta(item, m);
        else
            merge_listed(item, m);
    }
    return true;
}

/* One page has come: merges it, moves the stream on, stages. */
static bool advance(struct full *x, struct stream *s, struct error *e)
{
    bool is_delta = s == &x->delta;
    struct graph_page page = {0};
    if (!graph_page_decode(s->call, &page, e))
        return false;
    graph_call_free(&s->call);
    bool ok = take_page(x, is_delta, &page, e);
    if (ok && page.next_link && s->link && strcmp(page.next_link, s->link) == 0)
        ok = error_set(e, ERROR_ANSWER, "Graph answered a page that leads to itself");
    if (ok && is_delta && !page.next_link && !page.delta_link)
        ok = error_set(e, ERROR_ANSWER, "Graph ended a delta without a link for the next one");
    if (ok) {
        free(s->link);
        s->link = xstrdup_null(page.next_link);
        s->done = !page.next_link;
        if (is_delta && s->done)
            x->delta_link = xstrdup(page.delta_link);
        if (x->first)
            ok = stage(x, &page, e);
    }
    graph_page_free(&page);
    return ok;
}

/* A page failed. True: it was dealt with, go on. */
static bool recover(struct full *x, struct stream *s, struct error *e)
{
    bool refused = e->kind == ERROR_RESYNC || e->kind == ERROR_REQUEST || e->kind == ERROR_GONE ||
                   e->kind == ERROR_FOLDER_GONE || e->kind == ERROR_MAILBOX_GONE;
    struct error why = *e;
    if (!refused || x->starts >= STARTS_MAX)
        return false;
    if (s->link || e->kind == ERROR_RESYNC) {
        log_info("%s: a page link has died; the sync starts anew", x->folder->path);
        error_clear(e);
        return start_anew(x, e);
    }
    error_clear(e);
    /* Some clouds say 404 to what they do not have. If the folder is gone the listing says so. */
    if (s == &x->delta) {
        log_info("%s: no message delta here; listings serve (%s)", x->folder->path, why.text);
        x->folder->no_delta = true;
        return start_anew(x, e);
    }
    if (why.kind == ERROR_REQUEST && !x->folder->no_delta) {
        log_info("%s: its listing is refused; messages are asked for one by one (%s)",
                 x->folder->path, why.text);
        stream_reset(s);
        s->done = true;
        return true;
    }
    *e = why;
    return false;
}

static void request_pages(struct full *x, struct wait *w)
{
    struct mailbox_folder *f = x->folder;
    struct graph_as as = as_of(f, w);
    if (!x->delta.done && !x->delta.call)
        x->delta.call = graph_delta_start(f->account->user, as, f->graph_id, x->delta.link);
    if (!x->listing.done && !x->listing.call)
        x->listing.call =
            graph_listing_start(f->account->user, as, f->graph_id, INT64_MIN, x->listing.link);
}

static bool read_pages(struct full *x, void (*progress)(void *arg, size_t seen), void *arg,
                       struct wait *w, struct error *e)
{
    while (!x->delta.done || !x->listing.done) {
        request_pages(x, w);
        struct graph_call *calls[2] = {x->delta.call, x->listing.call};
        if (!graph_call_wait_any(calls, 2, w, e))
            return false;
        struct stream *s = calls[0] && graph_call_ended(calls[0]) ? &x->delta : &x->listing;
        if (!s->call || !graph_call_ended(s->call))
            continue;
        bool ok = graph_call_outcome(s->call, e) && advance(x, s, e);
        if (!ok && !recover(x, s, e))
            return false;
        progress(arg, merge_count(x->merge));
    }
    return true;
}

static bool settle(struct full *x, struct wait *w, struct error *e)
{
    struct merge_wants wants;
    merge_wants(x->merge, &wants);
    bool ok = fetch_by_id(x->folder, x->merge, wants.ask, wants.ask_count, w, e);
    merge_wants_free(&wants);
    return ok;
}

static bool finish(struct full *x, bool read_only, struct wait *w, struct error *e)
{
    struct mailbox_folder *f = x->folder;
    struct merge_result result;
    struct merge_uids uids;
    bool marked;
    char *old_link = folder_sync_state(f, &uids, &marked);
    enum store_uid_mode before = uids.mode;
    free(old_link);
    if (x->first) {
        uids.floor = uids.uidnext; /* STATUS told it, but has given no UID */
        uids.uidnext = 1;
    }
    merge_finish(x->merge, &uids, &result);
    /* What was in the folder when 0x6751 was read has its UID now; what comes is above it. */
    if (x->first && uids.mode == STORE_UID_EXACT && f->article_next > (int64_t)uids.uidnext &&
        f->article_next <= INT32_MAX)
        uids.uidnext = (uint32_t)f->article_next;
    struct folder_commit commit = {.result = &result,
                                   .uids = uids,
                                   .marked = marked,
                                   .full = true,
                                   .delta_link = x->delta_link};
    bool ok = (before == uids.mode || mark_divergence(f, read_only, marked, w, &commit, e)) &&
              folder_commit(f, &commit, e);
    if (ok)
        log_info("%s: read whole, %zu messages changed, %zu gone", f->path, result.put_count,
                 result.expunge_count);
    merge_result_free(&result);
    return ok;
}

bool sync_full(struct mailbox_folder *f, bool read_only, void (*progress)(void *arg, size_t seen),
               void *arg, struct wait *w, struct error *e)
{
    struct full x = {.folder = f};
    int64_t began = clock_wall_ms();
    bool ok = begin(&x, e) && read_pages(&x, progress, arg, w, e) && settle(&x, w, e) &&
              finish(&x, read_only, w, e);
    stream_reset(&x.delta);
    stream_reset(&x.listing);
    free(x.delta_link);
    merge_free(&x.merge);
    if (ok) {
        f->last_round_ms = began;
        mark_folder(f, read_only, w);
    }
    return ok;
}
