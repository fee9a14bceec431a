/*
 * EXPUNGE and CLOSE: nothing is deleted that does not bear \Deleted on the server at this moment.
 * One listing shows what does; what it does not show may still do so (a listing follows writes
 * with some delay), so that is asked for by id.
 */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/graph/write.h"
#include "postern/mailbox/transfer.h"

#include <stdlib.h>
#include <string.h>

/* Where the filter is refused: more candidates than this are looked for in the whole listing. */
#define BY_ID_MAX 64

/* One message that a client wants to be gone. */
struct candidate {
    char *id;
    uint32_t uid;
    bool doomed;  /* bears \Deleted now */
    bool settled; /* or does not, or is gone: nothing more to ask */
};

struct expunge {
    struct mailbox_folder *folder;
    struct candidate *items;
    size_t count;
    struct table *by_id;
    const char **asked; /* ids; `asked_items` beside them */
    struct candidate **asked_items;
    size_t asked_count;
    uint32_t *gone; /* left the folder without us */
    size_t gone_count;
    bool failed;
    struct error error; /* of a commit, while answers are told */
};

static bool collect(struct expunge *x, const uint32_t *uids, size_t count,
                    struct mailbox_delete_result *result, struct error *e)
{
    struct mailbox_folder *f = x->folder;
    x->items = xcalloc(count + 1, sizeof *x->items);
    x->asked = xcalloc(count + 1, sizeof *x->asked);
    x->asked_items = xcalloc(count + 1, sizeof *x->asked_items);
    x->gone = xcalloc(count + 1, sizeof *x->gone);
    x->by_id = table_new();
    for (size_t i = 0; i < count; i++) {
        struct candidate *c = &x->items[x->count];
        int found = store_message_id_by_uid(f->account->db, f->key, uids[i], &c->id, e);
        if (found < 0) {
            account_check(f->account);
            return false;
        }
        if (found == 0) {
            result->deleted++; /* somebody else was faster */
            continue;
        }
        c->uid = uids[i];
        table_put(x->by_id, c->id, c);
        x->count++;
    }
    return true;
}

static void release(struct expunge *x)
{
    for (size_t i = 0; i < x->count; i++)
        free(x->items[i].id);
    free(x->items);
    free(x->asked);
    free(x->asked_items);
    free(x->gone);
    table_free(&x->by_id);
}

static void tell(struct expunge *x, struct candidate *c, const struct graph_message *m)
{
    struct error e = ERROR_INIT;
    c->settled = true;
    c->doomed = m && (m->has & GRAPH_HAS_IMAP_DELETED) && m->imap_deleted;
    if (!m)
        x->gone[x->gone_count++] = c->uid;
    else if (!c->doomed && !folder_update(x->folder, c->uid, m, &e) && !x->failed) {
        x->failed = true;
        x->error = e;
    }
}

/* Every message of a page of the filter bears the flag; of the whole listing, each says. */
static void take_page(struct expunge *x, const struct graph_page *page, bool filtered)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct graph_message *m = &page->messages[i];
        struct candidate *c = table_get(x->by_id, m->id);
        if (!c || c->settled || m->removed)
            continue;
        if (filtered)
            c->settled = c->doomed = true;
        else
            tell(x, c, m);
    }
}

static bool list(struct expunge *x, bool filtered, struct wait *w, struct error *e)
{
    struct mailbox_folder *f = x->folder;
    struct graph_user *u = f->account->user;
    struct graph_page page = {0};
    bool ok;
    do {
        struct graph_call *call =
            filtered ? graph_find_start(u, as_of(x, w), f->graph_id, GRAPH_FIND_DELETED, NULL,
                                        page.next_link)
                     : graph_listing_start(u, as_of(x, w), f->graph_id, INT64_MIN, page.next_link);
        ok = fetch_page(call, &page, w, e);
        if (ok)
            take_page(x, &page, filtered);
    } while (ok && page.next_link);
    graph_page_free(&page);
    return ok;
}

static void answered(void *arg, size_t index, const struct graph_message *m)
{
    struct expunge *x = arg;
    tell(x, x->asked_items[index], m);
}

static bool ask(struct expunge *x, struct wait *w, struct error *e)
{
    x->asked_count = 0;
    for (size_t i = 0; i < x->count; i++) {
        if (x->items[i].settled)
            continue;
        x->asked[x->asked_count] = x->items[i].id;
        x->asked_items[x->asked_count++] = &x->items[i];
    }
    return fetch_each(x->folder, x->asked, x->asked_count, answered, x, w, e);
}

/* Finds out which candidates bear the flag. */
static bool look(struct expunge *x, struct wait *w, struct error *e)
{
    if (!list(x, true, w, e)) {
        /* Not every server takes this filter; there are other ways. */
        if (e->kind != ERROR_REQUEST && e->kind != ERROR_TEMPORARY)
            return false;
        error_clear(e);
        if (x->count > BY_ID_MAX && !list(x, false, w, e))
            return false;
    }
    if (!ask(x, w, e))
        return false;
    if (x->gone_count && !x->failed)
        x->failed = !folder_retire(x->folder, x->gone, x->gone_count, &x->error);
    if (x->failed)
        *e = x->error;
    return !x->failed;
}

static bool delete_doomed(struct expunge *x, enum config_expunge how, struct wait *w,
                          struct mailbox_delete_result *result, struct error *e)
{
    uint32_t *uids = xcalloc(x->count + 1, sizeof *uids);
    size_t n = 0;
    for (size_t i = 0; i < x->count; i++)
        if (x->items[i].doomed)
            uids[n++] = x->items[i].uid;
    bool ok = delete_named(x->folder, uids, n, how, true, w, result, e);
    free(uids);
    return ok;
}

bool mailbox_expunge(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                     enum config_expunge how, struct wait *w, struct mailbox_delete_result *result,
                     struct error *e)
{
    struct expunge x = {.folder = f};
    memset(result, 0, sizeof *result);
    if (count == 0)
        return true;
    bool ok = collect(&x, uids, count, result, e) && (x.count == 0 || look(&x, w, e));
    if (!ok)
        result->failed = x.count;
    result->deleted += x.gone_count;
    ok = ok && delete_doomed(&x, how, w, result, e);
    release(&x);
    return ok;
}
