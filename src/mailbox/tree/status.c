/*
 * STATUS. A folder that was read answers from what the store and its view have, after a round if
 * the tree says that it changed since; one that never was, from its counters.
 */
#include "status.h"
#include "names.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/mailbox/flags.h"
#include "postern/store/tree_db.h"

#include <stdlib.h>
#include <string.h>

void status_cover(struct mailbox_account *a, struct tree_row *row)
{
    struct error ignored = ERROR_INIT; /* then it is asked once more after a restart */
    if (row->covered >= row->change)
        return;
    row->covered = row->change;
    if (!store_tree_cover(a->db, row->id, row->change, &ignored))
        account_check(a);
}

/* ---- folders that were read ---- */

static void totals_of_view(const struct mailbox_view *view, uint32_t recent,
                           struct mailbox_status *out)
{
    size_t count = mailbox_view_count(view);
    out->messages = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const struct mailbox_entry *m = mailbox_view_at(view, i);
        uint64_t size = m->size > 0 ? (uint64_t)m->size : 0;
        out->unseen += !(m->flags & MAILBOX_SEEN);
        out->recent += m->uid >= recent;
        out->size += m->told_size > size ? m->told_size : size;
    }
}

static void answer_from_view(struct mailbox_folder *f, struct mailbox_status *out)
{
    uint32_t from, to;
    mailbox_folder_recent(f, false, &from, &to);
    struct mailbox_view *view = mailbox_folder_view(f);
    *out = (struct mailbox_status){.uidnext = mailbox_folder_uidnext(f),
                                   .uidvalidity = mailbox_folder_uidvalidity(f),
                                   .modseq = mailbox_folder_modseq(f)};
    mailbox_folder_digest(f, out->digest);
    totals_of_view(view, from, out);
    mailbox_view_unref(&view);
}

/* A round if `needed`, then the answer. */
static bool read_and_answer(struct mailbox_account *a, const char *name, bool needed,
                            struct mailbox_status *out, struct wait *w, struct error *e)
{
    struct mailbox_folder *f = mailbox_tree_open(a, name, w, e);
    bool ok = f && (!needed || mailbox_folder_sync(f, true, w, e));
    if (ok)
        answer_from_view(f, out);
    mailbox_folder_release(&f);
    return ok;
}

/* Its object, if it is in use in this process; no reference is taken, folders live as long as
 * their account. */
static struct mailbox_folder *in_memory(struct mailbox_account *a, const char *id)
{
    pthread_mutex_lock(&a->lock);
    struct mailbox_folder *f = table_get(a->folders, id);
    pthread_mutex_unlock(&a->lock);
    return f;
}

static bool is_stale(const struct status_item *item, struct mailbox_folder *f)
{
    const struct tree_row *row = item->row;
    int64_t round = f ? sync_last_round(f) : 0;
    return row->change > row->covered && !(round > 0 && round >= row->told_ms);
}

/* Of a folder that nobody has open the store knows enough. */
static bool answer_from_store(struct mailbox_account *a, const struct status_item *item,
                              struct error *e)
{
    const struct store_folder *row = &item->folder;
    struct store_totals totals;
    uint32_t uidvalidity = row->uidvalidity;
    int changed = validity_for(a, item->node->name, item->node->graph_id, &uidvalidity, e);
    if (changed < 0 || !store_folder_totals(a->db, row->key, row->recent, &totals, e)) {
        account_check(a);
        return false;
    }
    if (changed == 1) {
        struct mailbox_folder *f = NULL;
        bool ok = folder_load(a, item->node->graph_id, item->node->name, &f, e) == 1 &&
                  folder_set_validity(f, uidvalidity, e);
        mailbox_folder_release(&f);
        if (!ok)
            return false;
    }
    *item->out = (struct mailbox_status){.messages = totals.messages,
                                         .recent = totals.recent,
                                         .unseen = totals.unseen,
                                         .uidnext = row->uidnext,
                                         .uidvalidity = uidvalidity,
                                         .modseq = row->modseq ? row->modseq : 1,
                                         .size = totals.size};
    mailbox_node_digest(item->node, item->out->digest);
    return true;
}

/* The answer as it is known now; *item->out. */
static bool answer_known(struct mailbox_account *a, struct status_item *item, bool needed,
                         struct mailbox_folder *f, struct wait *w)
{
    return needed || f ? read_and_answer(a, item->node->name, needed, item->out, w, item->error)
                       : answer_from_store(a, item, item->error);
}

static void answer_read(struct mailbox_account *a, struct status_item *item, struct wait *w)
{
    struct mailbox_folder *f = in_memory(a, item->node->graph_id);
    bool stale = !item->folder.synced || is_stale(item, f);
    bool ok = answer_known(a, item, stale, f, w);
    if (ok && !stale && seen_differs(a, item, item->out)) {
        stale = true;
        ok = answer_known(a, item, true, f, w);
    }
    if (ok)
        seen_note(a, item, item->out);
    if (ok && stale)
        status_cover(a, item->row);
    item->node = NULL;
}

/* ---- all of them ---- */

/* A name that is not there is answered at once. */
static void look_up(struct mailbox_account *a, const struct mailbox_tree *t, const char *name,
                    struct status_item *item)
{
    item->node = mailbox_tree_find(t, name);
    if (!item->node) {
        error_set(item->error, ERROR_FOLDER_GONE, "there is no folder \"%s\"", name);
        return;
    }
    item->row = tree_rows_find(tree_rows_of(t), item->node->graph_id);
    int found = store_folder_find(a->db, item->node->graph_id, &item->folder, item->error);
    item->opened = found == 1;
    if (found < 0) {
        account_check(a);
        item->node = NULL;
    }
}

/* Folder delta is not known to tell of counters alone: once it has told of both, they need not be
 * asked for. Where listings make the tree they are part of it. */
static bool tree_tells_counts(struct mailbox_account *a)
{
    pthread_mutex_lock(&a->lock);
    bool tells = a->tree.tells_total && a->tree.tells_unread;
    pthread_mutex_unlock(&a->lock);
    return tells;
}

/* Fills `found` of the items for which the tree is not enough. */
static bool find_counts(struct mailbox_account *a, const struct mailbox_tree *t,
                        struct status_item *items, size_t count, int64_t newer_than_ms,
                        struct counts **counts, struct wait *w, struct error *e)
{
    struct status_item *wanted = xcalloc(count + 1, sizeof *wanted);
    bool tells = tree_tells_counts(a);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (items[i].node && !(items[i].folder.synced ? tells : status_is_told(&items[i]) && tells))
            wanted[n++] = items[i];
    *counts = n ? counts_get(a, t, wanted, n, newer_than_ms, w, e) : NULL;
    for (size_t i = 0; *counts && i < count; i++)
        if (items[i].node)
            items[i].found = counts_find(*counts, items[i].node->graph_id);
    free(wanted);
    return n == 0 || *counts;
}

static void answer_all(struct mailbox_account *a, struct status_item *items, size_t count,
                       bool sizes, struct wait *w)
{
    struct error ended = ERROR_INIT;
    for (size_t i = 0; i < count; i++) {
        struct status_item *item = &items[i];
        if (!item->node || (!item->folder.synced && !sizes))
            continue;
        if (wait_ended(w, &ended)) {
            *item->error = ended;
            item->node = NULL;
        } else {
            answer_read(a, item, w);
        }
    }
    status_unread(a, items, count);
}

static void answer_names(struct mailbox_account *a, const struct mailbox_tree *t,
                         const char *const *names, size_t count, bool sizes, int64_t newer_than_ms,
                         struct wait *w, struct mailbox_status *out, struct error *errors)
{
    struct status_item *items = xcalloc(count + 1, sizeof *items);
    struct counts *counts = NULL;
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < count; i++) {
        items[i].out = &out[i];
        items[i].error = &errors[i];
        look_up(a, t, names[i], &items[i]);
    }
    if (find_counts(a, t, items, count, newer_than_ms, &counts, w, &e))
        answer_all(a, items, count, sizes, w);
    for (size_t i = 0; i < count; i++) {
        if (items[i].node && e.kind != ERROR_NONE)
            errors[i] = e;
        store_folder_free(&items[i].folder);
    }
    counts_unref(&counts);
    free(items);
}

/* A script that asks for the inbox and leaves: a round of its messages says more than the tree,
 * and costs the same. Not twice for a session that goes on to ask. */
static bool answer_inbox_alone(struct mailbox_account *a, const char *name, int64_t newer_than_ms,
                               struct wait *w, struct mailbox_status *out)
{
    struct error e = ERROR_INIT;
    struct mailbox_tree *t = NULL;
    if (!name_is_inbox(name) || !tree_kept(a, &t, &e))
        return false;
    struct store_folder row = {0};
    const struct mailbox_node *inbox = t ? mailbox_tree_find(t, name) : NULL;
    bool known = inbox && store_folder_find(a->db, inbox->graph_id, &row, &e) == 1 && row.synced;
    store_folder_free(&row);
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&a->lock);
    bool alone = known && a->tree.began_ms < newer_than_ms && a->tree.alone_ms < newer_than_ms;
    if (alone)
        a->tree.alone_ms = now;
    pthread_mutex_unlock(&a->lock);
    /* If that fails, the tree says why. */
    bool ok = alone && read_and_answer(a, name, true, out, w, &e);
    if (ok)
        status_cover(a, tree_rows_find(tree_rows_of(t), inbox->graph_id));
    mailbox_tree_unref(&t);
    return ok;
}

void mailbox_status(struct mailbox_account *a, const char *const *names, size_t count, bool sizes,
                    int64_t newer_than_ms, struct wait *w, struct mailbox_status *out,
                    struct error *errors)
{
    struct error e = ERROR_INIT;
    memset(out, 0, count * sizeof *out);
    for (size_t i = 0; i < count; i++)
        error_clear(&errors[i]);
    if (count == 1 && answer_inbox_alone(a, names[0], newer_than_ms, w, out))
        return;
    struct mailbox_tree *t = mailbox_tree_get(a, newer_than_ms, w, &e);
    if (t)
        answer_names(a, t, names, count, sizes, newer_than_ms, w, out, errors);
    for (size_t i = 0; !t && i < count; i++)
        errors[i] = e;
    mailbox_tree_unref(&t);
}
