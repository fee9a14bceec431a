/*
 * APPEND: all messages or none (RFC 3502), one after the other so that their UIDs follow their
 * order.
 *
 * The way of each: JSON makes what a mailbox's own messages are, no draft, with its date, and is
 * the first choice. MIME keeps the structure of what JSON cannot say (signed, encrypted, reports),
 * but makes a draft dated now; that is right for what the client calls a draft or puts into
 * Drafts. What is too large for MIME in one request goes by JSON all the same, files by upload
 * session.
 */
#include "append.h"

#include "change/keywords.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mime/crlf.h"

#include <stdlib.h>
#include <string.h>

#define DRAFTS "drafts"
/* base64 of it is what a request takes. */
#define MIME_MAX (GRAPH_REQUEST_MAX / 4 * 3)
#define PIECE    8192

struct graph_as append_as(const struct append_item *item)
{
    return as_of(item->to, item->wait);
}

bool append_wait(struct append_item *item, struct graph_call *call, struct error *e)
{
    bool ok = graph_call_wait(call, item->wait, e);
    graph_call_free(&call);
    return ok;
}

bool append_begin(struct append_item *item, const char *folder_id, const char *mark,
                  struct error *e)
{
    struct store_making m = {.folder = folder_id, .mark = mark, .began_ms = clock_wall_ms()};
    bool ok = store_making_begin(item->to->account->db, &m, e);
    item->making = m.key;
    if (!ok)
        account_check(item->to->account);
    return ok;
}

/* Octets as POP3 and IMAP count them; -1 where they do not agree, since POP3 tells lines and IMAP
 * the bytes that were given, so that each finds its own when it reads the message. */
static int64_t wire_size(const char *data, size_t len)
{
    struct mime_crlf lines;
    struct buf out = BUF_INIT(3 * PIECE + 16);
    mime_crlf_init(&lines, false);
    for (size_t at = 0; at < len; at += PIECE) {
        mime_crlf_feed(&lines, data + at, len - at < PIECE ? len - at : PIECE, &out);
        buf_clear(&out);
    }
    mime_crlf_end(&lines, &out);
    buf_free(&out);
    return lines.octets == len ? (int64_t)len : -1;
}

bool append_made(struct append_item *item, const char *graph_id, bool found, struct error *e)
{
    struct mailbox_account *a = item->to->account;
    const struct store_original original = {.size = wire_size(item->message, item->len),
                                            .received_ms = item->given->date_ms,
                                            .flags = item->given->flags};
    item->graph_id = xstrdup(graph_id);
    item->found = found;
    bool ok = (found || store_making_known(a->db, item->making, graph_id, e)) &&
              store_original_keep(a->db, item->given->upload->spool, graph_id, &original, e);
    if (!ok)
        account_check(a);
    return ok;
}

bool append_unsettled(const struct error *cause, struct error *e)
{
    log_error_value(LOG_LEVEL_WARNING, e, "cannot look whether an appended message was made");
    *e = *cause;
    return false;
}

/* ---- which way ---- */

enum way { WAY_JSON, WAY_DRAFT };

static bool choose(struct append_item *item, enum config_append how, enum way *way, struct error *e)
{
    *way = WAY_JSON;
    if (how == APPEND_JSON || item->len > MIME_MAX)
        return true;
    if (how == APPEND_DRAFT || (item->given->flags & MAILBOX_DRAFT) || item->composed->lossy) {
        *way = WAY_DRAFT;
        return true;
    }
    char *drafts = tree_well_known(item->to->account, DRAFTS, item->wait, e);
    if (drafts && strcmp(drafts, item->to->graph_id) == 0)
        *way = WAY_DRAFT;
    free(drafts);
    if (drafts || e->kind != ERROR_FOLDER_GONE)
        return drafts != NULL;
    error_clear(e); /* a mailbox without Drafts */
    return true;
}

/* After such an error nothing was made. */
static bool is_refusal(enum error_kind kind)
{
    switch (kind) {
    case ERROR_REQUEST:
    case ERROR_TOO_BIG:
    case ERROR_QUOTA:
    case ERROR_DENIED:
    case ERROR_SIGN_IN:
    case ERROR_CANNOT:
    case ERROR_FOLDER_GONE:
    case ERROR_MAILBOX_GONE:
    case ERROR_THROTTLED:
        return true;
    default:
        return false;
    }
}

static void undo_unmade(struct append_item *item, const struct error *cause)
{
    struct store_db *db = item->to->account->db;
    struct error e = ERROR_INIT;
    bool ok = is_refusal(cause->kind) ? store_making_end(db, item->making, &e)
                                      : store_making_abandon(db, item->making, &e);
    if (!ok)
        log_error_value(LOG_LEVEL_WARNING, &e, "cannot record a message to be undone");
}

/* Nothing stays of messages of which the last one failed. */
static void undo(struct append_item *items, size_t count, const struct error *cause)
{
    struct undo_item *made = xcalloc(count + 1, sizeof *made);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        struct append_item *item = &items[i];
        if (item->found)
            log_warning(
                "a message of a failed APPEND may be left, which cannot be told from others");
        if (item->graph_id)
            made[n++] = (struct undo_item){.graph_id = item->found ? NULL : item->graph_id,
                                           .making = item->making};
        else if (item->making)
            undo_unmade(item, cause);
    }
    if (n)
        undo_made(items[0].to->account, made, n, items[0].wait);
    for (size_t i = 0; i < count; i++) {
        free(items[i].graph_id);
        items[i].graph_id = NULL;
        items[i].making = 0;
    }
    free(made);
}

/* Graph refuses as malformed what JSON says of it: MIME may do. */
static bool may_go_otherwise(const struct append_item *item, enum config_append how,
                             const struct error *e)
{
    return how == APPEND_AUTO && e->kind == ERROR_REQUEST && item->len <= MIME_MAX;
}

static bool append_one(struct append_item *item, enum config_append how, struct error *e)
{
    enum way way;
    if (!choose(item, how, &way, e))
        return false;
    if (way == WAY_DRAFT)
        return append_by_draft(item, e);
    if (append_by_json(item, e))
        return true;
    if (!may_go_otherwise(item, how, e))
        return false;
    log_error_value(LOG_LEVEL_WARNING, e, "Graph refuses a message by JSON; it goes as MIME");
    undo(item, 1, e);
    error_clear(e);
    return append_by_draft(item, e);
}

/* ---- all of them ---- */

static bool read_state(const struct mailbox_append *given, struct arena *a,
                       struct graph_update *state, struct error *e)
{
    *state = (struct graph_update){.has = GRAPH_HAS_READ | GRAPH_HAS_FLAG | GRAPH_HAS_CATEGORIES,
                                   .is_read = given->flags & MAILBOX_SEEN,
                                   .flagged = given->flags & MAILBOX_FLAGGED,
                                   .imap_deleted = given->flags & MAILBOX_DELETED};
    if (given->flags & (MAILBOX_ANSWERED | MAILBOX_FORWARDED)) {
        state->has |= GRAPH_HAS_VERB;
        state->verb = given->flags & MAILBOX_ANSWERED ? GRAPH_VERB_REPLY : GRAPH_VERB_FORWARD;
    }
    if (state->imap_deleted)
        state->has |= GRAPH_HAS_IMAP_DELETED;
    state->categories = keywords_to_categories(given->keywords, a);
    return state->categories ||
           error_set(e, ERROR_CANNOT, "a keyword of the message stands for no category");
}

/* What is needed of a message for as long as it is on its way. */
static bool append_given(struct append_item *item, enum config_append how, struct error *e)
{
    struct arena *a = arena_new();
    struct graph_update state;
    struct composed composed;
    struct store_spool *spool = item->given->upload->spool;
    item->message = store_spool_map(spool, e);
    item->len = (size_t)store_spool_size(spool);
    bool ok = item->message && read_state(item->given, a, &state, e);
    if (ok) {
        compose(item->message, item->len, a, &composed);
        item->state = &state;
        item->composed = &composed;
        ok = append_one(item, how, e);
    }
    item->state = NULL;
    item->composed = NULL;
    arena_free(&a);
    return ok;
}

/* The journal lets go of all of them at once. Until it has, they would be undone after a restart,
 * so an append that cannot be taken off it has failed. */
static bool commit(const struct append_item *items, size_t count, struct error *e)
{
    struct mailbox_account *a = items[0].to->account;
    struct store_tx *tx = store_tx_begin(a->db, e);
    bool ok = tx != NULL;
    for (size_t i = 0; ok && i < count; i++)
        ok = store_making_end(a->db, items[i].making, e);
    ok = ok && store_tx_commit(&tx, e);
    store_tx_rollback(&tx);
    if (!ok)
        account_check(a);
    return ok;
}

static void tell_arrivals(struct append_item *items, size_t count, uint32_t *uids)
{
    struct mailbox_folder *to = items[0].to;
    const char **ids = xcalloc(count, sizeof *ids);
    struct error e = ERROR_INIT;
    for (size_t i = 0; i < count; i++)
        ids[i] = items[i].graph_id;
    /* They are there all the same: only the answer cannot tell their UIDs. */
    if (!arrive(to, ids, count, uids, items[0].wait, &e))
        log_error_value(LOG_LEVEL_WARNING, &e, "no UIDs of what was appended to %s", to->path);
    free(ids);
}

bool mailbox_append(struct mailbox_folder *to, const struct mailbox_append *given, size_t count,
                    enum config_append how, uint32_t *uids, struct wait *w, struct error *e)
{
    struct append_item *items = xcalloc(count + 1, sizeof *items);
    struct claims_command command;
    bool ok = true;
    claims_begin(to->account->claims, &command);
    memset(uids, 0, count * sizeof *uids);
    for (size_t i = 0; ok && i < count; i++) {
        items[i] = (struct append_item){.to = to, .given = &given[i], .wait = w};
        ok = append_given(&items[i], how, e);
        if (!ok)
            undo(items, i + 1, e);
    }
    if (ok && count && !commit(items, count, e)) {
        undo(items, count, e);
        ok = false;
    }
    if (ok && count)
        tell_arrivals(items, count, uids);
    if (!ok && e->kind == ERROR_FOLDER_GONE)
        tree_forget(to);
    claims_end(to->account->claims, &command);
    for (size_t i = 0; i < count; i++)
        free(items[i].graph_id);
    free(items);
    return ok;
}
