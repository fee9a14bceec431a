#include "poller.h"

#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mailbox/flags.h"

#include <stdlib.h>

#define POLL_THREADS_MAX 8
/* After a change more are likely: so many times sooner. */
#define LIVELY_FACTOR     3
#define INTERVAL_LEAST_MS CLOCK_SECOND
/* A poll that fails is tried again after twice the time, and so on up to this. */
#define INTERVAL_MOST_MS ((int64_t)5 * 60 * CLOCK_SECOND)
/* One poll may take so long, then the next folder has its turn. */
#define PATIENCE_MS ((int64_t)30 * CLOCK_SECOND)
/* The clock that calls poller_tick() is so coarse: half of it keeps the interval on average. */
#define TICK_MS CLOCK_SECOND

struct watched {
    struct mailbox_folder *folder; /* holds a reference to its account */
    unsigned watchers;
    bool may_write;
    bool busy;             /* being polled, or about to be */
    uint64_t modseq;       /* after the last poll */
    bool lively;           /* the last poll brought a change */
    unsigned failures;     /* in a row */
    int64_t not_before_ms; /* monotonic */
};

struct poller {
    struct workers *workers;
    pthread_mutex_t lock; /* guards the rest; inside it account->lock may be taken */
    int64_t interval_ms;
    struct watched **items;
    size_t count, cap;
};

struct poller *poller_new(int64_t interval_ms)
{
    struct poller *p = xcalloc(1, sizeof *p);
    p->workers = workers_new(POLL_THREADS_MAX);
    pthread_mutex_init(&p->lock, NULL);
    p->interval_ms = interval_ms;
    return p;
}

void poller_free(struct poller **poller)
{
    struct poller *p = *poller;
    *poller = NULL;
    if (!p)
        return;
    workers_free(&p->workers);
    pthread_mutex_destroy(&p->lock);
    free(p->items);
    free(p);
}

void poller_set_interval(struct poller *p, int64_t interval_ms)
{
    pthread_mutex_lock(&p->lock);
    p->interval_ms = interval_ms;
    pthread_mutex_unlock(&p->lock);
}

int64_t poller_interval(struct poller *p)
{
    pthread_mutex_lock(&p->lock);
    int64_t interval = p->interval_ms;
    pthread_mutex_unlock(&p->lock);
    return interval;
}

static struct watched **find(struct poller *p, const struct mailbox_folder *f)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i]->folder == f)
            return &p->items[i];
    return NULL;
}

/* Nobody watches it and no poll of it runs: takes it out. True: the caller lets go of its account,
 * without the lock. */
static bool drop(struct poller *p, struct watched **slot)
{
    struct watched *item = *slot;
    if (item->watchers || item->busy)
        return false;
    *slot = p->items[--p->count];
    free(item);
    return true;
}

void poller_watch(struct poller *p, struct mailbox_folder *f, bool read_only)
{
    pthread_mutex_lock(&p->lock);
    struct watched **slot = find(p, f), *item = slot ? *slot : NULL;
    if (!item) {
        account_ref(f->account);
        item = xcalloc(1, sizeof *item);
        item->folder = f;
        item->modseq = mailbox_folder_modseq(f);
        if (p->count == p->cap) {
            p->cap = p->cap ? p->cap * 2 : 16;
            p->items = xreallocarray(p->items, p->cap, sizeof(struct watched *));
        }
        p->items[p->count++] = item;
    }
    item->watchers++;
    item->may_write = item->may_write || !read_only;
    pthread_mutex_unlock(&p->lock);
}

void poller_unwatch(struct poller *p, struct mailbox_folder *f)
{
    pthread_mutex_lock(&p->lock);
    struct watched **slot = find(p, f);
    (*slot)->watchers--;
    bool last = drop(p, slot);
    pthread_mutex_unlock(&p->lock);
    if (last)
        mailbox_folder_release(&f);
}

/* The lock is held. */
static int64_t gap_of(const struct poller *p, const struct watched *item)
{
    int64_t gap = item->lively ? p->interval_ms / LIVELY_FACTOR : p->interval_ms;
    return gap > INTERVAL_LEAST_MS ? gap : INTERVAL_LEAST_MS;
}

static bool is_due(const struct poller *p, const struct watched *item, int64_t now)
{
    int64_t last = sync_last_round(item->folder);
    int64_t due = last ? last + gap_of(p, item) : now;
    if (due < item->not_before_ms)
        due = item->not_before_ms;
    return !item->busy && item->watchers && due <= now + TICK_MS / 2;
}

static bool is_polled(const struct poller *p, const struct mailbox_account *a)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->items[i]->busy && p->items[i]->folder->account == a)
            return true;
    return false;
}

static void poll_folder(struct watched *item, bool read_only, struct wait *w, struct error *e)
{
    struct mailbox_folder *f = item->folder;
    w->background = false; /* clients wait for it */
    w->deadline_ms = clock_mono_ms() + PATIENCE_MS;
    log_set_mailbox(f->account->mailbox);
    if (!sync_poll(f, read_only, w, e) && e->kind != ERROR_CANCELED)
        log_error_value(item->failures ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, e, "cannot poll %s",
                        f->path);
    log_set_mailbox(NULL);
    w->deadline_ms = CLOCK_NEVER;
}

/* When it is polled again; the lock is held. */
static void plan(struct poller *p, struct watched *item, int64_t began, const struct error *e)
{
    int64_t now = clock_mono_ms(), wait = p->interval_ms;
    uint64_t modseq = mailbox_folder_modseq(item->folder);
    item->lively = modseq != item->modseq;
    item->modseq = modseq;
    item->failures = e->kind == ERROR_NONE ? 0 : item->failures + 1;
    for (unsigned i = 0; i < item->failures && wait < INTERVAL_MOST_MS; i++)
        wait *= 2;
    if (item->failures && wait > INTERVAL_MOST_MS)
        wait = INTERVAL_MOST_MS;
    /* One that was held up, by a pause of the mailbox perhaps, is not followed closely. */
    bool slow = now - began > p->interval_ms / 2;
    item->not_before_ms = item->failures || slow ? now + wait : began + gap_of(p, item);
}

struct poll_job {
    struct poller *poller;
    struct watched *item;
};

/* The next of the account that is due, taken; NULL: none. The lock is held. */
static struct watched *take_due(struct poller *p, const struct mailbox_account *a, int64_t now)
{
    for (size_t i = 0; i < p->count; i++) {
        struct watched *item = p->items[i];
        if (item->folder->account != a || !is_due(p, item, now))
            continue;
        item->busy = true;
        return item;
    }
    return NULL;
}

/* Polls the folders of one account that are due, one after the other. */
static void run_job(void *arg, struct wait *w)
{
    struct poll_job *job = arg;
    struct poller *p = job->poller;
    struct watched *item = job->item;
    free(job);
    while (item) {
        struct error e = ERROR_INIT;
        struct mailbox_folder *f = item->folder;
        struct mailbox_account *a = account_ref(f->account);
        int64_t began = clock_mono_ms();
        pthread_mutex_lock(&p->lock);
        bool read_only = !item->may_write;
        pthread_mutex_unlock(&p->lock);
        poll_folder(item, read_only, w, &e);
        pthread_mutex_lock(&p->lock);
        plan(p, item, began, &e);
        item->busy = false;
        bool last = drop(p, find(p, f));
        item = e.kind == ERROR_CANCELED ? NULL : take_due(p, a, clock_mono_ms());
        pthread_mutex_unlock(&p->lock);
        if (last)
            mailbox_folder_release(&f);
        mailbox_account_release(&a);
    }
}

void poller_tick(struct poller *p)
{
    int64_t now = clock_mono_ms();
    size_t n = 0;
    pthread_mutex_lock(&p->lock);
    struct poll_job **jobs = xcalloc(p->count + 1, sizeof(struct poll_job *));
    for (size_t i = 0; i < p->count; i++) {
        struct watched *item = p->items[i];
        if (!is_due(p, item, now) || is_polled(p, item->folder->account))
            continue;
        item->busy = true;
        jobs[n] = xmalloc(sizeof *jobs[n]);
        *jobs[n++] = (struct poll_job){.poller = p, .item = item};
    }
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < n; i++)
        workers_submit(p->workers, run_job, jobs[i], false);
    free(jobs);
}

void mailbox_watch(struct mailbox_folder *f, bool read_only, struct wait *w)
{
    struct mailbox_account *a = f->account;
    pthread_mutex_lock(&a->lock);
    wait_list_add(&f->watchers, w);
    pthread_mutex_unlock(&a->lock);
    poller_watch(a->registry->poller, f, read_only);
}

void mailbox_unwatch(struct mailbox_folder *f, struct wait *w)
{
    struct mailbox_account *a = f->account;
    pthread_mutex_lock(&a->lock);
    wait_list_remove(&f->watchers, w);
    pthread_mutex_unlock(&a->lock);
    poller_unwatch(a->registry->poller, f);
}

bool mailbox_folder_refresh(struct mailbox_folder *f, bool read_only, struct wait *w,
                            struct error *e)
{
    int64_t last = sync_last_round(f);
    if (last && clock_mono_ms() - last < poller_interval(f->account->registry->poller))
        return true;
    return mailbox_folder_sync(f, read_only, w, e);
}
