/*
 * The folder tree of an account: kept in the store, brought up to date by whoever asks, shared by
 * all who ask at the same moment.
 */
#include "names.h"
#include "tree_keep.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/store/tree_db.h"

#include <stdlib.h>
#include <string.h>

/* ---- the turn ---- */

/* Registered with the list, sleeps without the lock, which is held on entry and on return. */
static bool sleep_on(struct mailbox_account *a, struct wait *w, struct error *e)
{
    wait_list_add(&a->tree.waiters, w);
    pthread_mutex_unlock(&a->lock);
    bool ok = wait_sleep(w, e);
    pthread_mutex_lock(&a->lock);
    wait_list_remove(&a->tree.waiters, w);
    return ok;
}

static void end_turn(struct mailbox_account *a)
{
    pthread_mutex_lock(&a->lock);
    a->tree.busy = false;
    wait_list_notify_all(&a->tree.waiters);
    pthread_mutex_unlock(&a->lock);
}

static bool take_turn(struct mailbox_account *a, struct wait *w, struct error *e)
{
    bool ok = true;
    pthread_mutex_lock(&a->lock);
    while (ok && a->tree.busy)
        ok = sleep_on(a, w, e);
    if (ok)
        a->tree.busy = true;
    pthread_mutex_unlock(&a->lock);
    return ok;
}

/* ---- building and publishing ---- */

static void add_subscription(void *arg, const char *name, bool subscribed)
{
    struct tree_subscriptions *s = arg;
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->items = xreallocarray(s->items, s->cap, sizeof *s->items);
    }
    s->items[s->count++] =
        (struct tree_subscription){.name = xstrdup(name), .subscribed = subscribed};
}

static void clear_subscriptions(struct tree_subscriptions *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->items[i].name);
    free(s->items);
}

/* NULL: `e`; with ERROR_NONE: the root is not known yet. */
static struct mailbox_tree *build(struct mailbox_account *a, struct tree_rows *rows,
                                  struct error *e)
{
    struct tree_subscriptions subscriptions = {0};
    struct tree_special special;
    struct mailbox_tree *t = NULL;
    bool complete;
    error_clear(e);
    if (!special_recall(a, &special, &complete, e))
        return NULL;
    if (special.root && store_subscription_each(a->db, add_subscription, &subscriptions, e))
        t = tree_build(rows, &special, &subscriptions);
    clear_subscriptions(&subscriptions);
    special_clear(&special);
    return t;
}

/* Makes a tree of the rows the account's, unless `instead_of` is no longer it (NULL: whatever is).
 * A subscription that changes meanwhile is seen. */
static bool publish(struct mailbox_account *a, struct tree_rows *rows,
                    const struct mailbox_tree *instead_of, struct error *e)
{
    for (bool published = false; !published;) {
        pthread_mutex_lock(&a->lock);
        unsigned version = a->tree.subscriptions;
        pthread_mutex_unlock(&a->lock);
        struct mailbox_tree *t = build(a, rows, e);
        if (!t)
            return e->kind == ERROR_NONE;
        pthread_mutex_lock(&a->lock);
        if (instead_of && a->tree.kept != instead_of) {
            published = true; /* by somebody else, who saw what we would show */
        } else if (a->tree.subscriptions == version) {
            struct mailbox_tree *old = a->tree.kept;
            a->tree.kept = t;
            t = old;
            published = true;
        }
        pthread_mutex_unlock(&a->lock);
        mailbox_tree_unref(&t);
    }
    return true;
}

/* ---- the store ---- */

static void load_row(void *arg, const struct store_tree_row *from)
{
    struct tree_rows *rows = arg;
    struct tree_row *row = tree_rows_enter(rows, from->graph_id);
    row->parent_id = tree_rows_keep(rows, from->parent_id);
    row->name = tree_rows_keep(rows, from->name);
    row->hidden = from->hidden;
    row->children = from->children;
    row->total = from->total;
    row->unread = from->unread;
    row->change = from->change;
    row->covered = from->covered;
}

/* What the store has, once in the life of the account. */
static bool load(struct mailbox_account *a, struct error *e)
{
    char *link = NULL;
    uint64_t round = 0;
    struct mailbox_tree *t = NULL;
    struct tree_rows *rows = tree_rows_new(NULL);
    int known = store_tree_state(a->db, &link, &round, e);
    bool ok = known >= 0;
    if (known == 1) {
        ok = store_tree_each(a->db, load_row, rows, e);
        t = ok ? build(a, rows, e) : NULL;
        ok = ok && e->kind == ERROR_NONE;
    }
    tree_rows_unref(&rows);
    pthread_mutex_lock(&a->lock);
    if (ok && !a->tree.loaded) {
        a->tree.loaded = true;
        a->tree.kept = t;
        a->tree.link = t ? link : NULL;
        a->tree.round = round;
        if (t)
            link = NULL;
        t = NULL;
    }
    pthread_mutex_unlock(&a->lock);
    mailbox_tree_unref(&t);
    free(link);
    if (!ok)
        account_check(a);
    return ok;
}

bool tree_kept(struct mailbox_account *a, struct mailbox_tree **out, struct error *e)
{
    pthread_mutex_lock(&a->lock);
    bool loaded = a->tree.loaded;
    pthread_mutex_unlock(&a->lock);
    *out = NULL;
    if (!loaded && !load(a, e))
        return false;
    pthread_mutex_lock(&a->lock);
    *out = mailbox_tree_ref(a->tree.kept);
    pthread_mutex_unlock(&a->lock);
    return true;
}

struct commit {
    struct store_tx *tx;
    const struct tree_rows *old, *now;
    bool ok;
    struct error *error;
};

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void put_row(void *arg, struct tree_row *row)
{
    struct commit *c = arg;
    const struct tree_row *old = c->old ? tree_rows_find(c->old, row->id) : NULL;
    bool same = old && same_text(old->name, row->name) &&
                same_text(old->parent_id, row->parent_id) && old->hidden == row->hidden &&
                old->children == row->children && old->total == row->total &&
                old->unread == row->unread && old->change == row->change;
    if (same || !c->ok)
        return;
    const struct store_tree_row out = {
        .graph_id = row->id,
        .parent_id = row->parent_id ? row->parent_id : "",
        .name = row->name ? row->name : "",
        .hidden = row->hidden,
        .children = row->children,
        .total = row->total,
        .unread = row->unread,
        .change = row->change,
        .covered = row->covered,
    };
    c->ok = store_tx_tree_put(c->tx, &out, c->error);
}

static void remove_row(void *arg, struct tree_row *row)
{
    struct commit *c = arg;
    if (c->ok && !tree_rows_find(c->now, row->id))
        c->ok = store_tx_tree_remove(c->tx, row->id, c->error);
}

static bool commit(struct mailbox_account *a, const struct tree_rows *old,
                   const struct tree_rows *now, const char *link, uint64_t round, struct error *e)
{
    struct commit c = {.tx = store_tx_begin(a->db, e), .old = old, .now = now, .error = e};
    c.ok = c.tx != NULL;
    if (c.ok && !old)
        c.ok = store_tx_tree_clear(c.tx, e);
    if (c.ok)
        tree_rows_each(now, put_row, &c);
    if (c.ok && old)
        tree_rows_each(old, remove_row, &c);
    bool ok = c.ok && store_tx_tree_state(c.tx, link, round, e) && store_tx_commit(&c.tx, e);
    store_tx_rollback(&c.tx);
    if (!ok)
        account_check(a);
    return ok;
}

/* ---- reading ---- */

static void note_time(void *arg, struct tree_row *row)
{
    const struct tree_reading *r = arg;
    if (row->change == r->round)
        row->told_ms = clock_mono_ms();
}

/* Asks for the well-known folders that were never asked for; `anew`: also for those that were not
 * there then. */
static bool know_special(struct mailbox_account *a, bool anew, struct wait *w, struct error *e)
{
    struct tree_special special;
    bool complete;
    if (!special_recall(a, &special, &complete, e))
        return false;
    special_clear(&special);
    if (complete && !anew)
        return true;
    if (!special_ask(a, anew, w, e) || !special_recall(a, &special, &complete, e))
        return false;
    bool rooted = special.root != NULL;
    special_clear(&special);
    return rooted ||
           error_set(e, ERROR_ANSWER, "Graph does not say which folder the mailbox begins with");
}

/* One round, with the turn. */
static bool read_round(struct mailbox_account *a, struct wait *w, struct error *e)
{
    struct mailbox_tree *old = NULL;
    if (!tree_kept(a, &old, e))
        return false;
    struct tree_reading r = {.account = a,
                             .rows = tree_rows_new(old ? tree_rows_of(old) : NULL),
                             .link = xstrdup_null(a->tree.link),
                             .by_listing = a->tree.by_listing,
                             .round = a->tree.round + 1};
    const struct tree_rows *before = old ? tree_rows_of(old) : NULL;
    struct tree_rows *nothing = tree_rows_new(NULL);
    bool ok = know_special(a, !old, w, e) && tree_read(&r, before ? before : nothing, w, e);
    /* The link has died: a good moment to look whether the archive folder is there by now. */
    if (ok && old && r.whole && !r.by_listing)
        ok = know_special(a, true, w, e);
    bool same = old && !r.whole && r.told == 0;
    if (ok && same)
        r.round = a->tree.round;
    if (ok && !(same && same_text(r.link, a->tree.link))) {
        tree_rows_each(r.rows, note_time, &r);
        ok = commit(a, before, r.rows, r.link, r.round, e) && (same || publish(a, r.rows, NULL, e));
    }
    if (ok) {
        free(a->tree.link);
        a->tree.link = r.link;
        r.link = NULL;
        a->tree.round = r.round;
        a->tree.by_listing = r.by_listing;
        pthread_mutex_lock(&a->lock);
        a->tree.tells_total = a->tree.tells_total || r.tells_total || r.by_listing;
        a->tree.tells_unread = a->tree.tells_unread || r.tells_unread || r.by_listing;
        pthread_mutex_unlock(&a->lock);
    }
    free(r.link);
    tree_rows_unref(&r.rows);
    tree_rows_unref(&nothing);
    mailbox_tree_unref(&old);
    return ok;
}

/* Leads a round; the lock is held on entry and on return. False: the caller's own wait ended. */
static bool lead(struct mailbox_account *a, struct wait *w, struct error *e)
{
    struct error failure = ERROR_INIT;
    a->tree.busy = true;
    pthread_mutex_unlock(&a->lock);
    int64_t began = clock_mono_ms();
    bool ok = read_round(a, w, &failure);
    bool left = !ok && wait_ended(w, e);
    pthread_mutex_lock(&a->lock);
    a->tree.busy = false;
    if (ok) {
        a->tree.began_ms = began;
    } else if (!left) {
        a->tree.failed_ms = began;
        a->tree.failure = failure;
    }
    wait_list_notify_all(&a->tree.waiters);
    return !left;
}

struct mailbox_tree *mailbox_tree_get(struct mailbox_account *a, int64_t newer_than_ms,
                                      struct wait *w, struct error *e)
{
    struct mailbox_tree *t = NULL;
    int64_t asked = clock_mono_ms();
    bool ok = true;
    pthread_mutex_lock(&a->lock);
    while (ok && !t) {
        const struct account_tree *have = &a->tree;
        bool fresh = have->began_ms >= asked ||
                     (have->began_ms >= newer_than_ms && have->began_ms > have->stale_ms);
        if (have->kept && have->began_ms && fresh) {
            t = mailbox_tree_ref(have->kept);
        } else if (have->failed_ms >= asked) {
            *e = have->failure;
            ok = false;
        } else {
            ok = have->busy ? sleep_on(a, w, e) : lead(a, w, e);
        }
    }
    pthread_mutex_unlock(&a->lock);
    return t;
}

struct mailbox_tree *tree_now(struct mailbox_account *a, struct wait *w, struct error *e)
{
    return mailbox_tree_get(a, CLOCK_NEVER, w, e);
}

/* ---- changing ---- */

bool tree_edit(struct mailbox_account *a, void (*change)(void *arg, struct tree_rows *rows),
               void *arg, struct wait *w, struct error *e)
{
    struct mailbox_tree *old = NULL;
    if (!take_turn(a, w, e))
        return false;
    bool ok = tree_kept(a, &old, e);
    if (ok && old) {
        struct tree_rows *rows = tree_rows_new(tree_rows_of(old));
        change(arg, rows);
        ok = commit(a, tree_rows_of(old), rows, a->tree.link, a->tree.round, e) &&
             publish(a, rows, NULL, e);
        tree_rows_unref(&rows);
    }
    mailbox_tree_unref(&old);
    end_turn(a);
    return ok;
}

/* The name by which a subscription is kept, malloc()ed; NULL: there is no such folder though it
 * `must_exist`. */
static char *subscription_name(struct mailbox_account *a, const char *name, bool must_exist,
                               struct wait *w, struct error *e)
{
    struct mailbox_tree *t = NULL;
    if (!tree_kept(a, &t, e))
        return NULL;
    must_exist = must_exist && !name_is_inbox(name);
    const struct mailbox_node *node = t ? mailbox_tree_find(t, name) : NULL;
    if (!node && must_exist) {
        mailbox_tree_unref(&t);
        t = tree_now(a, w, e);
        node = t ? mailbox_tree_find(t, name) : NULL;
    }
    char *canonical = NULL;
    if (node)
        canonical = xstrdup(node->name);
    else if (!must_exist)
        canonical = name_canonical(name);
    else if (t)
        error_set(e, ERROR_FOLDER_GONE, "there is no folder \"%s\"", name);
    mailbox_tree_unref(&t);
    return canonical;
}

bool mailbox_subscribe(struct mailbox_account *a, const char *name, bool subscribed, struct wait *w,
                       struct error *e)
{
    char *canonical = subscription_name(a, name, subscribed, w, e);
    if (!canonical)
        return false;
    bool ok = store_subscription_set(a->db, canonical, subscribed, e);
    free(canonical);
    if (!ok) {
        account_check(a);
        return false;
    }
    pthread_mutex_lock(&a->lock);
    a->tree.subscriptions++;
    struct mailbox_tree *t = mailbox_tree_ref(a->tree.kept);
    pthread_mutex_unlock(&a->lock);
    ok = !t || publish(a, tree_rows_of(t), t, e);
    mailbox_tree_unref(&t);
    return ok;
}

void tree_forget(struct mailbox_folder *f)
{
    struct mailbox_account *a = f->account;
    struct error e = ERROR_INIT;
    if (!store_alias_forget(a->db, f->graph_id, &e)) {
        account_check(a);
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot forget where a folder was");
    }
    pthread_mutex_lock(&a->lock);
    a->tree.stale_ms = clock_mono_ms();
    pthread_mutex_unlock(&a->lock);
}
