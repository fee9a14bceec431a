/*
 * Folders that were never read: STATUS answers without listing their messages.
 */
#include "status.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

static uint32_t count_of(int64_t counter)
{
    return counter < 0 ? 0 : counter > UINT32_MAX ? UINT32_MAX : (uint32_t)counter;
}

static int64_t total_of(const struct status_item *item)
{
    return item->found && item->found->total >= 0 ? item->found->total : item->row->total;
}

static int64_t unread_of(const struct status_item *item)
{
    return item->found && item->found->unread >= 0 ? item->found->unread : item->row->unread;
}

/* A number that is above all there are and that will not be above one that comes. */
static uint32_t next_uid(const struct status_item *item)
{
    int64_t article = item->found ? item->found->article_next : -1;
    uint32_t next =
        article > 0 && article <= INT32_MAX ? (uint32_t)article : count_of(total_of(item)) + 1;
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
    if (ok) {
        item->folder.uidvalidity = mailbox_folder_uidvalidity(f);
        item->folder.uidnext = mailbox_folder_uidnext(f);
    }
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
    uint32_t messages = count_of(total_of(item));
    *item->out = (struct mailbox_status){.messages = messages,
                                         .recent = messages,
                                         .unseen = count_of(unread_of(item)),
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
void status_unread(struct mailbox_account *a, struct status_item *items, size_t count)
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

bool status_is_told(const struct status_item *item)
{
    return item->opened && item->row->change <= item->row->covered;
}
