#include "disk.h"

#include "postern/base/alloc.h"
#include "postern/base/thread.h"

#include <stdlib.h>
#include <string.h>

struct job {
    struct job *next;
    disk_job_fn *run;
    void *arg;
    size_t len;
    char data[];
};

struct disk {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t pushed;
    struct job *first, *last;
    bool stopping;
};

static struct job *take(struct disk *d)
{
    pthread_mutex_lock(&d->lock);
    while (!d->first && !d->stopping)
        pthread_cond_wait(&d->pushed, &d->lock);
    struct job *j = d->first;
    if (j) {
        d->first = j->next;
        if (!d->first)
            d->last = NULL;
    }
    pthread_mutex_unlock(&d->lock);
    return j;
}

static void *work(void *arg)
{
    struct disk *d = arg;
    struct job *j;
    while ((j = take(d))) {
        j->run(j->arg, j->data, j->len);
        free(j);
    }
    return NULL;
}

struct disk *disk_start(struct error *e)
{
    struct disk *d = xcalloc(1, sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->pushed, NULL);
    if (thread_start(&d->thread, "disk", THREAD_STACK_WORKER, work, d, e))
        return d;
    pthread_cond_destroy(&d->pushed);
    pthread_mutex_destroy(&d->lock);
    free(d);
    return NULL;
}

void disk_push(struct disk *d, disk_job_fn *run, void *arg, const void *data, size_t len)
{
    struct job *j = xmalloc(sizeof *j + len);
    *j = (struct job){.run = run, .arg = arg, .len = len};
    if (len)
        memcpy(j->data, data, len);
    pthread_mutex_lock(&d->lock);
    if (d->last)
        d->last->next = j;
    else
        d->first = j;
    d->last = j;
    pthread_cond_signal(&d->pushed);
    pthread_mutex_unlock(&d->lock);
}

bool disk_is_worker(const struct disk *d)
{
    return pthread_equal(pthread_self(), d->thread);
}

void disk_stop(struct disk **disk)
{
    struct disk *d = *disk;
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    pthread_cond_signal(&d->pushed);
    pthread_mutex_unlock(&d->lock);
    pthread_join(d->thread, NULL);
    pthread_cond_destroy(&d->pushed);
    pthread_mutex_destroy(&d->lock);
    free(d);
    *disk = NULL;
}
