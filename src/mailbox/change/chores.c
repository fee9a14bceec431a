/*
 * What must be looked after in a mailbox when nobody asks: messages that a command had begun to
 * make and could not undo (a killed process, no network), and originals of messages that left their
 * folder. Runs on a worker, now and then for each account that is open.
 */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/store/original.h"

#include <stdlib.h>
#include <string.h>

#define INTERVAL_MS   ((int64_t)60 * CLOCK_SECOND)
#define ORIGINALS_MAX 50 /* asked for in one turn */
/* A message that lives on in a folder which nobody opens is asked for so often. */
#define LIVES_MS ((int64_t)24 * 60 * 60 * CLOCK_SECOND)
/* So long a write may still be done that was sent before a process died. */
#define LATE_MS ((int64_t)15 * 60 * CLOCK_SECOND)
/* What cannot be looked for is given up after this. */
#define GIVE_UP_MS ((int64_t)24 * 60 * 60 * CLOCK_SECOND)

/* A row of the journal, with strings of its own. */
struct leftover {
    struct store_making row;
    char *folder, *mark, *graph_id;
    struct leftover *next;
};

struct chores {
    struct mailbox_account *account;
    struct wait *wait;
    struct leftover *leftovers;
};

/* ---- messages that were being made ---- */

static bool keep_row(void *arg, const struct store_making *m)
{
    struct chores *c = arg;
    struct leftover *l = xcalloc(1, sizeof *l);
    l->row = *m;
    l->folder = xstrdup(m->folder);
    l->mark = xstrdup_null(m->mark);
    l->graph_id = xstrdup_null(m->graph_id);
    l->next = c->leftovers;
    c->leftovers = l;
    return true;
}

static void free_row(struct leftover *l)
{
    free(l->folder);
    free(l->mark);
    free(l->graph_id);
    free(l);
}

static bool is_never_old(void *arg, const char *id)
{
    (void)arg;
    (void)id;
    return false;
}

/* 1 and *id: it was made; 0: it was not; -1: that cannot be said now. */
static int find_made(struct chores *c, const struct leftover *l, char **id, struct error *e)
{
    if (l->mark)
        return find_new(c->account, l->folder, GRAPH_FIND_MARK, l->mark, is_never_old, NULL, id,
                        c->wait, e);
    error_set(e, ERROR_ANSWER, "its answer was lost, and nothing tells it from others");
    return -1;
}

static void settle(struct chores *c, const struct leftover *l)
{
    struct error e = ERROR_INIT;
    int64_t age = clock_wall_ms() - l->row.began_ms;
    char *found = NULL;
    int made = l->graph_id ? 1 : find_made(c, l, &found, &e);
    struct undo_item item = {.graph_id = l->graph_id ? l->graph_id : found, .making = l->row.key};
    bool ended = made == 0 && (age > LATE_MS || age < 0);
    /* Not found, and never to be: the folder is gone, or nothing tells it from others. */
    if (made < 0 && (e.kind == ERROR_FOLDER_GONE || e.kind == ERROR_ANSWER || age > GIVE_UP_MS)) {
        ended = true;
        if (e.kind != ERROR_FOLDER_GONE)
            log_error_value(LOG_LEVEL_WARNING, &e,
                            "a message may be left of an interrupted command");
    }
    /* Where removing it fails it is named next time: it is claimed now. */
    if (found && !store_making_known(c->account->db, l->row.key, found, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record what an interrupted command made");
    if (made == 1)
        log_info("a message of an interrupted command is removed");
    if (made == 1 || ended)
        undo_made(c->account, &item, 1, c->wait);
    free(found);
}

static void settle_makings(struct chores *c)
{
    struct error e = ERROR_INIT;
    if (!store_making_each(c->account->db, keep_row, c, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot read what an interrupted command left");
    while (c->leftovers) {
        struct leftover *l = c->leftovers;
        c->leftovers = l->next;
        if (!wait_ended(c->wait, &e))
            settle(c, l);
        free_row(l);
    }
}

/* ---- originals ---- */

/* Gone only if Graph says so of this message; anything else is no reason to drop it. */
static void look_after(struct chores *c, const char *id)
{
    struct error e = ERROR_INIT;
    struct store_db *db = c->account->db;
    struct graph_call *call = graph_identity_start(c->account->user, as_of(c, c->wait), id);
    bool lives = graph_call_wait(call, c->wait, &e);
    graph_call_free(&call);
    bool ok = true;
    if (!lives && e.kind == ERROR_GONE)
        ok = store_original_drop(db, id, &e);
    else if (lives)
        ok = store_original_lives(db, id, clock_wall_ms() + LIVES_MS, &e);
    if (!ok)
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot look after the original of a message");
}

static void look_after_originals(struct chores *c)
{
    char *ids[ORIGINALS_MAX];
    struct error e = ERROR_INIT;
    int count = store_original_due(c->account->db, clock_wall_ms(), ids, ORIGINALS_MAX, &e);
    if (count < 0)
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot look after the originals of messages");
    for (int i = 0; i < count; i++) {
        if (!wait_ended(c->wait, &e))
            look_after(c, ids[i]);
        free(ids[i]);
    }
}

static void run(void *arg, struct wait *w)
{
    struct mailbox_account *a = arg;
    struct chores c = {.account = a, .wait = w};
    log_set_mailbox(a->mailbox);
    w->background = true;
    settle_makings(&c);
    look_after_originals(&c);
    w->background = false;
    log_set_mailbox(NULL);
    account_chores_done(a, clock_mono_ms() + INTERVAL_MS);
}

void chores_start(struct mailbox_account *a)
{
    workers_submit(a->registry->workers, run, a, false);
}
