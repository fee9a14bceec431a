/*
 * COPY: all or nothing (RFC 3501 section 6.4.7). Four copies are always in flight; each has its
 * row in the journal from before its request until the whole command is done, so that a killed
 * process leaves nothing half that was answered. A copy gets a new id, and nothing marks it: one
 * whose answer was lost is looked for in the target by its internetMessageId, among what is new
 * there and not claimed (claims.h). It may all the same be somebody else's: so it is told, but
 * never undone.
 */
#include "abreast.h"
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mailbox/transfer.h"
#include "postern/store/email_db.h"
#include "postern/store/original.h"

#include <stdlib.h>
#include <string.h>

/* A copy whose answer was lost and which was not done is repeated so often. */
#define REPEATS_MAX 2

struct item {
    char *id;      /* NULL: was gone from the source before it began */
    char *copy_id; /* NULL: not made, or not known yet */
    int64_t making;
    struct claims_request request;
    unsigned repeats;
    bool lost;
    bool missing; /* the answer was that something does not exist */
    bool found;   /* the copy has no answer of its own */
};

struct copies {
    struct mailbox_folder *from, *to;
    const uint32_t *uids;
    size_t count;
    struct item *items;
    struct mailbox_view *before; /* of the source */
    uint32_t uidnext;            /* of the target before it began */
    struct wait *wait;
    size_t failed;
    struct error *error;
};

static void fail(struct copies *b, const struct error *e)
{
    if (b->failed++ == 0)
        *b->error = *e;
}

/* The journal, one transaction for all of them. */
static bool begin(struct copies *b, struct error *e)
{
    struct store_db *db = b->from->account->db;
    bool ok = true;
    struct store_tx *tx = store_tx_begin(db, e);
    for (size_t i = 0; tx && ok && i < b->count; i++) {
        struct item *item = &b->items[i];
        int found = store_message_id_by_uid(db, b->from->key, b->uids[i], &item->id, e);
        if (found != 1) {
            ok = found == 0;
            continue;
        }
        struct store_making m = {.folder = b->to->graph_id, .began_ms = clock_wall_ms()};
        ok = store_making_begin(db, &m, e);
        item->making = m.key;
    }
    ok = ok && tx && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (!ok)
        account_check(b->from->account);
    return ok;
}

static struct claims *claims_of(const struct copies *b)
{
    return b->to->account->claims;
}

static struct graph_call *send_copy(struct copies *b, struct item *item)
{
    claims_sent(claims_of(b), &item->request, b->to->graph_id);
    return graph_copy_start(b->from->account->user, as_of(b, b->wait), item->id, b->to->graph_id);
}

static struct graph_call *start(void *arg, size_t index)
{
    struct copies *b = arg;
    struct item *item = &b->items[index];
    /* What is to be undone anyway is not begun. */
    return item->id && !b->failed ? send_copy(b, item) : NULL;
}

/* The journal knows for certain only what was answered. */
static void made(struct copies *b, struct item *item, const char *copy_id, bool found)
{
    struct store_db *db = b->from->account->db;
    struct error e = ERROR_INIT;
    item->copy_id = xstrdup(copy_id);
    item->found = found;
    if ((!found && !store_making_known(db, item->making, copy_id, &e)) ||
        !store_email_copy(db, item->id, copy_id, &e) ||
        !store_original_copy(db, item->id, copy_id, &e)) {
        account_check(b->from->account);
        fail(b, &e);
    }
}

/* True: the answer was that of a copy. */
static bool take_answer(struct copies *b, struct item *item, struct graph_call *call,
                        struct error *e)
{
    struct arena *a = arena_new();
    struct graph_message m;
    bool ok = graph_message_decode(call, a, &m, e);
    if (ok && (strcmp(m.id, item->id) == 0 ||
               ((m.has & GRAPH_HAS_PARENT) && strcmp(m.parent_folder_id, b->to->graph_id) != 0)))
        ok = error_set(e, ERROR_ANSWER, "Graph answered a copy with another message");
    if (ok)
        made(b, item, m.id, false);
    arena_free(&a);
    return ok;
}

/* `ok` and `e` are the outcome of the call. False: it failed, and nothing was made. */
static bool judge(struct copies *b, struct item *item, struct graph_call *call, bool ok,
                  struct error *e)
{
    if (ok) {
        item->lost = !take_answer(b, item, call, e);
    } else {
        /* 404: it is gone, or the target is. */
        item->missing = e->kind == ERROR_GONE;
        item->lost = item->missing || e->kind == ERROR_UNKNOWN_WRITE;
    }
    claims_answered(claims_of(b), &item->request, item->copy_id);
    return ok || item->lost;
}

static struct graph_call *next(void *arg, size_t index, struct graph_call *ended)
{
    struct copies *b = arg;
    struct error e = ERROR_INIT;
    bool ok = graph_call_outcome(ended, &e);
    if (!judge(b, &b->items[index], ended, ok, &e))
        fail(b, &e);
    return NULL;
}

static void abandon(void *arg, size_t index, const struct error *e)
{
    struct copies *b = arg;
    struct item *item = &b->items[index];
    item->lost = item->request.folder_id != NULL;
    claims_answered(claims_of(b), &item->request, NULL);
    fail(b, e);
}

/* A copy has an id that nobody saw before. */
static bool is_old(void *arg, const char *id)
{
    struct copies *b = arg;
    struct store_db *db = b->to->account->db;
    struct store_message m;
    struct error e = ERROR_INIT;
    char *own;
    int64_t retired_ms;
    int found = store_message_find(db, b->to->key, id, &m, &own, &retired_ms, &e);
    free(own);
    return found < 0 || retired_ms || (found == 1 && m.uid < b->uidnext) ||
           store_message_elsewhere(db, b->to->key, id, &e) != 0;
}

/* What a copy of it would be found by. ERROR_GONE: it left. */
static bool identify(struct copies *b, struct item *item, char **message_id, struct error *e)
{
    struct arena *a = arena_new();
    struct graph_message m;
    struct graph_call *call =
        graph_identity_start(b->from->account->user, as_of(b, b->wait), item->id);
    bool ok = graph_call_wait(call, b->wait, e);
    ok = ok && graph_message_decode(call, a, &m, e);
    if (ok && item->missing) /* the message is there, so it is the target */
        ok = error_set(e, ERROR_FOLDER_GONE, "%s no longer exists", b->to->path);
    if (ok && !m.message_id)
        ok = error_set(e, ERROR_UNKNOWN_WRITE,
                       "a copy was sent and its answer is lost, and the message has no Message-ID "
                       "to look for it");
    if (ok)
        *message_id = xstrdup(m.message_id);
    graph_call_free(&call);
    arena_free(&a);
    return ok;
}

/* The source tells at once that it left, so that the client knows what to leave out. */
static void retire(struct copies *b, const struct item *item)
{
    struct error e = ERROR_INIT;
    if (!folder_retire(b->from, &b->uids[item - b->items], 1, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record what is gone from %s", b->from->path);
}

/* One lost answer: looks for the copy, and copies again if there is none. 1 settled, 0 again, -1
 * failed. */
static int look(struct copies *b, struct item *item, struct error *e)
{
    char *message_id = NULL, *id = NULL;
    if (!identify(b, item, &message_id, e)) {
        if (e->kind == ERROR_GONE)
            retire(b, item);
        return -1;
    }
    int found = find_new(b->to->account, b->to->graph_id, GRAPH_FIND_MESSAGE_ID, message_id, is_old,
                         b, &id, b->wait, e);
    free(message_id);
    if (found == 1)
        made(b, item, id, true);
    free(id);
    return found;
}

static bool copy_again(struct copies *b, struct item *item, struct error *e)
{
    struct graph_call *call = send_copy(b, item);
    bool ok = graph_call_wait(call, b->wait, e);
    ok = judge(b, item, call, ok, e);
    graph_call_free(&call);
    return ok;
}

static bool settle_one(struct copies *b, struct item *item, struct error *e)
{
    while (item->lost) {
        int found = look(b, item, e);
        if (found < 0)
            return false;
        item->lost = found == 0;
        if (found)
            break;
        if (item->repeats++ == REPEATS_MAX)
            return error_set(e, ERROR_TEMPORARY, "copies to %s are not answered; try again later",
                             b->to->path);
        if (!copy_again(b, item, e))
            return false;
    }
    return true;
}

/* Lost answers are rare: one after the other. */
static void settle(struct copies *b)
{
    for (size_t i = 0; i < b->count && !b->failed; i++) {
        struct error e = ERROR_INIT;
        if (!settle_one(b, &b->items[i], &e))
            fail(b, &e);
    }
}

static void undo(struct copies *b)
{
    struct undo_item *items = xcalloc(b->count + 1, sizeof *items);
    size_t n = 0, left = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct item *item = &b->items[i];
        left += item->found || (item->lost && !item->missing);
        if (item->making)
            items[n++] = (struct undo_item){.graph_id = item->found ? NULL : item->copy_id,
                                            .making = item->making};
    }
    undo_made(b->from->account, items, n, b->wait);
    free(items);
    if (left == 0 || b->error->kind == ERROR_FOLDER_GONE)
        return;
    /* The client is not to believe that nothing was done. */
    error_turn(b->error, ERROR_UNKNOWN_WRITE);
    error_prefix(b->error, "up to %zu copies without an answer may be left in %s: ", left,
                 b->to->path);
}

/* The journal lets go of all of them at once. Until it has, they would be undone after a restart,
 * so a copy that cannot be taken off it has failed. */
static bool commit(struct copies *b)
{
    struct store_db *db = b->from->account->db;
    struct error e = ERROR_INIT;
    struct store_tx *tx = store_tx_begin(db, &e);
    bool ok = tx != NULL;
    for (size_t i = 0; ok && i < b->count; i++)
        ok = !b->items[i].making || store_making_end(db, b->items[i].making, &e);
    ok = ok && store_tx_commit(&tx, &e);
    store_tx_rollback(&tx);
    if (!ok) {
        account_check(b->from->account);
        fail(b, &e);
    }
    return ok;
}

static void tell_arrivals(struct copies *b, struct mailbox_transfer *out)
{
    const char **ids = xcalloc(b->count + 1, sizeof *ids);
    uint32_t *uids = xcalloc(b->count + 1, sizeof *uids);
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < b->count; i++)
        ids[i] = b->items[i].copy_id;
    /* They are made all the same: only the answer cannot tell their UIDs. */
    if (!arrive(b->to, ids, b->count, uids, b->wait, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "no UIDs of what was copied to %s", b->to->path);
    for (size_t i = 0; i < b->count; i++)
        out[i].to = uids[i];
    draft_carry(b->before, b->to, out, b->count, b->wait);
    free(ids);
    free(uids);
}

bool mailbox_copy(struct mailbox_folder *from, const uint32_t *uids, size_t count,
                  struct mailbox_folder *to, struct mailbox_transfer *out, struct wait *w,
                  struct error *e)
{
    const struct abreast what = {
        .lanes = count <= IN_ORDER_MAX ? 1 : 0, .start = start, .next = next, .abandon = abandon};
    struct copies b = {.from = from, .to = to, .uids = uids, .count = count, .wait = w, .error = e};
    for (size_t i = 0; i < count; i++)
        out[i] = (struct mailbox_transfer){.from = uids[i]};
    if (count == 0)
        return true;
    struct claims_command command;
    claims_begin(claims_of(&b), &command);
    /* What is there now is not ours. */
    if (!mailbox_folder_sync(to, false, w, e)) {
        claims_end(claims_of(&b), &command);
        return false;
    }
    b.uidnext = mailbox_folder_uidnext(to);
    b.items = xcalloc(count, sizeof *b.items);
    b.before = mailbox_folder_view(from);
    if (begin(&b, e)) {
        abreast_run(&what, &b, count, w);
        settle(&b);
        if (b.failed || !commit(&b))
            undo(&b);
        else
            tell_arrivals(&b, out);
    } else {
        b.failed = count;
    }
    for (size_t i = 0; i < count; i++) {
        free(b.items[i].id);
        free(b.items[i].copy_id);
    }
    free(b.items);
    mailbox_view_unref(&b.before);
    claims_end(claims_of(&b), &command);
    return b.failed == 0;
}
