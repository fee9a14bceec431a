/*
 * Folders that were never read: STATUS answers without listing their messages. The mark and the
 * next article number (0x6751) of all folders below one parent come with one listing.
 */
#include "status.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_MAX 5000

struct asking {
    struct mailbox_account *account;
    struct status_item *items;
    size_t count;
    struct wait *wait;
    const char **parents;
    size_t parent_count;
    struct graph_folder_page *pages; /* kept until all is answered */
    size_t page_count, page_cap;
};

/* ---- asking ---- */

static void add_parent(struct asking *q, const char *id)
{
    for (size_t i = 0; i < q->parent_count; i++)
        if (strcmp(q->parents[i], id) == 0)
            return;
    q->parents[q->parent_count++] = id;
}

static void keep_page(struct asking *q, const struct graph_folder_page *page)
{
    if (q->page_count == q->page_cap) {
        q->page_cap = q->page_cap ? q->page_cap * 2 : 16;
        q->pages = xreallocarray(q->pages, q->page_cap, sizeof *q->pages);
    }
    q->pages[q->page_count++] = *page;
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
            keep_page(q, &page);
        if (ok && page.next_link)
            call = graph_folder_list_start(a->user, as_of(a, q->wait), NULL, NULL, true,
                                           page.next_link);
    }
    graph_call_free(&call);
    return ok;
}

static bool read_one(struct asking *q, const char *parent, struct error *e)
{
    struct mailbox_account *a = q->account;
    return read_list(
        q, graph_folder_list_start(a->user, as_of(a, q->wait), parent, NULL, true, NULL), e);
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
        keep_page(q, &pages[i]);
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
    for (size_t i = 0; ok && i < q->parent_count; i += GRAPH_BATCH_MAX) {
        size_t left = q->parent_count - i;
        size_t count = left < GRAPH_BATCH_MAX ? left : GRAPH_BATCH_MAX;
        ok = count == 1 ? read_one(q, q->parents[i], e) : read_batch(q, &q->parents[i], count, e);
    }
    return ok;
}

static void match(struct asking *q)
{
    struct table *found = table_new();
    for (size_t i = 0; i < q->page_count; i++)
        for (size_t k = 0; k < q->pages[i].count; k++)
            table_put(found, q->pages[i].folders[k].id, &q->pages[i].folders[k]);
    for (size_t i = 0; i < q->count; i++)
        if (q->items[i].node)
            q->items[i].found = table_get(found, q->items[i].node->graph_id);
    table_free(&found);
}

/* ---- answering ---- */

static uint32_t count_of(int64_t counter)
{
    return counter < 0 ? 0 : counter > UINT32_MAX ? UINT32_MAX : (uint32_t)counter;
}

/* A number that is above all there are and that will not be above one that comes. */
static uint32_t next_uid(const struct status_item *item)
{
    int64_t article = item->found ? item->found->article_next : -1;
    uint32_t next =
        article > 0 && article <= INT32_MAX ? (uint32_t)article : count_of(item->row->total) + 1;
    return item->opened && item->folder.uidnext > next ? item->folder.uidnext : next;
}

static uint32_t first_validity(const struct status_item *item, bool *exact)
{
    uint32_t marked = 0, now = (uint32_t)(clock_wall_ms() / CLOCK_SECOND);
    mark_parse(item->found ? item->found->mark : NULL, &marked, exact);
    return *exact ? marked : marked >= now ? marked + 1 : now;
}

/* What is to be told, into item->folder. */
static bool decide(struct mailbox_account *a, struct status_item *item, struct error *e)
{
    struct store_folder *row = &item->folder;
    bool exact = false;
    if (!item->opened)
        *row = (struct store_folder){.graph_id = xstrdup(item->node->graph_id),
                                     .uidvalidity = first_validity(item, &exact),
                                     .recent = 1,
                                     .uid_mode = STORE_UID_EXACT,
                                     .marked = exact};
    row->uidnext = next_uid(item);
    int changed = validity_for(a, item->node->name, item->node->graph_id, &row->uidvalidity, e);
    row->marked = row->marked && changed == 0;
    return changed >= 0;
}

/* The folder's row is there: its object writes it, since somebody may read the folder just now. */
static bool update(struct mailbox_account *a, struct status_item *item, struct error *e)
{
    struct mailbox_folder *f = NULL;
    bool ok = decide(a, item, e) &&
              folder_load(a, item->node->graph_id, item->node->name, &f, e) == 1 &&
              folder_set_told(f, item->folder.uidvalidity, item->folder.uidnext, e);
    mailbox_folder_release(&f);
    return ok;
}

/* Rows for all that have none yet, in one transaction. */
static bool insert_all(struct mailbox_account *a, struct status_item *items, size_t count,
                       struct error *e)
{
    struct store_tx *tx = store_tx_begin(a->db, e);
    bool ok = tx != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        struct status_item *item = &items[i];
        if (!item->node || item->opened)
            continue;
        /* Another session may have been quicker. */
        int found = store_folder_find(a->db, item->node->graph_id, &item->folder, e);
        item->opened = found == 1;
        ok = found >= 0 &&
             (item->opened || (decide(a, item, e) && store_folder_insert(a->db, &item->folder, e)));
    }
    ok = ok && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (!ok)
        account_check(a);
    return ok;
}

static void answer(struct mailbox_account *a, struct status_item *item)
{
    uint32_t messages = count_of(item->row->total);
    *item->out = (struct mailbox_status){.messages = messages,
                                         .recent = messages,
                                         .unseen = count_of(item->row->unread),
                                         .uidnext = item->folder.uidnext,
                                         .uidvalidity = item->folder.uidvalidity,
                                         .modseq = 1};
    mailbox_node_digest(item->node, item->out->digest);
    status_cover(a, item->row);
}

static void fail(struct status_item *item, const struct error *e)
{
    *item->error = *e;
    item->node = NULL;
}

/* Those that have a row already keep it; the others get one. */
static void answer_all(struct mailbox_account *a, struct status_item *items, size_t count)
{
    struct error e = ERROR_INIT;
    bool inserted = insert_all(a, items, count, &e);
    for (size_t i = 0; i < count; i++) {
        struct status_item *item = &items[i];
        struct error own = ERROR_INIT;
        if (item->node && !item->opened && !inserted)
            fail(item, &e);
        else if (item->node && item->opened && !update(a, item, &own))
            fail(item, &own);
        else if (item->node)
            answer(a, item);
    }
}

/* Told once and not changed since: nothing is asked. */
static bool is_told(const struct status_item *item)
{
    return item->opened && item->row->change <= item->row->covered;
}

void status_unread(struct mailbox_account *a, struct status_item *items, size_t count,
                   struct wait *w)
{
    struct asking q = {.account = a, .items = items, .count = count, .wait = w};
    struct error e = ERROR_INIT;
    q.parents = xcalloc(count + 1, sizeof *q.parents);
    for (size_t i = 0; i < count; i++)
        if (items[i].node && !is_told(&items[i]))
            add_parent(&q, items[i].row->parent_id);
    bool ok = read_all(&q, &e);
    /* What they would have told is a help, and the counters are here. */
    if (!ok && (e.kind == ERROR_REQUEST || e.kind == ERROR_TEMPORARY)) {
        log_debug("folders are told of without their properties: %s", e.text);
        ok = true;
    }
    match(&q);
    for (size_t i = 0; !ok && i < count; i++)
        if (items[i].node && !is_told(&items[i]))
            fail(&items[i], &e);
    answer_all(a, items, count);
    for (size_t i = 0; i < q.page_count; i++)
        graph_folder_page_free(&q.pages[i]);
    free(q.pages);
    free(q.parents);
}
