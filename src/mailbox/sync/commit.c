/* Every commit to a folder: one transaction, then the next generation of its view. */
#include "internal.h"

#include "view_build.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mailbox/flags.h"
#include "postern/store/original.h"

#include <stdlib.h>
#include <string.h>

/* Strictly rising, and above anything that a lost state could have given. */
static uint64_t next_modseq(const struct store_folder *row)
{
    uint64_t now = (uint64_t)clock_wall_us() & INT64_MAX;
    return now > row->modseq ? now : row->modseq + 1;
}

enum news { NEWS_FOR_ALL, NEWS_OF_SIZES };

/* Publishes the new generation; `writer` is held. Whoever watches is woken, but not for sizes,
 * which a client hears of only when it asks. */
static void announce(struct mailbox_folder *f, struct view_change *changes, size_t count,
                     enum news news)
{
    struct mailbox_account *a = f->account;
    struct mailbox_view *old = f->view; /* only changed under `writer` */
    struct mailbox_view *empty = NULL, *next = NULL;
    if (!old) {
        struct view_builder *b = view_builder_new();
        empty = view_builder_finish(&b);
    }
    if (count || !old)
        next = view_apply(old ? old : empty, changes, count);
    pthread_mutex_lock(&a->lock);
    if (next)
        f->view = next;
    f->uidvalidity = f->row.uidvalidity;
    f->uidnext = f->row.uidnext;
    f->modseq = f->row.modseq;
    if (next && news == NEWS_FOR_ALL)
        wait_list_notify_all(&f->watchers);
    pthread_mutex_unlock(&a->lock);
    if (next)
        mailbox_view_unref(&old);
    mailbox_view_unref(&empty);
}

/* Our own write and a round crossed: nothing here says which of the two is newer. */
static void doubt(struct mailbox_folder *f, const char *id)
{
    table_put(f->doubts, id, f);
}

/* A row of this sync against what was committed meanwhile: our own delete and our own flags win,
 * and sizes stay. False: drop it. */
static bool reconcile(struct mailbox_folder *f, struct row *r)
{
    const struct mailbox_entry *known = f->view ? mailbox_view_find(f->view, r->uid, NULL) : NULL;
    if (known && known->size_exact)
        r->size = known->size;
    if (known && known->told_size)
        r->told = known->told_size;
    if (known && known->modseq != r->modseq) {
        doubt(f, r->id);
        return false;
    }
    return known || !f->row.synced || r->uid >= f->row.uidnext;
}

static bool put_rows(struct mailbox_folder *f, struct store_tx *tx,
                     const struct merge_result *result, uint64_t modseq,
                     struct view_change *changes, size_t *count, struct error *e)
{
    for (size_t i = 0; i < result->put_count; i++) {
        struct row *r = result->puts[i];
        struct store_message m;
        if (!reconcile(f, r))
            continue;
        if (!original_apply(f, r, e))
            return false;
        if (r->changed)
            r->modseq = modseq;
        row_to_store(r, &m);
        if (!store_tx_put(tx, f->key, &m, e))
            return false;
        if (r->changed)
            row_entry(r, &changes[(*count)++].entry);
    }
    return true;
}

static bool expunge_rows(struct mailbox_folder *f, struct store_tx *tx, const uint32_t *uids,
                         size_t n, uint64_t modseq, struct view_change *changes, size_t *count,
                         struct error *e)
{
    for (size_t i = 0; i < n; i++) {
        if (!store_tx_expunge(tx, f->key, uids[i], modseq, e))
            return false;
        changes[*count].expunged = true;
        changes[(*count)++].entry.uid = uids[i];
    }
    return true;
}

/* The row as the commit leaves it; the strings of the copy are its own. */
static struct store_folder next_row(const struct mailbox_folder *f, const struct folder_commit *c,
                                    uint64_t modseq)
{
    struct store_folder row = f->row;
    row.graph_id = xstrdup(f->row.graph_id);
    row.resume_delta = row.resume_listing = NULL;
    row.delta_done = row.listing_done = false;
    row.delta_link = xstrdup_null(c->delta_link);
    if (c->uids.uidnext > row.uidnext) /* STATUS may have told a higher one meanwhile */
        row.uidnext = c->uids.uidnext;
    row.uid_mode = c->uids.mode;
    row.modseq = modseq;
    row.marked = c->marked;
    row.synced = row.synced || c->full;
    if (c->uidvalidity)
        row.uidvalidity = c->uidvalidity;
    return row;
}

static bool any_changed(const struct merge_result *result)
{
    for (size_t i = 0; i < result->put_count; i++)
        if (result->puts[i]->changed)
            return true;
    return false;
}

bool folder_commit(struct mailbox_folder *f, const struct folder_commit *c, struct error *e)
{
    const struct merge_result *result = c->result;
    size_t n = result->put_count + result->expunge_count, count = 0;
    bool news = result->expunge_count > 0 || any_changed(result);
    struct view_change *changes = xcalloc(n + 1, sizeof *changes);
    struct error local = ERROR_INIT;
    pthread_mutex_lock(&f->writer);
    /* A modseq is never 0, not of an empty folder either (RFC 7162 section 3.1.2.1). */
    uint64_t modseq = news || !f->row.modseq ? next_modseq(&f->row) : f->row.modseq;
    struct store_folder row = next_row(f, c, modseq);
    struct store_tx *tx = store_tx_begin(f->account->db, &local);
    bool ok = tx &&
              expunge_rows(f, tx, result->expunges, result->expunge_count, modseq, changes, &count,
                           &local) &&
              put_rows(f, tx, result, modseq, changes, &count, &local);
    for (size_t i = 0; ok && i < result->drop_count; i++)
        ok = store_tx_unstage(tx, f->key, result->dropped[i], &local);
    ok = ok && store_tx_folder(tx, &row, &local) && store_tx_commit(&tx, &local);
    store_tx_rollback(&tx);
    if (ok) {
        struct store_folder old = f->row;
        f->row = row;
        row = old;
        announce(f, changes, count, NEWS_FOR_ALL);
    }
    pthread_mutex_unlock(&f->writer);
    store_folder_free(&row);
    free(changes);
    if (!ok) {
        *e = local;
        account_check(f->account);
    }
    return ok;
}

bool folder_set_told(struct mailbox_folder *f, uint32_t uidvalidity, uint32_t uidnext,
                     struct error *e)
{
    pthread_mutex_lock(&f->writer);
    struct store_folder row = f->row;
    /* Neither falls: a first sync may have told higher ones meanwhile. */
    if (uidvalidity > row.uidvalidity) {
        row.uidvalidity = uidvalidity;
        row.marked = false;
    }
    if (uidnext > row.uidnext)
        row.uidnext = uidnext;
    struct store_tx *tx = store_tx_begin(f->account->db, e);
    bool ok = tx && store_tx_folder(tx, &row, e) && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (ok) {
        f->row = row;
        pthread_mutex_lock(&f->account->lock);
        f->uidvalidity = row.uidvalidity;
        f->uidnext = row.uidnext;
        pthread_mutex_unlock(&f->account->lock);
    }
    pthread_mutex_unlock(&f->writer);
    if (!ok)
        account_check(f->account);
    return ok;
}

bool folder_set_validity(struct mailbox_folder *f, uint32_t uidvalidity, struct error *e)
{
    return folder_set_told(f, uidvalidity, 0, e);
}

bool folder_commit_marked(struct mailbox_folder *f, struct error *e)
{
    pthread_mutex_lock(&f->writer);
    struct store_folder row = f->row;
    row.marked = true;
    struct store_tx *tx = store_tx_begin(f->account->db, e);
    bool ok = tx && store_tx_folder(tx, &row, e) && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (ok)
        f->row.marked = true;
    pthread_mutex_unlock(&f->writer);
    return ok;
}

bool folder_retire(struct mailbox_folder *f, const uint32_t *uids, size_t n, struct error *e)
{
    struct view_change *changes = xcalloc(n + 1, sizeof *changes);
    size_t count = 0;
    pthread_mutex_lock(&f->writer);
    struct store_folder row = f->row;
    row.modseq = next_modseq(&row);
    struct store_tx *tx = store_tx_begin(f->account->db, e);
    bool ok = tx && expunge_rows(f, tx, uids, n, row.modseq, changes, &count, e) &&
              store_tx_folder(tx, &row, e) && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (ok) {
        f->row.modseq = row.modseq;
        announce(f, changes, count, NEWS_FOR_ALL);
    }
    pthread_mutex_unlock(&f->writer);
    free(changes);
    if (!ok)
        account_check(f->account);
    return ok;
}

bool folder_note_size(struct mailbox_folder *f, uint32_t uid, int64_t size, struct error *e)
{
    bool ok = true;
    pthread_mutex_lock(&f->writer);
    const struct mailbox_entry *known = f->view ? mailbox_view_find(f->view, uid, NULL) : NULL;
    if (known && !known->size_exact) {
        struct view_change change = {.entry = *known};
        change.entry.size = size;
        change.entry.size_exact = true;
        ok = store_message_set_size(f->account->db, f->key, uid, size, e);
        if (ok)
            announce(f, &change, 1, NEWS_OF_SIZES);
    }
    pthread_mutex_unlock(&f->writer);
    if (!ok)
        account_check(f->account);
    return ok;
}

/* What the row becomes, in `entry` and `m`; false: the message is gone. */
static bool take_write(struct mailbox_folder *f, struct flag_write *write,
                       struct mailbox_entry *entry, struct store_message *m)
{
    const struct row *row = &write->row;
    const struct mailbox_entry *known = mailbox_view_find(f->view, row->uid, NULL);
    if (!known)
        return false;
    *entry = *known;
    row_to_store(row, m);
    if (known->modseq == row->modseq) {
        entry->flags = row->flags;
        entry->keywords = m->keywords;
    } else {
        entry->flags = (known->flags & ~write->flags) | (row->flags & write->flags);
        entry->keywords = write->keywords ? m->keywords : known->keywords;
        m->change_key = "";
        doubt(f, row->id);
    }
    return true;
}

bool folder_write_flags(struct mailbox_folder *f, struct flag_write *const *writes, size_t count,
                        struct error *e)
{
    struct view_change *changes = xcalloc(count + 1, sizeof *changes);
    size_t n = 0;
    pthread_mutex_lock(&f->writer);
    struct store_folder row = f->row;
    row.modseq = next_modseq(&row);
    struct store_tx *tx = store_tx_begin(f->account->db, e);
    bool ok = tx != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        struct mailbox_entry *entry = &changes[n].entry;
        struct store_message m;
        if (!take_write(f, writes[i], entry, &m))
            continue;
        m.flags = entry->flags;
        m.keywords = entry->keywords;
        m.modseq = entry->modseq = row.modseq;
        ok = store_tx_set_flags(tx, f->key, &m, e) &&
             (!(writes[i]->flags & MAILBOX_DRAFT) ||
              store_original_tell_draft(f->account->db, m.graph_id, m.flags & MAILBOX_DRAFT, e));
        n++;
    }
    ok = ok && store_tx_folder(tx, &row, e) && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (ok) {
        f->row.modseq = row.modseq;
        announce(f, changes, n, NEWS_FOR_ALL);
    }
    pthread_mutex_unlock(&f->writer);
    free(changes);
    if (!ok)
        account_check(f->account);
    return ok;
}

struct table *folder_take_doubts(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->writer);
    struct table *taken = f->doubts;
    f->doubts = table_new();
    pthread_mutex_unlock(&f->writer);
    return taken;
}

static bool put_back(void *arg, const char *id, void *value)
{
    table_put(arg, id, value);
    return true;
}

bool folder_return_doubts(struct mailbox_folder *f, struct table **taken, bool unsettled)
{
    pthread_mutex_lock(&f->writer);
    if (unsettled)
        table_each(*taken, put_back, f->doubts);
    bool any = table_count(f->doubts) > 0;
    pthread_mutex_unlock(&f->writer);
    table_free(taken);
    return any;
}

static bool same_row(const struct row *a, const struct row *b)
{
    return a->flags == b->flags && a->received_ms == b->received_ms &&
           strcmp(a->keywords ? a->keywords : "", b->keywords ? b->keywords : "") == 0;
}

/* Commits one row and tells everybody; `writer` is held. */
static bool put_row(struct mailbox_folder *f, struct row *r, struct error *e)
{
    struct store_folder row = f->row;
    struct store_message m;
    struct view_change change = {.expunged = false};
    row.modseq = r->modseq = next_modseq(&row);
    row_to_store(r, &m);
    struct store_tx *tx = store_tx_begin(f->account->db, e);
    bool ok = tx && store_tx_put(tx, f->key, &m, e) && store_tx_folder(tx, &row, e) &&
              store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (ok) {
        f->row.modseq = row.modseq;
        row_entry(r, &change.entry);
        announce(f, &change, 1, NEWS_FOR_ALL);
    }
    return ok;
}

bool folder_update(struct mailbox_folder *f, uint32_t uid, const struct graph_message *m,
                   struct error *e)
{
    struct store_message known;
    struct row before, now;
    char *own;
    int64_t retired_ms;
    bool ok = true;
    pthread_mutex_lock(&f->writer);
    int found = store_message_find(f->account->db, f->key, m->id, &known, &own, &retired_ms, e);
    if (found == 1 && known.uid == uid) {
        row_from_store(&before, &known);
        row_from_store(&now, &known);
        row_apply(&now, m, true);
        ok = original_apply(f, &now, e);
        ok = ok && (same_row(&before, &now) || put_row(f, &now, e));
        row_clear(&before);
        row_clear(&now);
    }
    free(own);
    pthread_mutex_unlock(&f->writer);
    if (found < 0 || !ok)
        account_check(f->account);
    return found >= 0 && ok;
}

bool mailbox_note_told_sizes(struct mailbox_folder *f, const uint32_t *uids, const uint32_t *sizes,
                             size_t count, struct error *e)
{
    struct view_change *changes = xcalloc(count + 1, sizeof *changes);
    size_t n = 0;
    bool ok = true;
    pthread_mutex_lock(&f->writer);
    for (size_t i = 0; f->view && i < count; i++) {
        const struct mailbox_entry *known = mailbox_view_find(f->view, uids[i], NULL);
        if (!known || known->told_size)
            continue;
        changes[n].entry = *known;
        changes[n++].entry.told_size = sizes[i];
    }
    if (n) {
        struct store_tx *tx = store_tx_begin(f->account->db, e);
        ok = tx != NULL;
        for (size_t i = 0; ok && i < n; i++)
            ok = store_tx_set_told(tx, f->key, changes[i].entry.uid, changes[i].entry.told_size, e);
        ok = ok && store_tx_commit(&tx, e);
        store_tx_rollback(&tx);
    }
    if (ok && n)
        announce(f, changes, n, NEWS_OF_SIZES);
    pthread_mutex_unlock(&f->writer);
    free(changes);
    if (!ok)
        account_check(f->account);
    return ok;
}

/* Remembers that the UIDs below uidnext were told as \Recent. */
static bool claim_recent(struct mailbox_folder *f, struct error *e)
{
    struct store_folder row = f->row;
    row.recent = row.uidnext;
    struct store_tx *tx = store_tx_begin(f->account->db, e);
    bool ok = tx && store_tx_folder(tx, &row, e) && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (ok)
        f->row.recent = row.recent;
    return ok;
}

void mailbox_folder_recent(struct mailbox_folder *f, bool claim, uint32_t *from, uint32_t *to)
{
    struct error e = ERROR_INIT;
    pthread_mutex_lock(&f->writer);
    *from = f->row.recent;
    *to = f->row.uidnext;
    bool ok = !claim || *from == *to || claim_recent(f, &e);
    pthread_mutex_unlock(&f->writer);
    if (ok)
        return;
    /* They are this session's all the same; after a restart another one gets them once more. */
    log_error_value(LOG_LEVEL_WARNING, &e, "cannot keep what is recent in %s", f->path);
    account_check(f->account);
}
