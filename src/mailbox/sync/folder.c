/* Folders: from the store into memory, and what is published of them. */
#include "internal.h"

#include "view_build.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/mailbox/flags.h"

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
        .told = m->told,
        .modseq = m->modseq,
        .keywords = (char *)m->keywords,
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
    f->doubts = table_new();
    pthread_mutex_init(&f->writer, NULL);
    f->article_next = -1;
    f->expected = -1;
    return f;
}

void folder_destroy(struct mailbox_folder *f)
{
    for (size_t i = 0; i < f->arrival_count; i++)
        free(f->arrivals[i]);
    free(f->arrivals);
    mailbox_view_unref(&f->view);
    wait_list_free(&f->watchers);
    wait_list_free(&f->rewriters);
    table_free(&f->doubts);
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
    f->modseq = f->row.modseq;
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
    f->row.recent = 1;
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

uint64_t mailbox_folder_modseq(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->account->lock);
    uint64_t value = f->modseq;
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
