/* APPEND by JSON. Graph pages: user: post messages; message: post attachments; attachment:
 * createUploadSession; singleValueLegacyExtendedProperty. */
#include "append.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Decoded bytes of files that go with the message itself; in base64 they leave room for its text.
 */
#define TOGETHER_MAX ((size_t)2 * 1000 * 1000)
/* A message that could not be completed is made anew so often. */
#define REPEATS_MAX 2

/* What the last piece of a file is answered with. */
#define ATTACHED_STATUS 201

/* PidTagMessageFlags: submitted (4), which is to say no draft, and read (1). */
#define FLAGS_UNREAD "4"
#define FLAGS_READ   "5"

struct json_append {
    struct append_item *item;
    struct graph_attachment *files;
    struct buf *bytes; /* of the files that go with the message */
    size_t together;   /* so many */
    char mark[GUID_SIZE];
};

static struct graph_user *user_of(const struct append_item *item)
{
    return item->to->account->user;
}

/* ---- what is sent ---- */

static void describe(const struct compose_file *from, struct graph_attachment *to)
{
    *to = (struct graph_attachment){.name = from->name,
                                    .content_type = from->content_type,
                                    .content_id = from->content_id,
                                    .is_inline = from->is_inline};
}

/* The first files go with the message as long as there is room, so that their order stays. */
static bool gather(struct json_append *j, struct error *e)
{
    const struct composed *c = j->item->composed;
    size_t room = TOGETHER_MAX;
    bool open = true;
    for (size_t i = 0; i < c->file_count; i++) {
        const struct compose_file *f = &c->files[i];
        describe(f, &j->files[i]);
        /* Decoding never makes more of it. */
        if (f->raw_len > 2 * GRAPH_ATTACHMENT_MAX)
            return error_set(e, ERROR_TOO_BIG,
                             "the file \"%s\" is over the %zu MB that Exchange "
                             "takes",
                             f->name, GRAPH_ATTACHMENT_MAX / 1000000);
        if (!open)
            continue;
        buf_init(&j->bytes[i], room);
        open = compose_file_decode(f, &j->bytes[i]);
        if (!open) {
            buf_free(&j->bytes[i]);
            continue;
        }
        room -= j->bytes[i].len;
        j->files[i].data = buf_str(&j->bytes[i]);
        j->files[i].len = j->bytes[i].len;
        j->together++;
    }
    return true;
}

static void put_property(struct graph_new *m, const char *id, const char *value)
{
    m->properties[m->property_count++] = (struct graph_pair){.name = id, .value = value};
}

static struct graph_call *create(struct json_append *j, struct error *e)
{
    struct append_item *item = j->item;
    struct graph_new m = item->composed->message; /* the spare properties are behind its own */
    bool draft = item->given->flags & MAILBOX_DRAFT;
    char received[CLOCK_ISO_SIZE];
    int64_t date = item->given->date_ms;
    clock_format_iso(date == INT64_MIN ? clock_wall_ms() : date, received);
    put_property(&m, GRAPH_APPEND_MARK, j->mark);
    put_property(&m, "SystemTime 0x0E06", received);
    if (!draft)
        put_property(&m, "Integer 0x0E07",
                     item->given->flags & MAILBOX_SEEN ? FLAGS_READ : FLAGS_UNREAD);
    return graph_create_start(user_of(item), append_as(item), item->to->graph_id, &m, item->state,
                              j->files, j->together, e);
}

/* ---- the message ---- */

static bool is_never_old(void *arg, const char *id)
{
    (void)arg;
    (void)id;
    return false;
}

/* The answer was lost. 1: the message is there after all; 0: it is not. */
static int look(struct json_append *j, struct error *e)
{
    struct append_item *item = j->item;
    char *id = NULL;
    error_clear(e);
    int found = find_new(item->to->account, item->to->graph_id, GRAPH_FIND_MARK, j->mark,
                         is_never_old, NULL, &id, item->wait, e);
    if (found == 1 && !append_made(item, id, false, e))
        found = -1;
    free(id);
    return found;
}

static bool take_id(struct json_append *j, struct graph_call *call, struct error *e)
{
    struct arena *a = arena_new();
    struct graph_message m;
    bool ok = graph_message_decode(call, a, &m, e) && append_made(j->item, m.id, false, e);
    arena_free(&a);
    return ok;
}

/* Some header that we pass on is not to Graph's taste; the message is more than its X-fields. */
static bool drop_headers(struct json_append *j, const struct error *e)
{
    bool drop = j->item->composed->message.header_count && e->kind == ERROR_REQUEST &&
                strncasecmp(e->code, "InvalidInternetMessageHeader", 28) == 0;
    if (drop)
        j->item->composed->message.header_count = 0;
    return drop;
}

/* With its files the message is too large for one request: they follow it. */
static bool part_with_files(struct json_append *j, const struct error *e)
{
    bool part = j->together && e->kind == ERROR_TOO_BIG;
    if (part)
        j->together = 0;
    return part;
}

static bool make(struct json_append *j, struct error *e)
{
    for (unsigned repeats = 0;;) {
        struct append_item *item = j->item;
        struct claims *claims = item->to->account->claims;
        claims_sent(claims, &item->request, item->to->graph_id);
        struct graph_call *call = create(j, e);
        bool ok = call && graph_call_wait(call, item->wait, e) && take_id(j, call, e);
        claims_answered(claims, &item->request, item->graph_id);
        graph_call_free(&call);
        if (ok)
            return true;
        if (drop_headers(j, e) || part_with_files(j, e)) {
            error_clear(e);
            continue;
        }
        if (j->item->graph_id || (e->kind != ERROR_UNKNOWN_WRITE && e->kind != ERROR_ANSWER))
            return false;
        struct error cause = *e;
        int found = look(j, e);
        if (found < 0 && !j->item->graph_id)
            return append_unsettled(&cause, e);
        if (found != 0)
            return found > 0;
        *e = cause;
        if (repeats++ == REPEATS_MAX)
            return false;
    }
}

/* ---- its files ---- */

static bool send_pieces(struct json_append *j, const char *url, const struct graph_attachment *file,
                        struct error *e)
{
    const char *bytes = file->data;
    for (size_t at = 0; at < file->len;) {
        size_t len = file->len - at < GRAPH_PIECE ? file->len - at : GRAPH_PIECE;
        struct graph_call *call = graph_piece_start(user_of(j->item), append_as(j->item), url,
                                                    bytes + at, len, at, file->len);
        bool ok = graph_call_wait(call, j->item->wait, e);
        at += len;
        if (ok && at == file->len && graph_call_status(call) != ATTACHED_STATUS)
            ok = error_set(e, ERROR_ANSWER, "Graph took the last piece of a file for none");
        graph_call_free(&call);
        if (!ok)
            return false;
    }
    return true;
}

static bool send_large(struct json_append *j, const struct graph_attachment *file, struct error *e)
{
    struct arena *a = arena_new();
    const char *url;
    struct graph_call *call =
        graph_session_start(user_of(j->item), append_as(j->item), j->item->graph_id, file);
    bool ok = graph_call_wait(call, j->item->wait, e) && graph_session_decode(call, a, &url, e);
    graph_call_free(&call);
    ok = ok && send_pieces(j, url, file, e);
    arena_free(&a);
    return ok;
}

static bool send_small(struct json_append *j, const struct graph_attachment *file, struct error *e)
{
    return append_wait(
        j->item, graph_attach_start(user_of(j->item), append_as(j->item), j->item->graph_id, file),
        e);
}

/* Whether Graph's "3 MB" are 3,000,000 bytes or 3,145,728, and what fits into its 4 MB together
 * with the rest, nobody says: a file refused for its size goes the other way. */
static bool send_either_way(struct json_append *j, const struct graph_attachment *file,
                            struct error *e)
{
    static const char too_small[] = "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize";
    bool large = file->len >= GRAPH_ATTACH_MAX;
    if (large ? send_large(j, file, e) : send_small(j, file, e))
        return true;
    if (large ? strcasecmp(e->code, too_small) != 0 : e->kind != ERROR_TOO_BIG)
        return false;
    error_clear(e);
    return large ? send_small(j, file, e) : send_large(j, file, e);
}

static bool send_file(struct json_append *j, size_t index, struct error *e)
{
    struct buf bytes = BUF_INIT(GRAPH_ATTACHMENT_MAX);
    struct graph_attachment file = j->files[index];
    bool ok = compose_file_decode(&j->item->composed->files[index], &bytes) ||
              error_set(e, ERROR_TOO_BIG, "the file \"%s\" is over the %zu MB that Exchange takes",
                        file.name, GRAPH_ATTACHMENT_MAX / 1000000);
    file.data = buf_str(&bytes);
    file.len = bytes.len;
    ok = ok && send_either_way(j, &file, e);
    buf_free(&bytes);
    return ok;
}

static bool send_files(struct json_append *j, struct error *e)
{
    bool ok = true;
    for (size_t i = j->together; ok && i < j->item->composed->file_count; i++)
        ok = send_file(j, i, e);
    return ok;
}

/* ---- what came of it ---- */

static bool has_category(const struct graph_message *m, const char *category)
{
    for (const char **c = m->categories; *c; c++)
        if (strcasecmp(*c, category) == 0)
            return true;
    return false;
}

/* Does it lack some of the state that it was made with? What is not told is taken for so. */
static bool lacks_state(const struct graph_message *m, const struct graph_update *state)
{
    bool flagged = m->flag_status && strcmp(m->flag_status, "flagged") == 0;
    if (((m->has & GRAPH_HAS_READ) && m->is_read != state->is_read) ||
        ((m->has & GRAPH_HAS_FLAG) && flagged != state->flagged) ||
        ((state->has & GRAPH_HAS_VERB) && m->verb != state->verb) ||
        ((state->has & GRAPH_HAS_IMAP_DELETED) && m->imap_deleted != state->imap_deleted))
        return true;
    bool lacks = false;
    for (const char **c = state->categories; !lacks && *c; c++)
        lacks = (m->has & GRAPH_HAS_CATEGORIES) && !has_category(m, *c);
    return lacks;
}

/* Does the message show what it was given? What can be mended is; the date and the draft mark are
 * told to IMAP as given whatever Graph made of them. */
static bool verify_once(struct append_item *item, struct error *e)
{
    struct arena *a = arena_new();
    struct graph_message m;
    struct graph_call *call = graph_message_start(user_of(item), append_as(item), item->graph_id);
    bool ok = graph_call_wait(call, item->wait, e) && graph_message_decode(call, a, &m, e);
    graph_call_free(&call);
    if (ok && (m.has & GRAPH_HAS_PARENT) && strcmp(m.parent_folder_id, item->to->graph_id) != 0)
        ok = error_set(e, ERROR_ANSWER, "Graph made a message in another folder than %s",
                       item->to->path);
    if (ok && (m.has & GRAPH_HAS_DRAFT) && m.is_draft && !(item->given->flags & MAILBOX_DRAFT))
        log_info("%s: Graph made a draft of an appended message", item->to->path);
    if (ok && lacks_state(&m, item->state))
        ok = append_wait(
            item, graph_update_start(user_of(item), append_as(item), item->graph_id, item->state),
            e);
    arena_free(&a);
    return ok;
}

/* A broken answer says nothing against the message. */
static bool verify(struct json_append *j, struct error *e)
{
    if (verify_once(j->item, e))
        return true;
    if (e->kind != ERROR_ANSWER)
        return false;
    error_clear(e);
    return verify_once(j->item, e);
}

/* A message that lacks a file goes, and is made anew: nobody knows what of the file arrived. */
static bool start_over(struct json_append *j, const struct error *cause)
{
    struct append_item *item = j->item;
    const struct undo_item undo = {.graph_id = item->graph_id, .making = item->making};
    if (cause->kind != ERROR_UNKNOWN_WRITE && cause->kind != ERROR_ANSWER)
        return false;
    undo_made(item->to->account, &undo, 1, item->wait);
    free(item->graph_id);
    item->graph_id = NULL;
    item->making = 0;
    return true;
}

static bool attempt(struct json_append *j, struct error *e)
{
    struct append_item *item = j->item;
    guid_make(j->mark);
    return append_begin(item, item->to->graph_id, j->mark, e) && make(j, e) && send_files(j, e);
}

bool append_by_json(struct append_item *item, struct error *e)
{
    struct json_append j = {.item = item};
    size_t count = item->composed->file_count;
    if (item->composed->too_big)
        return error_set(e, ERROR_TOO_BIG,
                         "the text of the message is over the %zu MB that a "
                         "request of Graph takes",
                         GRAPH_REQUEST_MAX / 1000000);
    j.files = xcalloc(count + 1, sizeof *j.files);
    j.bytes = xcalloc(count + 1, sizeof *j.bytes);
    bool ok = gather(&j, e);
    if (ok)
        ok = (attempt(&j, e) || (item->graph_id && start_over(&j, e) && attempt(&j, e))) &&
             verify(&j, e);
    for (size_t i = 0; i < count; i++)
        buf_free(&j.bytes[i]);
    free(j.files);
    free(j.bytes);
    return ok;
}
