/* Folders: from the store into memory, and every commit to them. */
#include "internal.h"

#include "view_build.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

static bool add_entry(void *arg, const struct store_message *m)
{
    struct mailbox_entry entry;
    struct row row = {
        .id = (char *)m->graph_id,
        .uid = m->uid,
        .flags = m->flags,
        .received_ms = m->received_ms,
        .estimate = m->estimate,
        .size = m->size,
        .modseq = m->modseq,
    };
    if (m->uid == 0)
        return true; /* staged */
    row_entry(&row, &entry);
    view_builder_add(arg, &entry);
    return true;
}

static struct mailbox_folder *folder_new(struct mailbox_account *a, const char *path)
{
    struct mailbox_folder *f = xcalloc(1, sizeof *f);
    f->account = a;
    f->path = xstrdup(path);
    pthread_mutex_init(&f->writer, NULL);
    f->article_next = -1;
    f->expected = -1;
    return f;
}

void folder_destroy(struct mailbox_folder *f)
{
    mailbox_view_unref(&f->view);
    store_folder_free(&f->row);
    pthread_mutex_destroy(&f->writer);
    free(f->graph_id);
    free(f->path);
    free(f);
}

/* Makes it known to the account; if another thread was faster, its object is taken instead. */
static struct mailbox_folder *publish(struct mailbox_folder *f)
{
    struct mailbox_account *a = f->account;
    pthread_mutex_lock(&a->lock);
    struct mailbox_folder *first = table_get(a->folders, f->graph_id);
    if (!first)
        table_put(a->folders, f->graph_id, f);
    pthread_mutex_unlock(&a->lock);
    if (first)
        folder_destroy(f);
    account_ref(a);
    return first ? first : f;
}

/* Fills the shared state from the row, which the caller has set. */
static bool read_view(struct mailbox_folder *f, struct error *e)
{
    struct view_builder *b = view_builder_new();
    bool ok = store_message_each(f->account->db, f->row.key, add_entry, b, e);
    f->view = view_builder_finish(&b);
    f->key = f->row.key;
    f->graph_id = xstrdup(f->row.graph_id);
    f->uidvalidity = f->row.uidvalidity;
    f->uidnext = f->row.uidnext;
    f->needs_full = !f->row.synced || !f->row.delta_link;
    if (!f->row.synced)
        mailbox_view_unref(&f->view);
    return ok;
}

int folder_load(struct mailbox_account *a, const char *graph_id, const char *path,
                struct mailbox_folder **out, struct error *e)
{
    pthread_mutex_lock(&a->lock);
    struct mailbox_folder *f = table_get(a->folders, graph_id);
    pthread_mutex_unlock(&a->lock);
    if (f) {
        account_ref(a);
        *out = f;
        return 1;
    }
    f = folder_new(a, path);
    int found = store_folder_find(a->db, graph_id, &f->row, e);
    if (found == 1 && !read_view(f, e))
        found = -1;
    if (found != 1) {
        folder_destroy(f);
        return found;
    }
    *out = publish(f);
    return 1;
}

struct mailbox_folder *folder_make(struct mailbox_account *a, const struct graph_folder *g,
                                   const char *path, struct error *e)
{
    struct mailbox_folder *f = folder_new(a, path);
    uint32_t marked = 0, now = (uint32_t)(clock_wall_ms() / CLOCK_SECOND);
    bool exact = false;
    mark_parse(g->mark, &marked, &exact);
    f->row.graph_id = xstrdup(g->id);
    f->row.uidnext = 1;
    f->row.uid_mode = STORE_UID_EXACT;
    /* After a loss of state: UIDs that were Exchange's own come back as they were; others cannot,
     * and a newer UIDVALIDITY says so. */
    f->row.uidvalidity = exact ? marked : marked >= now ? marked + 1 : now;
    f->row.marked = exact;
    if (!store_folder_insert(a->db, &f->row, e) || !read_view(f, e)) {
        folder_destroy(f);
        return NULL;
    }
    f->article_next = g->article_next;
    f->expected = g->total;
    return publish(f);
}

void mailbox_folder_release(struct mailbox_folder **f)
{
    struct mailbox_account *a = *f ? (*f)->account : NULL;
    *f = NULL;
    mailbox_account_release(&a);
}

struct mailbox_view *mailbox_folder_view(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->account->lock);
    struct mailbox_view *v = mailbox_view_ref(f->view);
    pthread_mutex_unlock(&f->account->lock);
    return v;
}

uint32_t mailbox_folder_uidvalidity(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->account->lock);
    uint32_t value = f->uidvalidity;
    pthread_mutex_unlock(&f->account->lock);
    return value;
}

uint32_t mailbox_folder_uidnext(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->account->lock);
    uint32_t value = f->uidnext;
    pthread_mutex_unlock(&f->account->lock);
    return value;
}

char *folder_sync_state(struct mailbox_folder *f, struct merge_uids *uids, bool *marked)
{
    pthread_mutex_lock(&f->writer);
    char *link = xstrdup_null(f->row.delta_link);
    *uids = (struct merge_uids){.uidnext = f->row.uidnext, .mode = f->row.uid_mode};
    *marked = f->row.marked;
    pthread_mutex_unlock(&f->writer);
    return link;
}

/* Strictly rising, and above anything that a lost state could have given. */
static uint64_t next_modseq(const struct store_folder *row)
{
    uint64_t now = (uint64_t)clock_wall_us() & INT64_MAX;
    return now > row->modseq ? now : row->modseq + 1;
}

/* Tells everybody of the new generation; `writer` is held. */
static void announce(struct mailbox_folder *f, struct view_change *changes, size_t count)
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
    pthread_mutex_unlock(&a->lock);
    if (next)
        mailbox_view_unref(&old);
    mailbox_view_unref(&empty);
}

/* A row of this sync against what was committed meanwhile: our own delete wins, and an exact size
 * stays. False: drop it. */
static bool reconcile(struct mailbox_folder *f, struct row *r)
{
    const struct mailbox_entry *known = f->view ? mailbox_view_find(f->view, r->uid, NULL) : NULL;
    if (known && known->size_exact)
        r->size = known->size;
    return known || r->uid >= f->row.uidnext;
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
        r->modseq = modseq;
        row_to_store(r, &m);
        if (!store_tx_put(tx, f->key, &m, e))
            return false;
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
    row.uidnext = c->uids.uidnext;
    row.uid_mode = c->uids.mode;
    row.modseq = modseq;
    row.marked = c->marked;
    row.synced = row.synced || c->full;
    if (c->uidvalidity)
        row.uidvalidity = c->uidvalidity;
    return row;
}

bool folder_commit(struct mailbox_folder *f, const struct folder_commit *c, struct error *e)
{
    const struct merge_result *result = c->result;
    size_t n = result->put_count + result->expunge_count, count = 0;
    struct view_change *changes = xcalloc(n + 1, sizeof *changes);
    struct error local = ERROR_INIT;
    pthread_mutex_lock(&f->writer);
    uint64_t modseq = n ? next_modseq(&f->row) : f->row.modseq;
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
        announce(f, changes, count);
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
        announce(f, changes, count);
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
            announce(f, &change, 1);
    }
    pthread_mutex_unlock(&f->writer);
    if (!ok)
        account_check(f->account);
    return ok;
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
        announce(f, &change, 1);
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
        ok = same_row(&before, &now) || put_row(f, &now, e);
        row_clear(&before);
        row_clear(&now);
    }
    free(own);
    pthread_mutex_unlock(&f->writer);
    if (found < 0 || !ok)
        account_check(f->account);
    return found >= 0 && ok;
}
