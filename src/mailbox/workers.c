#include "workers.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/base/thread.h"

#include <stdlib.h>

struct job {
    struct job *next;
    workers_fn *fn;
    void *arg;
};

struct worker {
    struct workers *pool;
    pthread_t thread;
    struct wait wait;
};

struct workers {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t work;
    struct job *first, **last;
    struct worker **threads;
    unsigned count, idle, max;
    atomic_bool stop;
};

struct workers *workers_new(unsigned max)
{
    struct workers *w = xcalloc(1, sizeof *w);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->work, NULL);
    w->last = &w->first;
    w->max = max;
    w->threads = xcalloc(max, sizeof *w->threads);
    atomic_init(&w->stop, false);
    return w;
}

static struct job *take(struct workers *w)
{
    struct job *job = w->first;
    w->first = job->next;
    if (!w->first)
        w->last = &w->first;
    return job;
}

static void *worker_main(void *arg)
{
    struct worker *self = arg;
    struct workers *w = self->pool;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        w->idle++;
        while (!w->first && !atomic_load(&w->stop))
            pthread_cond_wait(&w->work, &w->lock);
        w->idle--;
        if (!w->first)
            break;
        struct job *job = take(w);
        pthread_mutex_unlock(&w->lock);
        self->wait.background = true; /* the job before may have been waited for */
        job->fn(job->arg, &self->wait);
        free(job);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* One more thread, if it can be had. The lock is held. */
static bool grow(struct workers *w)
{
    struct error e = ERROR_INIT;
    struct worker *worker = xcalloc(1, sizeof *worker);
    worker->pool = w;
    if (!wait_init(&worker->wait, &e))
        goto failed;
    worker->wait.stop = &w->stop;
    worker->wait.background = true;
    if (!thread_start(&worker->thread, "sync", THREAD_STACK_WORKER, worker_main, worker, &e)) {
        wait_close(&worker->wait);
        goto failed;
    }
    w->threads[w->count++] = worker;
    return true;
failed:
    log_error_value(LOG_LEVEL_ERROR, &e, "cannot start a worker for first syncs");
    free(worker);
    return false;
}

static void push(struct workers *w, struct job *job, bool front)
{
    job->next = front ? w->first : NULL;
    if (front) {
        if (!w->first)
            w->last = &job->next;
        w->first = job;
    } else {
        *w->last = job;
        w->last = &job->next;
    }
}

/* Without any thread the job must still end, and tell its waiters. */
static void run_canceled(workers_fn *fn, void *arg)
{
    atomic_bool stop;
    atomic_init(&stop, true);
    struct wait wait = {.event_fd = -1, .client_fd = -1, .deadline_ms = INT64_MAX, .stop = &stop};
    fn(arg, &wait);
}

void workers_submit(struct workers *w, workers_fn *fn, void *arg, bool urgent)
{
    pthread_mutex_lock(&w->lock);
    bool stopped = atomic_load(&w->stop);
    if (!stopped && w->idle == 0 && w->count < w->max)
        grow(w);
    bool queued = !stopped && w->count > 0;
    if (queued) {
        struct job *job = xcalloc(1, sizeof *job);
        job->fn = fn;
        job->arg = arg;
        push(w, job, urgent);
        pthread_cond_signal(&w->work);
    }
    pthread_mutex_unlock(&w->lock);
    if (!queued)
        run_canceled(fn, arg);
}

void workers_promote(struct workers *w, void *arg)
{
    pthread_mutex_lock(&w->lock);
    for (struct job **at = &w->first; *at; at = &(*at)->next) {
        struct job *job = *at;
        if (job->arg != arg)
            continue;
        *at = job->next;
        if (w->last == &job->next)
            w->last = at;
        push(w, job, true);
        break;
    }
    pthread_mutex_unlock(&w->lock);
}

void workers_free(struct workers **w)
{
    struct workers *pool = *w;
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->stop, true);
    for (unsigned i = 0; i < pool->count; i++)
        wait_notify(&pool->threads[i]->wait);
    pthread_cond_broadcast(&pool->work);
    unsigned count = pool->count;
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < count; i++) {
        pthread_join(pool->threads[i]->thread, NULL);
        wait_close(&pool->threads[i]->wait);
        free(pool->threads[i]);
    }
    free(pool->threads);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    /* Only now: until its thread is joined a job may submit another through the same pointer. */
    *w = NULL;
}
