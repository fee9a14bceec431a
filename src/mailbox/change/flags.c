/*
 * Changing flags: a PATCH for each message that needs one, four always in flight, to the end. What
 * Graph confirmed is committed wave by wave. A PATCH of fixed values is repeated without harm;
 * where its answer stays lost, a look at the message settles it.
 */
#include "abreast.h"
#include "internal.h"
#include "keywords.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/graph/write.h"

#include <stdlib.h>
#include <string.h>

/* Categories are read, changed and written as a whole, so that of two sessions which change those
 * of one message one would undo the other: they take turns, for so many messages each. */
#define TURN 64
/* Of messages settled without a call, in one commit. */
#define COMMIT_MAX 64
/* What a client may change: all but \Draft are in Graph. */
#define WRITABLE                                                                                   \
    (MAILBOX_SEEN | MAILBOX_FLAGGED | MAILBOX_DRAFT | MAILBOX_ANSWERED | MAILBOX_FORWARDED |       \
     MAILBOX_DELETED)
#define VERBS (MAILBOX_ANSWERED | MAILBOX_FORWARDED)
/* Flags with a property of their own, which is told without harm where it does not change. */
#define NAMED (MAILBOX_SEEN | MAILBOX_FLAGGED | MAILBOX_DELETED)

/* One message whose flags change. */
struct item {
    struct flag_write write;
    uint32_t flags;  /* as they are to be, the written ones count */
    char *keywords;  /* as they are to be */
    bool says_draft; /* \Draft is to be told otherwise than now */
    bool looking;    /* the call asks what became of the write */
    bool repeated;   /* it met somebody else's write once already */
    struct error lost;
};

struct batch {
    struct mailbox_folder *folder;
    const uint32_t *uids;
    const struct mailbox_flag_change *change;
    uint64_t unchanged_since;
    enum mailbox_outcome *outcomes;
    struct wait *wait;
    struct error *error;
    bool fresh;     /* a round has just been: what is so already is so in Graph */
    uint32_t *idle; /* else, UIDs of what is so already as far as we know */
    size_t idle_count;
    bool failed;
    struct item **items;     /* one for each UID of the turn; NULL: not begun, or settled */
    size_t done[COMMIT_MAX]; /* confirmed, to be committed with the wave */
    size_t done_count;
};

static void item_free(struct item *item)
{
    row_clear(&item->write.row);
    free(item->keywords);
    free(item);
}

static void settle(struct batch *b, size_t index, enum mailbox_outcome outcome)
{
    b->outcomes[index] = outcome;
    if (b->items[index])
        item_free(b->items[index]);
    b->items[index] = NULL;
}

static void fail(struct batch *b, size_t index, const struct error *e)
{
    if (!b->failed)
        *b->error = *e;
    b->failed = true;
    settle(b, index, MAILBOX_FAILED);
}

/* ---- commits ---- */

/* Commits what is confirmed. */
static void commit(void *arg)
{
    struct batch *b = arg;
    struct flag_write *writes[COMMIT_MAX];
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < b->done_count; i++)
        writes[i] = &b->items[b->done[i]]->write;
    bool ok = !b->done_count || folder_write_flags(b->folder, writes, b->done_count, &e);
    if (!ok)
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record flags in %s", b->folder->path);
    while (b->done_count) {
        size_t index = b->done[--b->done_count];
        /* What Graph has is done, and the next round will find it out again; \Draft is lost. */
        if (!ok && (b->items[index]->write.flags & ROW_DRAFT))
            fail(b, index, &e);
        else
            settle(b, index, MAILBOX_DONE);
    }
}

/* Graph has all that it is to have of the message: \Draft, our own word, comes to it now. */
static void confirm(struct batch *b, size_t index)
{
    struct item *item = b->items[index];
    struct flag_write *write = &item->write;
    if (item->says_draft && ((write->row.flags ^ item->flags) & MAILBOX_DRAFT)) {
        write->row.flags ^= ROW_DRAFT;
        write->flags |= ROW_DRAFT;
    }
    if (!write->flags && !write->keywords) {
        settle(b, index, MAILBOX_DONE);
        return;
    }
    if (b->done_count == COMMIT_MAX)
        commit(b);
    b->done[b->done_count++] = index;
}

/* ---- what is to change ---- */

static uint32_t flags_after(const struct mailbox_flag_change *change, uint32_t before)
{
    uint32_t named = change->flags & WRITABLE, after = before;
    switch (change->op) {
    case MAILBOX_FLAGS_ADD:
        after = before | named;
        break;
    case MAILBOX_FLAGS_REMOVE:
        after = before & ~named;
        break;
    case MAILBOX_FLAGS_REPLACE:
        after = (before & ~WRITABLE) | named;
        break;
    }
    return (after ^ before) & MAILBOX_DRAFT ? after ^ MAILBOX_DRAFT_CONTRARY : after;
}

/* Is it all our own word, on which Graph is not to be asked? */
static bool is_draft_alone(const struct mailbox_flag_change *change)
{
    return change->op != MAILBOX_FLAGS_REPLACE && change->flags == MAILBOX_DRAFT &&
           !change->keywords[0];
}

/* One property for two flags: it tells the one that was set last. */
static int64_t verb_of(uint32_t before, uint32_t after)
{
    uint32_t told = after & ~before & VERBS ? after & ~before : after;
    if (told & MAILBOX_ANSWERED)
        return GRAPH_VERB_REPLY;
    return told & MAILBOX_FORWARDED ? GRAPH_VERB_FORWARD : GRAPH_VERB_NONE;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Fills in what Graph is told. False: `e` says why it cannot be. */
static bool plan(struct batch *b, struct item *item, struct arena *a, struct graph_update *update,
                 struct error *e)
{
    const struct row *row = &item->write.row;
    item->flags = flags_after(b->change, row->flags);
    item->keywords =
        keywords_change(row->keywords ? row->keywords : "", b->change->op, b->change->keywords);
    item->write.flags = (item->flags ^ row->flags) & ~ROW_DRAFT;
    item->says_draft = (item->flags ^ row->flags) & MAILBOX_DRAFT;
    item->write.keywords = !same_text(item->keywords, row->keywords);
    /* What is sent anyway tells all that was named: others may have changed it meanwhile. */
    if (item->write.flags || item->write.keywords)
        item->write.flags |= b->change->flags & NAMED;
    *update = (struct graph_update){
        .has = (item->write.flags & MAILBOX_SEEN ? GRAPH_HAS_READ : 0) |
               (item->write.flags & MAILBOX_FLAGGED ? GRAPH_HAS_FLAG : 0) |
               (item->write.flags & MAILBOX_DELETED ? GRAPH_HAS_IMAP_DELETED : 0) |
               (item->write.flags & VERBS ? GRAPH_HAS_VERB : 0) |
               (item->write.keywords ? GRAPH_HAS_CATEGORIES : 0),
        .is_read = item->flags & MAILBOX_SEEN,
        .flagged = item->flags & MAILBOX_FLAGGED,
        .imap_deleted = item->flags & MAILBOX_DELETED,
        .verb = verb_of(row->flags, item->flags),
    };
    if (!item->write.keywords)
        return true;
    if (row->flags & MAILBOX_KEYWORDS_CUT)
        return error_set(e, ERROR_CANNOT,
                         "UID %u has more categories than fit into %d bytes; change them in "
                         "Outlook",
                         (unsigned)row->uid, KEYWORDS_MAX);
    update->categories = keywords_to_categories(item->keywords, a);
    return update->categories || error_set(e, ERROR_CANNOT,
                                           "a keyword stands for no category: its \"=XX\" escapes "
                                           "are not UTF-8, or it is longer than %d characters",
                                           CATEGORY_MAX);
}

/* 1: the row is read, 0: no such message any more, -1: error. */
static int read_row(struct mailbox_folder *f, uint32_t uid, struct row *row, struct error *e)
{
    struct store_message m;
    char *id, *own = NULL;
    int64_t retired_ms;
    int found = store_message_id_by_uid(f->account->db, f->key, uid, &id, e);
    if (found == 1)
        found = store_message_find(f->account->db, f->key, id, &m, &own, &retired_ms, e);
    if (found == 1 && m.uid != uid)
        found = 0;
    if (found == 1)
        row_from_store(row, &m);
    free(own);
    free(id);
    if (found < 0)
        account_check(f->account);
    return found;
}

static struct graph_call *send_write(struct batch *b, size_t index)
{
    struct item *item = b->items[index];
    struct graph_update update;
    struct graph_call *call = NULL;
    struct error e = ERROR_INIT;
    struct arena *a = arena_new();
    if (!plan(b, item, a, &update, &e)) {
        fail(b, index, &e);
    } else if (update.has) {
        call = graph_update_start(b->folder->account->user, as_of(b, b->wait), item->write.row.id,
                                  &update);
    } else if (b->fresh || is_draft_alone(b->change)) {
        confirm(b, index);
    } else {
        b->idle[b->idle_count++] = item->write.row.uid;
        settle(b, index, MAILBOX_DONE);
    }
    arena_free(&a);
    return call;
}

static struct graph_call *start(void *arg, size_t index)
{
    struct batch *b = arg;
    struct row row;
    struct error e = ERROR_INIT;
    int found = read_row(b->folder, b->uids[index], &row, &e);
    if (found < 0)
        fail(b, index, &e);
    if (found == 0)
        settle(b, index, MAILBOX_GONE);
    if (found != 1)
        return NULL;
    b->items[index] = xcalloc(1, sizeof *b->items[index]);
    b->items[index]->write.row = row;
    if (row.modseq > b->unchanged_since) {
        settle(b, index, MAILBOX_MODIFIED);
        return NULL;
    }
    return send_write(b, index);
}

/* ---- what became of it ---- */

/* Does the row say what was wanted, as far as we wrote it? */
static bool has_come_true(const struct item *item)
{
    const struct row *row = &item->write.row;
    return !((row->flags ^ item->flags) & item->write.flags) &&
           (!item->write.keywords || keywords_same(row->keywords, item->keywords));
}

enum verdict { VERDICT_DONE, VERDICT_GONE, VERDICT_UNCLEAR, VERDICT_FAILED };

/* Takes over what the answer says of the message. */
static enum verdict read_answer(struct batch *b, struct item *item, struct graph_call *call,
                                struct error *e)
{
    struct row *row = &item->write.row;
    struct graph_message m;
    struct arena *a = arena_new();
    enum verdict verdict = VERDICT_UNCLEAR;
    if (graph_message_decode(call, a, &m, e)) {
        bool elsewhere =
            (m.has & GRAPH_HAS_PARENT) && strcmp(m.parent_folder_id, b->folder->graph_id) != 0;
        free(row->change_key);
        row->change_key = NULL;
        row_apply(row, &m, item->looking);
        if (!original_apply(b->folder, row, e))
            log_error_value(LOG_LEVEL_WARNING, e, "cannot read what was told of a message");
        verdict = elsewhere ? VERDICT_GONE : has_come_true(item) ? VERDICT_DONE : VERDICT_UNCLEAR;
        if (verdict == VERDICT_UNCLEAR)
            error_set(e, ERROR_ANSWER, "Graph answered a change of flags that it did not make");
    }
    arena_free(&a);
    return verdict;
}

/* Before the answer is read the row says what we asked for; an answer that tells a field otherwise
 * changes it back. Extended properties are not told by a PATCH's answer. */
static void assume(struct item *item)
{
    struct row *row = &item->write.row;
    row->flags = (row->flags & ~item->write.flags) | (item->flags & item->write.flags);
    if (item->write.keywords) {
        free(row->keywords);
        row->keywords = xstrdup(item->keywords);
    }
}

static enum verdict judge_write(struct batch *b, struct item *item, struct graph_call *call,
                                struct error *e)
{
    if (graph_call_outcome(call, e)) {
        assume(item);
        return read_answer(b, item, call, e);
    }
    switch (e->kind) {
    case ERROR_GONE:
        return VERDICT_GONE;
    case ERROR_TEMPORARY:
    case ERROR_ANSWER:
    case ERROR_CONFLICT:
    case ERROR_TIMEOUT:
    case ERROR_UNKNOWN_WRITE:
        return VERDICT_UNCLEAR;
    default:
        return VERDICT_FAILED;
    }
}

static enum verdict judge_look(struct batch *b, struct item *item, struct graph_call *call,
                               struct error *e)
{
    if (!graph_call_outcome(call, e))
        return e->kind == ERROR_GONE ? VERDICT_GONE : VERDICT_FAILED;
    item->write.row.flags &= ~(item->write.flags & VERBS); /* the verb tells those that are set */
    enum verdict verdict = read_answer(b, item, call, e);
    if (verdict == VERDICT_UNCLEAR && item->lost.kind != ERROR_NONE)
        *e = item->lost;
    return verdict == VERDICT_UNCLEAR ? VERDICT_FAILED : verdict;
}

/* Somebody changed the message at the same moment. The look has told how it is now. */
static struct graph_call *repeat_write(struct batch *b, size_t index)
{
    struct item *item = b->items[index];
    item->repeated = true;
    item->looking = false;
    free(item->keywords);
    item->keywords = NULL;
    return send_write(b, index);
}

static struct graph_call *next_call(void *arg, size_t index, struct graph_call *ended)
{
    struct batch *b = arg;
    struct item *item = b->items[index];
    struct error e = ERROR_INIT;
    switch (item->looking ? judge_look(b, item, ended, &e) : judge_write(b, item, ended, &e)) {
    case VERDICT_DONE:
        item->write.row.written = clock_wall_ms();
        confirm(b, index);
        break;
    case VERDICT_GONE:
        sync_mark_stale(b->folder); /* the next look at the folder tells that it is gone */
        settle(b, index, MAILBOX_GONE);
        break;
    case VERDICT_UNCLEAR:
        item->looking = true;
        item->lost = e;
        return graph_message_start(b->folder->account->user, as_of(b, b->wait), item->write.row.id);
    case VERDICT_FAILED:
        if (e.kind == ERROR_CONFLICT && !item->repeated)
            return repeat_write(b, index);
        fail(b, index, &e);
        break;
    }
    return NULL;
}

static void abandon(void *arg, size_t index, const struct error *e)
{
    fail(arg, index, e);
}

static bool begin_turn(struct mailbox_folder *f, struct wait *w, struct error *e)
{
    struct mailbox_account *a = f->account;
    bool ok = true;
    pthread_mutex_lock(&a->lock);
    wait_list_add(&f->rewriters, w);
    while (ok && f->rewriting) {
        pthread_mutex_unlock(&a->lock);
        ok = wait_sleep(w, e);
        pthread_mutex_lock(&a->lock);
    }
    wait_list_remove(&f->rewriters, w);
    f->rewriting = f->rewriting || ok;
    pthread_mutex_unlock(&a->lock);
    return ok;
}

static void end_turn(struct mailbox_folder *f)
{
    pthread_mutex_lock(&f->account->lock);
    f->rewriting = false;
    wait_list_notify_all(&f->rewriters);
    pthread_mutex_unlock(&f->account->lock);
}

/* False: what is left was abandoned, and failed. */
static bool run(struct batch *b, size_t count)
{
    static const struct abreast storing = {
        .start = start, .next = next_call, .wave = commit, .abandon = abandon};
    return abreast_run(&storing, b, count, b->wait);
}

static void run_in_turns(struct batch *b, size_t count)
{
    bool go_on = true;
    for (size_t n; count > 0; count -= n, b->uids += n, b->outcomes += n) {
        struct error e = *b->error;
        n = count < TURN ? count : TURN;
        bool mine = go_on && begin_turn(b->folder, b->wait, &e);
        if (mine) {
            go_on = run(b, n);
            end_turn(b->folder);
        }
        for (size_t i = 0; !mine && i < n; i++)
            fail(b, i, &e);
    }
}

static bool look_at_folder(struct batch *b, size_t count)
{
    b->fresh = mailbox_folder_sync(b->folder, false, b->wait, b->error);
    for (size_t i = 0; !b->fresh && i < count; i++)
        b->outcomes[i] = MAILBOX_FAILED;
    return b->fresh;
}

/* What seemed to need no change is looked at once more: a success is Graph's word, not memory. */
static bool run_idle(const struct batch *first, const uint32_t *uids)
{
    size_t count = first->idle_count;
    struct batch b = {.folder = first->folder,
                      .uids = first->idle,
                      .change = first->change,
                      .unchanged_since = first->unchanged_since,
                      .outcomes = xcalloc(count, sizeof *b.outcomes),
                      .items = xcalloc(count, sizeof *b.items),
                      .wait = first->wait,
                      .error = first->error};
    bool ok = look_at_folder(&b, count);
    if (ok)
        run(&b, count);
    /* They were begun in the order of the UIDs. */
    for (size_t i = 0, n = 0; n < count; i++)
        if (uids[i] == first->idle[n])
            first->outcomes[i] = b.outcomes[n++];
    free(b.outcomes);
    free(b.items);
    return ok && !b.failed;
}

bool mailbox_store(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                   const struct mailbox_flag_change *change, uint64_t unchanged_since,
                   enum mailbox_outcome *outcomes, struct wait *w, struct error *e)
{
    struct batch b = {.folder = f,
                      .uids = uids,
                      .change = change,
                      .unchanged_since = unchanged_since,
                      .outcomes = outcomes,
                      .wait = w,
                      .error = e};
    /* Categories that others added meanwhile must be known before all are written. */
    bool categories = change->keywords[0] || change->op == MAILBOX_FLAGS_REPLACE;
    if ((categories || unchanged_since != MAILBOX_ANY_MODSEQ) && !look_at_folder(&b, count))
        return false;
    b.items = xcalloc(count + 1, sizeof *b.items);
    b.idle = xcalloc(count + 1, sizeof *b.idle);
    if (categories)
        run_in_turns(&b, count);
    else
        run(&b, count);
    bool ok = (b.idle_count == 0 || run_idle(&b, uids)) && !b.failed;
    free(b.items);
    free(b.idle);
    return ok;
}
