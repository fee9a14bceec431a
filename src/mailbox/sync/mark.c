/*
 * Our mark on a folder, "1;<uidvalidity>;exact|diverged": what a later Postern that has lost its
 * state may believe. It must never promise more than is true: "exact" is written after the UIDs
 * were committed, "diverged" before a UID of our own is told to anybody.
 */
#include "internal.h"

#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARK_MAX 40
/* A server that failed to take the mark is not asked again with every new message. */
#define MARK_AGAIN_MS ((int64_t)60 * 60 * CLOCK_SECOND)

bool mark_parse(const char *mark, uint32_t *uidvalidity, bool *exact)
{
    char mode[16];
    uint32_t value;
    int end = 0;
    *exact = false;
    if (!mark || sscanf(mark, "1;%" SCNu32 ";%15[a-z]%n", &value, mode, &end) != 2 ||
        mark[end] != '\0' || value == 0)
        return false;
    *uidvalidity = value;
    *exact = strcmp(mode, "exact") == 0;
    return *exact || strcmp(mode, "diverged") == 0;
}

static bool patch(struct mailbox_folder *f, uint32_t uidvalidity, enum store_uid_mode mode,
                  struct wait *w, struct error *e)
{
    char mark[MARK_MAX];
    snprintf(mark, sizeof mark, "1;%" PRIu32 ";%s", uidvalidity,
             mode == STORE_UID_EXACT ? "exact" : "diverged");
    struct graph_call *call =
        graph_folder_mark_start(f->account->user, as_of(f, w), f->graph_id, mark);
    bool ok = graph_call_wait(call, w, e);
    graph_call_free(&call);
    if (ok) {
        pthread_mutex_lock(&f->account->lock);
        f->marked_ms = clock_mono_ms();
        pthread_mutex_unlock(&f->account->lock);
    }
    return ok;
}

/* The mark is a help after a loss of state, never a reason to hold mail back. True: the failure is
 * the folder's, not the end of the wait. */
static bool note_failure(struct mailbox_folder *f, const struct error *e)
{
    bool refused = e->kind == ERROR_DENIED || e->kind == ERROR_REQUEST || e->kind == ERROR_GONE ||
                   e->kind == ERROR_FOLDER_GONE;
    if (e->kind == ERROR_CANCELED || e->kind == ERROR_TIMEOUT)
        return false;
    f->mark_not_before_ms = refused ? CLOCK_NEVER : clock_mono_ms() + MARK_AGAIN_MS;
    return true;
}

static bool may_mark(const struct mailbox_folder *f, bool read_only)
{
    return !read_only && clock_mono_ms() >= f->mark_not_before_ms;
}

bool mark_divergence(struct mailbox_folder *f, bool read_only, bool marked, struct wait *w,
                     struct folder_commit *commit, struct error *e)
{
    uint32_t now = (uint32_t)(clock_wall_ms() / CLOCK_SECOND);
    uint32_t uidvalidity = mailbox_folder_uidvalidity(f);
    log_info("%s: the numbers of Exchange are missing or do not rise; it goes on with its own",
             f->path);
    if (may_mark(f, read_only)) {
        commit->marked = patch(f, uidvalidity, STORE_UID_DIVERGED, w, e);
        if (commit->marked)
            return true;
        if (!note_failure(f, e))
            return error_prefix(e, "cannot mark %s before new UIDs are told: ", f->path);
        log_error_value(LOG_LEVEL_DEBUG, e, "%s cannot be marked", f->path);
    }
    error_clear(e);
    commit->marked = false;
    /* The folder still says "exact" for this UIDVALIDITY and we cannot correct it. */
    if (marked)
        commit->uidvalidity = uidvalidity >= now ? uidvalidity + 1 : now;
    return true;
}

void mark_folder(struct mailbox_folder *f, bool read_only, struct wait *w)
{
    struct error e = ERROR_INIT;
    struct store_folder row;
    pthread_mutex_lock(&f->writer);
    row = f->row;
    pthread_mutex_unlock(&f->writer);
    if (row.marked || !may_mark(f, read_only))
        return;
    if (patch(f, row.uidvalidity, row.uid_mode, w, &e) && folder_commit_marked(f, &e))
        return;
    note_failure(f, &e);
    log_error_value(LOG_LEVEL_DEBUG, &e, "%s is not marked; a loss of state renews its UIDs",
                    f->path);
}
