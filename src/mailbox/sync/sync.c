/*
 * Who syncs when: a round is led by one of those who ask for it, the others wait; a full sync
 * runs on a worker and everybody waits.
 *
 * A round may be shared only by those who asked before its request was sent: what arrived before
 * a client asked must be seen. So there are at most two: the one under way, and the next, which
 * everybody joins who asks meanwhile.
 */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All guarded by account->lock. */
struct sync_flight {
    unsigned refs;
    bool led; /* somebody has sent, or is about to send, its request */
    bool done, ok;
    struct error error;
    struct wait_list waiters;
};

struct sync_job {
    struct mailbox_folder *folder;
    bool read_only;
    unsigned refs; /* the worker and those who wait */
    size_t seen;
    bool done, ok;
    struct error error;
    struct wait_list waiters;
};

/* Whoever waits for the next round may lead it now. */
static void move_up(struct mailbox_folder *f)
{
    f->flight = f->next;
    f->next = NULL;
    if (f->flight)
        wait_list_notify_all(&f->flight->waiters);
}

static void flight_leave(struct mailbox_folder *f, struct sync_flight *flight)
{
    if (--flight->refs > 0)
        return;
    if (f->flight == flight)
        move_up(f);
    else if (f->next == flight)
        f->next = NULL;
    wait_list_free(&flight->waiters);
    free(flight);
}

/* Runs the round; the lock is held on entry and on return. A leader whose own wait has ended
 * leaves the round to another who waits for it. */
static void lead(struct mailbox_folder *f, struct sync_flight *flight, bool read_only,
                 struct wait *w)
{
    struct mailbox_account *a = f->account;
    struct error e = ERROR_INIT, own = ERROR_INIT;
    int64_t before = f->round_began_ms;
    f->round_began_ms = clock_mono_ms();
    flight->led = true;
    /* The round before found that the link is dead: this one must not run beside the full sync. */
    bool dead = f->needs_full;
    pthread_mutex_unlock(&a->lock);
    bool ok = dead ? error_set(&e, ERROR_RESYNC, "%s must be read anew", f->path)
                   : sync_round(f, read_only, w, &e);
    bool left = !ok && wait_ended(w, &own);
    if (e.kind == ERROR_FOLDER_GONE || e.kind == ERROR_GONE) {
        tree_forget(f);
        error_turn(&e, ERROR_FOLDER_GONE);
    }
    pthread_mutex_lock(&a->lock);
    flight->led = !left;
    if (!ok)
        f->round_began_ms = before;
    if (!left) {
        flight->done = true;
        flight->ok = ok;
        flight->error = e;
        if (e.kind == ERROR_RESYNC)
            f->needs_full = true;
        move_up(f);
    }
    wait_list_notify_all(&flight->waiters);
}

/* Sleeps without the lock, registered with the list. */
static bool sleep_on(struct mailbox_account *a, struct wait_list *list, struct wait *w,
                     struct error *e)
{
    wait_list_add(list, w);
    pthread_mutex_unlock(&a->lock);
    bool ok = wait_sleep(w, e);
    pthread_mutex_lock(&a->lock);
    wait_list_remove(list, w);
    return ok;
}

static bool join_round(struct mailbox_folder *f, bool read_only, struct wait *w, struct error *e)
{
    struct mailbox_account *a = f->account;
    bool ok = true;
    pthread_mutex_lock(&a->lock);
    struct sync_flight **slot = f->flight && f->flight->led ? &f->next : &f->flight;
    if (!*slot)
        *slot = xcalloc(1, sizeof **slot);
    struct sync_flight *flight = *slot;
    flight->refs++;
    while (ok && !flight->done) {
        if (f->flight == flight && !flight->led) {
            lead(f, flight, read_only, w);
            ok = flight->done || !wait_ended(w, e);
        } else {
            ok = sleep_on(a, &flight->waiters, w, e);
        }
    }
    if (ok && !flight->ok)
        *e = flight->error;
    ok = ok && flight->ok;
    flight_leave(f, flight);
    pthread_mutex_unlock(&a->lock);
    return ok;
}

static void job_leave(struct sync_job *job)
{
    if (--job->refs > 0)
        return;
    wait_list_free(&job->waiters);
    free(job);
}

struct job_run {
    struct sync_job *job;
    struct wait *wait;
};

static void job_progress(void *arg, size_t seen)
{
    struct job_run *run = arg;
    struct mailbox_account *a = run->job->folder->account;
    pthread_mutex_lock(&a->lock);
    run->job->seen = seen;
    run->wait->background = run->job->refs < 2;
    pthread_mutex_unlock(&a->lock);
}

static void run_job(void *arg, struct wait *w)
{
    struct sync_job *job = arg;
    struct mailbox_folder *f = job->folder;
    struct mailbox_account *a = f->account;
    struct job_run run = {.job = job, .wait = w};
    struct error e = ERROR_INIT;
    int64_t began = clock_mono_ms();
    log_set_mailbox(a->mailbox);
    job_progress(&run, 0);
    bool ok = !wait_ended(w, &e) && sync_full(f, job->read_only, job_progress, &run, w, &e);
    if (!ok && e.kind != ERROR_CANCELED)
        log_error_value(LOG_LEVEL_WARNING, &e, "reading %s is interrupted", f->path);
    if (e.kind == ERROR_FOLDER_GONE)
        tree_forget(f);
    pthread_mutex_lock(&a->lock);
    job->done = true;
    job->ok = ok;
    job->error = e;
    f->job = NULL;
    if (ok)
        f->round_began_ms = began;
    f->needs_full = !ok || f->no_delta;
    wait_list_notify_all(&job->waiters);
    job_leave(job);
    pthread_mutex_unlock(&a->lock);
    log_set_mailbox(NULL);
    mailbox_folder_release(&f);
}

/* The folder's job, with a reference for the caller; the lock is held. */
static struct sync_job *job_get(struct mailbox_folder *f, bool read_only, bool *mine)
{
    *mine = !f->job;
    if (*mine) {
        f->job = xcalloc(1, sizeof *f->job);
        f->job->folder = f;
        f->job->read_only = read_only;
        f->job->refs = 1;
    }
    f->job->refs++;
    return f->job;
}

static void job_push(struct mailbox_folder *f, struct sync_job *job, bool mine, bool urgent)
{
    struct workers *workers = f->account->registry->workers;
    if (mine) {
        account_ref(f->account);
        workers_submit(workers, run_job, job, urgent);
    } else if (urgent) {
        workers_promote(workers, job);
    }
}

/* 12500 → "12,500" */
static void put_number(char out[32], int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRId64, n), at = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

static void tell_progress(const struct mailbox_folder *f, size_t seen, struct error *e)
{
    char have[32], all[32];
    put_number(have, (int64_t)seen);
    put_number(all, f->expected);
    if (f->expected > 0)
        error_set(e, ERROR_TIMEOUT,
                  "%s is being read whole: %s of about %s messages; try again later", f->path, have,
                  all);
    else
        error_set(e, ERROR_TIMEOUT, "%s is being read whole: %s messages so far; try again later",
                  f->path, have);
}

/* *fresh: the job began after the caller asked, so what it read is the present. */
static bool join_full(struct mailbox_folder *f, bool read_only, struct wait *w, bool *fresh,
                      struct error *e)
{
    struct mailbox_account *a = f->account;
    bool ok = true;
    pthread_mutex_lock(&a->lock);
    struct sync_job *job = job_get(f, read_only, fresh);
    pthread_mutex_unlock(&a->lock);
    job_push(f, job, *fresh, true);
    pthread_mutex_lock(&a->lock);
    while (ok && !job->done)
        ok = sleep_on(a, &job->waiters, w, e);
    if (!ok && e->kind == ERROR_TIMEOUT)
        tell_progress(f, job->seen, e);
    if (ok && !job->ok)
        *e = job->error;
    ok = ok && job->ok;
    job_leave(job);
    pthread_mutex_unlock(&a->lock);
    return ok;
}

static bool needs_full(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->account->lock);
    bool needs = f->needs_full;
    pthread_mutex_unlock(&f->account->lock);
    return needs;
}

void sync_warm(struct mailbox_folder *f, bool read_only)
{
    struct mailbox_account *a = f->account;
    bool mine = false;
    struct sync_job *job = NULL;
    pthread_mutex_lock(&a->lock);
    if (f->needs_full && !f->job)
        job = job_get(f, read_only, &mine);
    pthread_mutex_unlock(&a->lock);
    if (!job)
        return;
    job_push(f, job, mine, false);
    pthread_mutex_lock(&a->lock);
    job_leave(job);
    pthread_mutex_unlock(&a->lock);
}

bool sync_poll(struct mailbox_folder *f, bool read_only, struct wait *w, struct error *e)
{
    if (!needs_full(f) && join_round(f, read_only, w, e))
        return true;
    if (e->kind != ERROR_NONE && e->kind != ERROR_RESYNC)
        return false;
    error_clear(e);
    sync_warm(f, read_only);
    return true;
}

int64_t sync_last_round(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->account->lock);
    int64_t began = f->round_began_ms;
    pthread_mutex_unlock(&f->account->lock);
    return began;
}

void sync_mark_stale(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->account->lock);
    f->round_began_ms = 0;
    pthread_mutex_unlock(&f->account->lock);
}

bool mailbox_folder_sync(struct mailbox_folder *f, bool read_only, struct wait *w, struct error *e)
{
    /* `later`: whatever is joined now began after this call. */
    for (bool later = false;; later = true) {
        if (needs_full(f)) {
            bool fresh;
            if (!join_full(f, read_only, w, &fresh, e))
                return false;
            if (fresh || later)
                return true;
            continue; /* a round, or one more listing where there is no delta, tells the rest */
        }
        if (join_round(f, read_only, w, e))
            return true;
        if (e->kind != ERROR_RESYNC)
            return false;
        error_clear(e);
    }
}
