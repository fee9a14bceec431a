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
/* What is found by its Message-ID alone is not taken for ours after this. */
#define DRAFT_MS ((int64_t)24 * 60 * 60 * CLOCK_SECOND)

/* A row of the journal, with strings of its own. */
struct leftover {
    struct store_making row;
    char *folder, *value, *known, *graph_id;
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
    l->value = xstrdup(m->value);
    l->known = xstrdup(m->known);
    l->graph_id = xstrdup_null(m->graph_id);
    l->next = c->leftovers;
    c->leftovers = l;
    return true;
}

static void free_row(struct leftover *l)
{
    free(l->folder);
    free(l->value);
    free(l->known);
    free(l->graph_id);
    free(l);
}

struct old_ones {
    struct chores *chores;
    const struct leftover *row;
    int64_t folder; /* key of the target, 0: not known */
};

static bool is_never_old(void *arg, const char *id)
{
    (void)arg;
    (void)id;
    return false;
}

/* In the list of ids, each with a space behind it. */
static bool was_listed(void *arg, const char *id)
{
    const struct old_ones *o = arg;
    size_t len = strlen(id);
    for (const char *p = o->row->known; *p; p += strcspn(p, " "), p += *p == ' ')
        if (strncmp(p, id, len) == 0 && p[len] == ' ')
            return true;
    return false;
}

/* In the target before the copy began, or the source itself, which was moved there since. */
static bool was_there(void *arg, const char *id)
{
    const struct old_ones *o = arg;
    return strcmp(id, o->row->value) == 0 ||
           find_was_there(o->chores->account, o->folder, (uint32_t)strtoul(o->row->known, NULL, 10),
                          id);
}

static char *message_id_of(struct chores *c, const char *id, struct error *e)
{
    struct arena *a = arena_new();
    struct graph_message m = {0};
    struct graph_call *call = graph_identity_start(c->account->user, as_of(c, c->wait), id);
    bool ok = graph_call_wait(call, c->wait, e) && graph_message_decode(call, a, &m, e);
    char *message_id = ok ? xstrdup_null(m.message_id) : NULL;
    graph_call_free(&call);
    arena_free(&a);
    return message_id;
}

static int find_copy(struct chores *c, const struct leftover *l, char **id, struct error *e)
{
    struct old_ones old = {.chores = c, .row = l};
    struct store_folder folder;
    int found = store_folder_find(c->account->db, l->folder, &folder, e);
    old.folder = folder.key;
    store_folder_free(&folder);
    if (found != 1)
        return found;
    char *message_id = message_id_of(c, l->value, e);
    if (!message_id)
        return e->kind == ERROR_NONE || e->kind == ERROR_GONE ? 0 : -1;
    found = -1;
    if (copies_begin_looking(c->account, c->wait, e)) {
        found = find_new(c->account, l->folder, GRAPH_FIND_MESSAGE_ID, message_id, was_there, &old,
                         id, c->wait, e);
        if (found == 1)
            copies_made(c->account, *id);
        copies_end_looking(c->account);
    }
    free(message_id);
    return found;
}

/* 1 and *id: it was made; 0: it was not; -1: that cannot be said now. */
static int find_made(struct chores *c, const struct leftover *l, int64_t age_ms, char **id,
                     struct error *e)
{
    struct old_ones old = {.chores = c, .row = l};
    if (l->row.by == STORE_BY_MARK)
        return find_new(c->account, l->folder, GRAPH_FIND_MARK, l->value, is_never_old, NULL, id,
                        c->wait, e);
    if (l->row.by == STORE_BY_MESSAGE_ID)
        return age_ms > DRAFT_MS ? 0
                                 : find_new(c->account, l->folder, GRAPH_FIND_MESSAGE_ID, l->value,
                                            was_listed, &old, id, c->wait, e);
    return age_ms > LATE_MS ? 0 : find_copy(c, l, id, e);
}

static void settle(struct chores *c, const struct leftover *l)
{
    struct error e = ERROR_INIT;
    int64_t age = clock_wall_ms() - l->row.began_ms;
    char *found = NULL;
    int made = l->graph_id ? 1 : find_made(c, l, age, &found, &e);
    struct undo_item item = {.graph_id = l->graph_id ? l->graph_id : found,
                             .making = l->row.key,
                             .likely = !l->graph_id && l->row.by != STORE_BY_MARK};
    bool ended = made == 0 && (age > LATE_MS || age < 0);
    /* Not found, and never to be: the folder is gone, or nothing tells it from others. */
    if (made < 0 && (e.kind == ERROR_FOLDER_GONE || e.kind == ERROR_ANSWER || age > DRAFT_MS)) {
        ended = true;
        if (e.kind != ERROR_FOLDER_GONE)
            log_error_value(LOG_LEVEL_WARNING, &e,
                            "a message may be left of an interrupted command");
    }
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
        if (!wait_ended(c->wait, &e)) {
            copies_join(c->account);
            settle(c, l);
            copies_leave(c->account);
        }
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
