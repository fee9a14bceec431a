/*
 * MOVE: each message for itself, four in flight, settled by what Graph says of where it is. With
 * immutable ids a moved message keeps its id, so what is cached of it and kept with it stays good.
 */
#include "abreast.h"
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/mailbox/transfer.h"

#include <stdlib.h>
#include <string.h>

/* A move whose answer was lost and which was not done is repeated so often. */
#define REPEATS_MAX 2

struct item {
    char *id;
    bool looking; /* the call asks where it is */
    bool missing; /* a move said that something does not exist */
    bool moved;
    unsigned repeats;
};

struct moves {
    struct mailbox_folder *from, *to;
    const uint32_t *uids;
    struct mailbox_view *before; /* of the source */
    struct item *items;
    struct wait *wait;
    uint32_t *left; /* UIDs to be retired from the source */
    size_t left_count;
    size_t failed;
    struct error *error;
};

static void fail(struct moves *b, const struct error *e)
{
    if (b->failed++ == 0)
        *b->error = *e;
}

enum place { PLACE_UNKNOWN, PLACE_SOURCE, PLACE_TARGET, PLACE_ELSEWHERE };

static enum place where_is_it(const struct moves *b, struct graph_call *call, struct error *e)
{
    struct arena *a = arena_new();
    struct graph_message m;
    enum place place = PLACE_UNKNOWN;
    if (graph_message_decode(call, a, &m, e)) {
        if (!(m.has & GRAPH_HAS_PARENT))
            error_set(e, ERROR_ANSWER, "Graph does not say where the message is now");
        else if (strcmp(m.parent_folder_id, b->to->graph_id) == 0)
            place = PLACE_TARGET;
        else
            place =
                strcmp(m.parent_folder_id, b->from->graph_id) == 0 ? PLACE_SOURCE : PLACE_ELSEWHERE;
    }
    arena_free(&a);
    return place;
}

static struct graph_call *start(void *arg, size_t index)
{
    struct moves *b = arg;
    struct error e = ERROR_INIT;
    struct mailbox_account *a = b->from->account;
    struct item *item = &b->items[index];
    int found = store_message_id_by_uid(a->db, b->from->key, b->uids[index], &item->id, &e);
    if (found < 0)
        fail(b, &e);
    if (found != 1)
        return NULL;
    return graph_move_start(a->user, as_of(b, b->wait), item->id, b->to->graph_id);
}

static struct graph_call *look(struct moves *b, struct item *item)
{
    item->looking = true;
    return graph_message_start(b->from->account->user, as_of(b, b->wait), item->id);
}

static void leave(struct moves *b, size_t index, bool moved)
{
    b->items[index].moved = moved;
    b->left[b->left_count++] = b->uids[index];
}

static struct graph_call *again(struct moves *b, struct item *item)
{
    struct error e = ERROR_INIT;
    if (item->missing) { /* the message is there, so it is the target */
        error_set(&e, ERROR_FOLDER_GONE, "%s no longer exists", b->to->path);
        fail(b, &e);
        return NULL;
    }
    if (item->repeats++ < REPEATS_MAX) {
        item->looking = false;
        return graph_move_start(b->from->account->user, as_of(b, b->wait), item->id,
                                b->to->graph_id);
    }
    error_set(&e, ERROR_TEMPORARY,
              "a message is still in its folder after %u attempts to move it to %s; check that "
              "folder, and try again later",
              item->repeats, b->to->path);
    fail(b, &e);
    return NULL;
}

static struct graph_call *judge(struct moves *b, size_t index, struct graph_call *ended)
{
    struct error e = ERROR_INIT;
    struct item *item = &b->items[index];
    switch (where_is_it(b, ended, &e)) {
    case PLACE_TARGET:
        leave(b, index, true);
        return NULL;
    case PLACE_ELSEWHERE: /* somebody else moved it */
        leave(b, index, false);
        return NULL;
    case PLACE_SOURCE:
        return again(b, item);
    case PLACE_UNKNOWN:
        break;
    }
    /* An answer that cannot be read is as good as lost. */
    if (!item->looking)
        return look(b, item);
    fail(b, &e);
    return NULL;
}

static struct graph_call *next(void *arg, size_t index, struct graph_call *ended)
{
    struct moves *b = arg;
    struct error e = ERROR_INIT;
    struct item *item = &b->items[index];
    if (graph_call_outcome(ended, &e))
        return judge(b, index, ended);
    if (item->looking && e.kind == ERROR_GONE) {
        leave(b, index, false);
        return NULL;
    }
    /* 404 may also mean that the target is missing. */
    if (!item->looking && (e.kind == ERROR_GONE || e.kind == ERROR_UNKNOWN_WRITE)) {
        item->missing = e.kind == ERROR_GONE;
        return look(b, item);
    }
    fail(b, &e);
    return NULL;
}

/* The source tells at once that they left. */
static void wave(void *arg)
{
    struct moves *b = arg;
    struct error e = ERROR_INIT;
    if (b->left_count == 0)
        return;
    /* Not failed: they are moved, and the next round will find that out again. */
    if (!folder_retire(b->from, b->left, b->left_count, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record moves out of %s", b->from->path);
    b->left_count = 0;
}

static void abandon(void *arg, size_t index, const struct error *e)
{
    (void)index;
    fail(arg, e);
}

static void tell_arrivals(struct moves *b, size_t count, struct mailbox_transfer *out)
{
    const char **ids = xcalloc(count + 1, sizeof *ids);
    uint32_t *uids = xcalloc(count + 1, sizeof *uids);
    struct error e = ERROR_INIT;
    size_t moved = 0;
    for (size_t i = 0; i < count; i++) {
        ids[i] = b->items[i].moved ? b->items[i].id : NULL;
        moved += b->items[i].moved;
    }
    /* They are moved all the same: only the answer cannot tell their UIDs. */
    if (moved && !arrive(b->to, ids, count, uids, b->wait, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "no UIDs of what was moved to %s", b->to->path);
    for (size_t i = 0; i < count; i++)
        out[i].to = uids[i];
    draft_carry(b->before, b->to, out, count, b->wait);
    free(ids);
    free(uids);
}

/* RFC 6851 section 3.1 allows it, and Graph knows no such move: a copy, whose source is removed.
 */
static bool move_in_place(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                          struct mailbox_transfer *out, struct wait *w, struct error *e)
{
    struct mailbox_delete_result result = {0};
    return mailbox_copy(f, uids, count, f, out, w, e) &&
           delete_named(f, uids, count, EXPUNGE_RECOVERABLE, false, w, &result, e);
}

bool mailbox_move(struct mailbox_folder *from, const uint32_t *uids, size_t count,
                  struct mailbox_folder *to, struct mailbox_transfer *out, struct wait *w,
                  struct error *e)
{
    const struct abreast what = {.lanes = count <= IN_ORDER_MAX ? 1 : 0,
                                 .start = start,
                                 .next = next,
                                 .wave = wave,
                                 .abandon = abandon};
    struct moves b = {.from = from, .to = to, .uids = uids, .wait = w, .error = e};
    for (size_t i = 0; i < count; i++)
        out[i] = (struct mailbox_transfer){.from = uids[i]};
    if (count == 0)
        return true;
    if (strcmp(from->graph_id, to->graph_id) == 0)
        return move_in_place(from, uids, count, out, w, e);
    /* A message that somebody moved meanwhile stays where it is. */
    if (!mailbox_folder_sync(from, false, w, e)) {
        if (e->kind == ERROR_FOLDER_GONE) /* with all that was in it; the target may be there */
            error_turn(e, ERROR_GONE);
        return false;
    }
    b.items = xcalloc(count, sizeof *b.items);
    b.left = xcalloc(count, sizeof *b.left);
    b.before = mailbox_folder_view(from);
    abreast_run(&what, &b, count, w);
    wave(&b);
    tell_arrivals(&b, count, out);
    for (size_t i = 0; i < count; i++)
        free(b.items[i].id);
    free(b.items);
    free(b.left);
    mailbox_view_unref(&b.before);
    if (b.failed && e->kind == ERROR_FOLDER_GONE)
        tree_forget(to);
    return b.failed == 0;
}
