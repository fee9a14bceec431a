/* The accounts of the process, by tenant and mailbox. */
#include "internal.h"
#include "tree/status.h"

#include "postern/mailbox/tree.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>

#define WORKERS_MAX 8
/* An account that nobody uses keeps its views in memory so long: scripts poll every few minutes. */
#define LINGER_MS ((int64_t)15 * 60 * CLOCK_SECOND)

struct mailbox_registry *mailbox_registry_new(struct graph_client *graph, struct store_cache *cache,
                                              const struct mailbox_settings *settings)
{
    struct mailbox_registry *r = xcalloc(1, sizeof *r);
    r->graph = graph;
    r->cache = cache;
    r->state_dir = xstrdup(settings->state_dir);
    r->read_ahead = settings->read_ahead;
    r->workers = workers_new(WORKERS_MAX);
    r->poller = poller_new(settings->poll_interval_ms);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->ready, NULL);
    r->accounts = table_new();
    return r;
}

static bool destroy_folder(void *arg, const char *key, void *value)
{
    (void)arg, (void)key;
    folder_destroy(value);
    return true;
}

static void account_destroy(struct mailbox_account *a)
{
    table_each(a->folders, destroy_folder, NULL);
    table_free(&a->folders);
    table_free(&a->downloads);
    claims_free(&a->claims);
    wait_list_free(&a->resolvers);
    wait_list_free(&a->tree.waiters);
    mailbox_tree_unref(&a->tree.kept);
    counts_unref(&a->tree.counts);
    seen_free(&a->tree.seen);
    free(a->tree.link);
    graph_user_unref(&a->user);
    store_db_close(&a->db);
    pthread_mutex_destroy(&a->lock);
    free(a->key);
    free(a->owner);
    free(a->mailbox);
    free(a->folded);
    free(a);
}

/* Accounts to be closed, or looked after, which is done without the lock. */
struct idle_walk {
    int64_t before; /* idle since before this, or due by then */
    struct mailbox_account **found;
    size_t count;
};

static bool collect_idle(void *arg, const char *key, void *value)
{
    struct idle_walk *walk = arg;
    struct mailbox_account *a = value;
    (void)key;
    if (a->ready && a->refs == 0 && (a->guest || a->idle_since <= walk->before))
        walk->found[walk->count++] = a;
    return true;
}

static void close_idle(struct mailbox_registry *r, int64_t before)
{
    struct idle_walk walk = {.before = before};
    pthread_mutex_lock(&r->lock);
    walk.found = xcalloc(table_count(r->accounts) + 1, sizeof(struct mailbox_account *));
    table_each(r->accounts, collect_idle, &walk);
    /* Whoever wants one meanwhile waits: a database has one handle at a time. */
    for (size_t i = 0; i < walk.count; i++)
        walk.found[i]->ready = false;
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < walk.count; i++)
        store_db_close(&walk.found[i]->db);
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < walk.count; i++)
        table_remove(r->accounts, walk.found[i]->key);
    if (walk.count)
        pthread_cond_broadcast(&r->ready);
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < walk.count; i++)
        account_destroy(walk.found[i]);
    free(walk.found);
}

void mailbox_registry_free(struct mailbox_registry **registry)
{
    struct mailbox_registry *r = *registry;
    *registry = NULL;
    if (!r)
        return;
    poller_free(&r->poller);
    workers_free(&r->workers);
    close_idle(r, INT64_MAX);
    table_free(&r->accounts);
    pthread_cond_destroy(&r->ready);
    pthread_mutex_destroy(&r->lock);
    free(r->state_dir);
    free(r);
}

void mailbox_registry_set_poll_interval(struct mailbox_registry *r, int64_t ms)
{
    poller_set_interval(r->poller, ms);
}

static bool collect_due(void *arg, const char *key, void *value)
{
    struct idle_walk *walk = arg;
    struct mailbox_account *a = value;
    (void)key;
    if (a->ready && !a->chores_running && a->chores_due_ms <= walk->before) {
        a->chores_running = true;
        a->refs++;
        walk->found[walk->count++] = a;
    }
    return true;
}

static void start_chores(struct mailbox_registry *r)
{
    struct idle_walk walk = {.before = clock_mono_ms()};
    pthread_mutex_lock(&r->lock);
    walk.found = xcalloc(table_count(r->accounts) + 1, sizeof(struct mailbox_account *));
    table_each(r->accounts, collect_due, &walk);
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < walk.count; i++)
        chores_start(walk.found[i]);
    free(walk.found);
}

void mailbox_registry_tick(struct mailbox_registry *r)
{
    poller_tick(r->poller);
    start_chores(r);
    close_idle(r, clock_mono_ms() - LINGER_MS);
    store_cache_evict(r->cache);
}

/* UPNs are compared without case; object ids are hexadecimal. */
static char *fold(const char *mailbox)
{
    char *folded = xstrdup(mailbox);
    for (char *p = folded; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return folded;
}

/* Takes over `key`, `folded` and `owner`. */
static struct mailbox_account *account_new(struct mailbox_registry *r, char *key, char *folded,
                                           char *owner, const char *mailbox)
{
    struct mailbox_account *a = xcalloc(1, sizeof *a);
    a->registry = r;
    a->key = key;
    a->owner = owner;
    a->mailbox = xstrdup(mailbox);
    a->folded = folded;
    a->folders = table_new();
    a->downloads = table_new();
    a->claims = claims_new();
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

/* Opens the database of an account that is in the table as not ready; drops it on failure. */
static bool account_open(struct mailbox_account *a, const struct principal *who, struct error *e)
{
    struct mailbox_registry *r = a->registry;
    bool fresh;
    a->db = store_db_open(r->state_dir, a->owner, a->folded, &fresh, e);
    if (a->db)
        a->user = graph_user_get(r->graph, who, a->mailbox);
    pthread_mutex_lock(&r->lock);
    a->ready = a->db != NULL;
    if (!a->ready)
        table_remove(r->accounts, a->key);
    pthread_cond_broadcast(&r->ready);
    pthread_mutex_unlock(&r->lock);
    return a->ready;
}

struct mailbox_account *mailbox_account_get(struct mailbox_registry *r, const struct principal *who,
                                            const char *mailbox, struct error *e)
{
    char *folded = fold(mailbox);
    char *owner = principal_key(who);
    char *key = xasprintf("%s\n%s", owner, folded);
    struct mailbox_account *a;
    pthread_mutex_lock(&r->lock);
    /* Somebody opens or closes it at this moment; if it leaves the table by that, we open it. */
    while ((a = table_get(r->accounts, key)) && !a->ready)
        pthread_cond_wait(&r->ready, &r->lock);
    if (a) {
        a->refs++;
        pthread_mutex_unlock(&r->lock);
        free(key);
        free(owner);
        free(folded);
        return a;
    }
    a = account_new(r, key, folded, owner, mailbox);
    a->guest = who->subject != NULL;
    a->refs = 1;
    a->listed = true;
    table_put(r->accounts, key, a);
    pthread_mutex_unlock(&r->lock);
    if (account_open(a, who, e))
        return a;
    account_destroy(a);
    return NULL;
}

struct mailbox_account *account_ref(struct mailbox_account *a)
{
    pthread_mutex_lock(&a->registry->lock);
    a->refs++;
    pthread_mutex_unlock(&a->registry->lock);
    return a;
}

/* `now_ms` 0: it was no use of the account. */
static void release(struct mailbox_account *a, int64_t now_ms)
{
    struct mailbox_registry *r = a->registry;
    pthread_mutex_lock(&r->lock);
    bool last = --a->refs == 0;
    bool orphan = last && !a->listed;
    if (now_ms)
        a->idle_since = now_ms;
    pthread_mutex_unlock(&r->lock);
    if (orphan)
        account_destroy(a);
}

void mailbox_account_release(struct mailbox_account **account)
{
    struct mailbox_account *a = *account;
    *account = NULL;
    if (a)
        release(a, clock_mono_ms());
}

void account_chores_done(struct mailbox_account *a, int64_t due_ms)
{
    pthread_mutex_lock(&a->registry->lock);
    a->chores_due_ms = due_ms;
    a->chores_running = false;
    pthread_mutex_unlock(&a->registry->lock);
    release(a, 0);
}

void account_check(struct mailbox_account *a)
{
    struct mailbox_registry *r = a->registry;
    if (store_db_usable(a->db))
        return;
    pthread_mutex_lock(&r->lock);
    if (a->listed)
        table_remove(r->accounts, a->key);
    a->listed = false;
    pthread_mutex_unlock(&r->lock);
}
