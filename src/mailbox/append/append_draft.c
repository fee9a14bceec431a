/* APPEND by MIME. Graph pages: user: post messages (MIME); message: update; message: move. */
#include "append.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define DRAFTS "drafts"
/* What was lost and not done is repeated so often. */
#define REPEATS_MAX 2
#define KNOWN_MAX   ((size_t)1024 * 1024)

struct draft {
    struct append_item *item;
    struct arena *arena;
    char *drafts;           /* id of the folder */
    const char *message_id; /* what it is looked for by */
    struct buf mime;        /* as it is posted; empty: as it was given */
    struct buf known;       /* ids found by the message id before */
};

static struct graph_user *user_of(const struct draft *d)
{
    return d->item->to->account->user;
}

/* Is the id among those that were there before? The list has a space behind each. */
static bool is_known(void *arg, const char *id)
{
    const struct draft *d = arg;
    size_t len = strlen(id);
    for (const char *p = buf_str(&d->known); *p; p += strcspn(p, " ") + 1)
        if (strncmp(p, id, len) == 0 && p[len] == ' ')
            return true;
    return false;
}

static void note(void *arg, const char *id)
{
    struct draft *d = arg;
    buf_printf(&d->known, "%s ", id);
}

/* Programs save a draft again and again under one Message-ID. */
static bool note_known(struct draft *d, struct error *e)
{
    return find_each(d->item->to->account, d->drafts, GRAPH_FIND_MESSAGE_ID, d->message_id, note, d,
                     d->item->wait, e) &&
           (!d->known.overflow ||
            error_set(e, ERROR_CANNOT, "too many drafts have the Message-ID %s", d->message_id));
}

/* A message without a Message-ID gets one, or nothing would tell it from others. */
static void name_it(struct draft *d)
{
    const struct append_item *item = d->item;
    char guid[GUID_SIZE];
    d->message_id = compose_message_id(item->message, item->len, d->arena);
    if (d->message_id)
        return;
    guid_make(guid);
    d->message_id = arena_printf(d->arena, "<%s@postern.invalid>", guid);
    buf_printf(&d->mime, "Message-ID: %s\r\n", d->message_id);
    buf_append(&d->mime, item->message, item->len);
}

static struct graph_call *post(struct draft *d, struct error *e)
{
    const struct append_item *item = d->item;
    const char *bytes = d->mime.len ? d->mime.data : item->message;
    size_t len = d->mime.len ? d->mime.len : item->len;
    if (d->mime.overflow)
        len = GRAPH_REQUEST_MAX + 1; /* too long before it had its id */
    return graph_draft_start(user_of(d), append_as(item), bytes, len, e);
}

/* 200 without a message was seen for large ones: only an id is proof. */
static bool take_id(struct draft *d, struct graph_call *call, struct error *e)
{
    struct graph_message m;
    return graph_message_decode(call, d->arena, &m, e) && append_made(d->item, m.id, false, e);
}

static int look(struct draft *d, struct error *e)
{
    char *id = NULL;
    error_clear(e);
    int found = find_new(d->item->to->account, d->drafts, GRAPH_FIND_MESSAGE_ID, d->message_id,
                         is_known, d, &id, d->item->wait, e);
    if (found == 1 && !append_made(d->item, id, d->mime.len == 0, e))
        found = -1;
    free(id);
    return found;
}

static bool make(struct draft *d, struct error *e)
{
    for (unsigned repeats = 0;; repeats++) {
        struct append_item *item = d->item;
        struct claims *claims = item->to->account->claims;
        claims_sent(claims, &item->request, d->drafts);
        struct graph_call *call = post(d, e);
        bool ok = call && graph_call_wait(call, item->wait, e) && take_id(d, call, e);
        claims_answered(claims, &item->request, item->graph_id);
        if (!call)
            return false;
        graph_call_free(&call);
        if (ok || d->item->graph_id || (e->kind != ERROR_UNKNOWN_WRITE && e->kind != ERROR_ANSWER))
            return ok;
        struct error cause = *e;
        int found = look(d, e);
        if (found < 0 && !d->item->graph_id)
            return append_unsettled(&cause, e);
        if (found != 0)
            return found > 0;
        *e = cause;
        if (repeats == REPEATS_MAX)
            return false;
    }
}

static bool is_in_target(struct draft *d, struct graph_call *call, bool *there, struct error *e)
{
    struct graph_message m;
    bool ok = graph_message_decode(call, d->arena, &m, e);
    *there =
        ok && (m.has & GRAPH_HAS_PARENT) && strcmp(m.parent_folder_id, d->item->to->graph_id) == 0;
    return ok;
}

static bool move(struct draft *d, struct error *e)
{
    const struct append_item *item = d->item;
    bool there = false;
    for (unsigned tries = 0; tries <= REPEATS_MAX && !there; tries++) {
        struct graph_call *call =
            graph_move_start(user_of(d), append_as(item), item->graph_id, item->to->graph_id);
        bool ok = graph_call_wait(call, item->wait, e) && is_in_target(d, call, &there, e);
        graph_call_free(&call);
        if (!ok && e->kind != ERROR_UNKNOWN_WRITE && e->kind != ERROR_ANSWER &&
            e->kind != ERROR_GONE)
            return false;
        if (there)
            break;
        call = graph_message_start(user_of(d), append_as(item), item->graph_id);
        ok = graph_call_wait(call, item->wait, e) && is_in_target(d, call, &there, e);
        graph_call_free(&call);
        if (!ok)
            return false;
    }
    return there ||
           error_set(e, ERROR_FOLDER_GONE, "an appended message cannot be moved from Drafts to %s",
                     item->to->path);
}

static bool run(struct draft *d, struct error *e)
{
    struct append_item *item = d->item;
    d->drafts = tree_well_known(item->to->account, DRAFTS, item->wait, e);
    if (!d->drafts)
        return false;
    name_it(d);
    return note_known(d, e) && append_begin(item, d->drafts, NULL, e) && make(d, e) &&
           append_wait(item,
                       graph_update_start(user_of(d), append_as(item), item->graph_id, item->state),
                       e) &&
           (strcmp(d->drafts, item->to->graph_id) == 0 || move(d, e));
}

bool append_by_draft(struct append_item *item, struct error *e)
{
    struct draft d = {.item = item, .arena = arena_new()};
    buf_init(&d.mime, GRAPH_REQUEST_MAX);
    buf_init(&d.known, KNOWN_MAX);
    bool ok = run(&d, e);
    buf_free(&d.mime);
    buf_free(&d.known);
    free(d.drafts);
    arena_free(&d.arena);
    return ok;
}
