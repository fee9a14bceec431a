/*
 * Deleting messages: four always in flight, to the end, each settled by what Graph said. Nothing
 * is destroyed that was not named: delete means move, except in Deleted Items.
 */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

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
    struct graph_call *call;
    char *graph_id;
    uint32_t uid;
    bool looking; /* the call asks where it is */
    unsigned repeats;
};

struct batch {
    struct mailbox_folder *folder;
    enum way way;
    struct wait *wait;
    struct removal slots[ABREAST];
    size_t open;
    const uint32_t *uids;
    size_t count, next;
    struct mailbox_delete_result *result;
    struct error *error;
    uint32_t gone[ABREAST]; /* to be retired in the next transaction */
    size_t gone_count;
};

static void fail(struct batch *b, const struct error *e)
{
    if (b->result->failed++ == 0)
        *b->error = *e;
}

static void send_write(struct batch *b, struct removal *r)
{
    struct graph_user *u = b->folder->account->user;
    struct graph_as as = as_of(b, b->wait);
    r->looking = false;
    switch (b->way) {
    case WAY_TRASH:
        r->call = graph_move_start(u, as, r->graph_id, DELETED_ITEMS);
        break;
    case WAY_RECOVERABLE:
        r->call = graph_move_start(u, as, r->graph_id, RECOVERABLE_ITEMS);
        break;
    case WAY_PURGE:
        r->call = graph_purge_start(u, as, r->graph_id);
        break;
    case WAY_DELETE:
        r->call = graph_delete_start(u, as, r->graph_id);
        break;
    }
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
static int judge_write(struct batch *b, struct removal *r, struct error *e)
{
    bool moves = b->way == WAY_TRASH || b->way == WAY_RECOVERABLE;
    if (!graph_call_outcome(r->call, e)) {
        /* A move also answers 404 when it is the destination that is missing. */
        if (e->kind == ERROR_GONE)
            return moves ? 0 : 1;
        return e->kind == ERROR_UNKNOWN_WRITE ? 0 : -1;
    }
    /* Any other success is somebody else's, a proxy's perhaps. */
    if (!moves)
        return graph_call_status(r->call) == DELETED_STATUS ? 1 : 0;
    int left = where_is_it(b, r->call, e);
    if (left == 0)
        error_set(e, ERROR_ANSWER, "Graph answered a move that left the message where it was");
    /* An answer that cannot be read is as good as lost. */
    return left > 0 ? 1 : left < 0 ? 0 : -1;
}

/* 1 done, 0 not done: write again, -1 failed. */
static int judge_look(struct batch *b, struct removal *r, struct error *e)
{
    if (!graph_call_outcome(r->call, e))
        return e->kind == ERROR_GONE ? 1 : -1;
    int left = where_is_it(b, r->call, e);
    if (left == 0 && r->repeats >= REPEATS_MAX) {
        error_set(e, ERROR_TEMPORARY,
                  "a message is still there after %u attempts to delete it; try again later, or "
                  "choose another `expunge` for the login",
                  r->repeats + 1);
        return -1;
    }
    return left;
}

static void close_slot(struct batch *b, struct removal *r)
{
    if (r->call)
        graph_call_free(&r->call);
    free(r->graph_id);
    memset(r, 0, sizeof *r);
    b->open--;
}

static void advance(struct batch *b, struct removal *r)
{
    struct error e = ERROR_INIT;
    bool looked = r->looking;
    int verdict = looked ? judge_look(b, r, &e) : judge_write(b, r, &e);
    if (verdict == 0) {
        graph_call_free(&r->call);
        if (looked) {
            r->repeats++;
            send_write(b, r);
        } else {
            r->looking = true;
            r->call = graph_message_start(b->folder->account->user, as_of(b, b->wait), r->graph_id);
        }
        return;
    }
    if (verdict > 0)
        b->gone[b->gone_count++] = r->uid;
    else
        fail(b, &e);
    close_slot(b, r);
}

/* Fills the free slots. */
static void refill(struct batch *b)
{
    for (size_t i = 0; i < ABREAST && b->next < b->count; i++) {
        struct removal *r = &b->slots[i];
        while (!r->graph_id && b->next < b->count) {
            struct error e = ERROR_INIT;
            uint32_t uid = b->uids[b->next++];
            int found = store_message_id_by_uid(b->folder->account->db, b->folder->key, uid,
                                                &r->graph_id, &e);
            if (found == 0)
                b->result->deleted++; /* somebody else was faster */
            if (found < 0)
                fail(b, &e);
            if (found != 1)
                continue;
            r->uid = uid;
            b->open++;
            send_write(b, r);
        }
    }
}

/* Commits what Graph has confirmed. */
static void retire(struct batch *b)
{
    struct error e = ERROR_INIT;
    if (b->gone_count == 0)
        return;
    b->result->deleted += b->gone_count;
    /* Not failed: it is deleted, and the next round will find that out again. */
    if (!folder_retire(b->folder, b->gone, b->gone_count, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record deletes in %s", b->folder->path);
    b->gone_count = 0;
}

static void abandon(struct batch *b, const struct error *e)
{
    for (size_t i = 0; i < ABREAST; i++) {
        if (!b->slots[i].graph_id)
            continue;
        fail(b, e);
        close_slot(b, &b->slots[i]);
    }
    for (; b->next < b->count; b->next++)
        fail(b, e);
}

static void run(struct batch *b)
{
    struct error e = ERROR_INIT;
    for (refill(b); b->open > 0; refill(b)) {
        struct graph_call *calls[ABREAST];
        for (size_t i = 0; i < ABREAST; i++)
            calls[i] = b->slots[i].call;
        if (!graph_call_wait_any(calls, ABREAST, b->wait, &e)) {
            abandon(b, &e);
            return;
        }
        for (size_t i = 0; i < ABREAST; i++)
            if (b->slots[i].call && graph_call_ended(b->slots[i].call))
                advance(b, &b->slots[i]);
        retire(b);
    }
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
                  enum config_expunge how, struct wait *w, struct mailbox_delete_result *result,
                  struct error *e)
{
    struct batch b = {
        .folder = f, .wait = w, .uids = uids, .count = count, .result = result, .error = e};
    if (count == 0)
        return true;
    if (!choose_way(f, how, &b.way, w, e)) {
        result->failed += count;
        return false;
    }
    run(&b);
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
    return delete_named(f, uids, count, how, w, result, e);
}
