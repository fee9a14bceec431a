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
    return ok;
}

/* No later attempt would end otherwise: the right is missing, or this folder takes no property. */
static bool is_refusal(const struct error *e)
{
    return e->kind == ERROR_DENIED || e->kind == ERROR_REQUEST;
}

bool mark_divergence(struct mailbox_folder *f, bool read_only, bool marked, struct wait *w,
                     struct folder_commit *commit, struct error *e)
{
    uint32_t now = (uint32_t)(clock_wall_ms() / CLOCK_SECOND);
    uint32_t uidvalidity = mailbox_folder_uidvalidity(f);
    log_info("%s: the numbers of Exchange are missing or do not rise; it goes on with its own",
             f->path);
    if (!read_only && !f->mark_refused && patch(f, uidvalidity, STORE_UID_DIVERGED, w, e)) {
        commit->marked = true;
        return true;
    }
    if (!read_only && !f->mark_refused && !is_refusal(e))
        return error_prefix(e, "cannot mark %s before new UIDs are told: ", f->path);
    if (!read_only)
        f->mark_refused = true;
    error_clear(e);
    commit->marked = false;
    /* The folder still says "exact" for this UIDVALIDITY and we may not correct it. */
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
    if (row.marked || read_only || f->mark_refused)
        return;
    if (patch(f, row.uidvalidity, row.uid_mode, w, &e) && folder_commit_marked(f, &e))
        return;
    f->mark_refused = is_refusal(&e);
    log_error_value(LOG_LEVEL_DEBUG, &e, "%s is not marked; a loss of state renews its UIDs",
                    f->path);
}
