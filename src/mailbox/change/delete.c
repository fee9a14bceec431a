/*
 * Deleting messages: four always in flight, to the end, each settled by what Graph said. Nothing
 * is destroyed that was not named: delete means move, except in Deleted Items.
 */
#include "abreast.h"
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/graph/write.h"

#include <stdlib.h>
#include <string.h>

/* A write whose answer was lost and which was not done is repeated so often. */
#define REPEATS_MAX 2
/* What DELETE and permanentDelete answer when they are done. */
#define DELETED_STATUS 204

#define DELETED_ITEMS     "deleteditems"
#define RECOVERABLE_ITEMS "recoverableitemsdeletions"

enum way { WAY_TRASH, WAY_RECOVERABLE, WAY_PURGE, WAY_DELETE };

/* One message on its way out. */
struct removal {
    char *graph_id; /* NULL: not begun, or settled */
    bool looking;   /* the call asks where it is */
    bool marked;    /* it bears \Deleted */
    bool unmarking; /* it is gone from the folder; the call takes \Deleted off */
    unsigned repeats;
};

struct batch {
    struct mailbox_folder *folder;
    enum way way;
    bool marked; /* all of them bear \Deleted, whatever the view says */
    struct wait *wait;
    const uint32_t *uids;
    struct removal *items; /* one for each UID */
    struct mailbox_delete_result *result;
    struct error *error;
    uint32_t *gone; /* to be retired in the next transaction */
    size_t gone_count;
};

static void fail(struct batch *b, const struct error *e)
{
    if (b->result->failed++ == 0)
        *b->error = *e;
}

static struct graph_call *send_write(struct batch *b, struct removal *r)
{
    struct graph_user *u = b->folder->account->user;
    struct graph_as as = as_of(b, b->wait);
    r->looking = false;
    switch (b->way) {
    case WAY_TRASH:
        return graph_move_start(u, as, r->graph_id, DELETED_ITEMS);
    case WAY_RECOVERABLE:
        return graph_move_start(u, as, r->graph_id, RECOVERABLE_ITEMS);
    case WAY_PURGE:
        return graph_purge_start(u, as, r->graph_id);
    case WAY_DELETE:
        break;
    }
    return graph_delete_start(u, as, r->graph_id);
}

/* 1: it left the folder; 0: it is still there; -1: `e` says what failed. */
static int where_is_it(struct batch *b, struct graph_call *call, struct error *e)
{
    struct arena *a = arena_new();
    struct graph_message m;
    int left = -1;
    if (graph_message_decode(call, a, &m, e)) {
        if (m.has & GRAPH_HAS_PARENT)
            left = strcmp(m.parent_folder_id, b->folder->graph_id) != 0;
        else
            error_set(e, ERROR_ANSWER, "Graph does not say where the message is now");
    }
    arena_free(&a);
    return left;
}

/* What the ended write says. 1 done, 0 look where the message is, -1 failed. */
static int judge_write(struct batch *b, struct graph_call *call, struct error *e)
{
    bool moves = b->way == WAY_TRASH || b->way == WAY_RECOVERABLE;
    if (!graph_call_outcome(call, e)) {
        /* 404 is also what a move says whose destination is missing, and permanentDelete where
         * that does not exist. */
        if (e->kind == ERROR_GONE)
            return b->way == WAY_DELETE ? 1 : 0;
        return e->kind == ERROR_UNKNOWN_WRITE ? 0 : -1;
    }
    /* Any other success is somebody else's, a proxy's perhaps. */
    if (!moves)
        return graph_call_status(call) == DELETED_STATUS ? 1 : 0;
    int left = where_is_it(b, call, e);
    if (left == 0)
        error_set(e, ERROR_ANSWER, "Graph answered a move that left the message where it was");
    /* An answer that cannot be read is as good as lost. */
    return left > 0 ? 1 : left < 0 ? 0 : -1;
}

/* 1 done, 0 not done: write again, -1 failed. */
static int judge_look(struct batch *b, const struct removal *r, struct graph_call *call,
                      struct error *e)
{
    if (!graph_call_outcome(call, e))
        return e->kind == ERROR_GONE ? 1 : -1;
    int left = where_is_it(b, call, e);
    if (left == 0 && r->repeats >= REPEATS_MAX) {
        error_set(e, ERROR_TEMPORARY,
                  "a message is still there after %u attempts to delete it; try again later, or "
                  "choose another `expunge` for the login",
                  r->repeats + 1);
        return -1;
    }
    return left;
}

static void settled(struct removal *r)
{
    free(r->graph_id);
    r->graph_id = NULL;
}

/* \Deleted does not follow a message into Deleted Items: the next EXPUNGE or CLOSE there would
 * destroy for good what its user only threw away. */
static struct graph_call *unmark(struct batch *b, struct removal *r)
{
    const struct graph_update off = {.has = GRAPH_HAS_IMAP_DELETED};
    r->unmarking = true;
    return graph_update_start(b->folder->account->user, as_of(b, b->wait), r->graph_id, &off);
}

/* The delete stands whatever came of this; a message that is gone has no mark either. */
static void judge_unmark(struct batch *b, struct graph_call *call)
{
    struct error e = ERROR_INIT;
    if (!graph_call_outcome(call, &e) && e.kind != ERROR_GONE)
        log_error_value(LOG_LEVEL_WARNING, &e,
                        "a message deleted from %s still bears \\Deleted in Deleted Items",
                        b->folder->path);
}

static struct graph_call *next_call(void *arg, size_t index, struct graph_call *ended)
{
    struct batch *b = arg;
    struct removal *r = &b->items[index];
    struct error e = ERROR_INIT;
    if (r->unmarking) {
        judge_unmark(b, ended);
        settled(r);
        return NULL;
    }
    int verdict = r->looking ? judge_look(b, r, ended, &e) : judge_write(b, ended, &e);
    if (verdict == 0 && r->looking) {
        r->repeats++;
        return send_write(b, r);
    }
    if (verdict == 0) {
        r->looking = true;
        return graph_message_start(b->folder->account->user, as_of(b, b->wait), r->graph_id);
    }
    if (verdict > 0)
        b->gone[b->gone_count++] = b->uids[index];
    else
        fail(b, &e);
    if (verdict > 0 && r->marked && b->way == WAY_TRASH)
        return unmark(b, r);
    settled(r);
    return NULL;
}

static bool bears_deleted(struct mailbox_folder *f, uint32_t uid)
{
    struct mailbox_view *view = mailbox_folder_view(f);
    const struct mailbox_entry *entry = view ? mailbox_view_find(view, uid, NULL) : NULL;
    bool bears = entry && (entry->flags & MAILBOX_DELETED);
    mailbox_view_unref(&view);
    return bears;
}

static struct graph_call *start(void *arg, size_t index)
{
    struct batch *b = arg;
    struct removal *r = &b->items[index];
    struct mailbox_folder *f = b->folder;
    struct error e = ERROR_INIT;
    r->marked = b->marked || bears_deleted(f, b->uids[index]);
    int found = store_message_id_by_uid(f->account->db, f->key, b->uids[index], &r->graph_id, &e);
    if (found == 0)
        b->result->deleted++; /* somebody else was faster */
    if (found < 0)
        fail(b, &e);
    return found == 1 ? send_write(b, r) : NULL;
}

/* Commits what Graph has confirmed. */
static void retire(void *arg)
{
    struct batch *b = arg;
    struct error e = ERROR_INIT;
    if (b->gone_count == 0)
        return;
    b->result->deleted += b->gone_count;
    /* Not failed: it is deleted, and the next round will find that out again. */
    if (!folder_retire(b->folder, b->gone, b->gone_count, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record deletes in %s", b->folder->path);
    b->gone_count = 0;
}

static void abandon(void *arg, size_t index, const struct error *e)
{
    struct batch *b = arg;
    bool deleted = b->items[index].unmarking;
    settled(&b->items[index]);
    if (!deleted)
        fail(b, e);
}

static void run(struct batch *b, size_t count)
{
    static const struct abreast removing = {
        .start = start, .next = next_call, .wave = retire, .abandon = abandon};
    b->items = xcalloc(count, sizeof *b->items);
    b->gone = xcalloc(count, sizeof *b->gone);
    abreast_run(&removing, b, count, b->wait);
    free(b->items);
    free(b->gone);
}

/* In Deleted Items, delete means delete. */
static bool choose_way(struct mailbox_folder *f, enum config_expunge how, enum way *way,
                       struct wait *w, struct error *e)
{
    static const enum way ways[] = {[EXPUNGE_DELETED_ITEMS] = WAY_TRASH,
                                    [EXPUNGE_RECOVERABLE] = WAY_RECOVERABLE,
                                    [EXPUNGE_PERMANENT] = WAY_PURGE};
    *way = ways[how];
    /* The inbox is known not to be it without asking. */
    if (how != EXPUNGE_DELETED_ITEMS || tree_is_inbox(f))
        return true;
    char *trash = tree_well_known(f->account, DELETED_ITEMS, w, e);
    if (!trash)
        return false;
    if (strcmp(trash, f->graph_id) == 0)
        *way = WAY_DELETE;
    free(trash);
    return true;
}

bool delete_named(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                  enum config_expunge how, bool marked, struct wait *w,
                  struct mailbox_delete_result *result, struct error *e)
{
    struct batch b = {
        .folder = f, .marked = marked, .wait = w, .uids = uids, .result = result, .error = e};
    if (count == 0)
        return true;
    if (!choose_way(f, how, &b.way, w, e)) {
        result->failed += count;
        return false;
    }
    run(&b, count);
    return result->failed == 0;
}

bool mailbox_delete(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                    enum config_expunge how, struct wait *w, struct mailbox_delete_result *result,
                    struct error *e)
{
    memset(result, 0, sizeof *result);
    if (count == 0)
        return true;
    if (!mailbox_folder_sync(f, false, w, e)) {
        result->failed = count;
        return false;
    }
    return delete_named(f, uids, count, how, false, w, result, e);
}
