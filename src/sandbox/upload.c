#include "upload.h"

#include "attachments.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_upload(struct upload *u)
{
    attachment_free(&u->attachment);
    buf_free(&u->bytes);
    free(u->path);
    free(u);
}

void uploads_free(struct uploads *u)
{
    for (size_t i = 0; i < u->count; i++)
        free_upload(u->items[i]);
    u->count = 0;
}

static void drop(struct uploads *u, struct upload *one)
{
    for (size_t i = 0; i < u->count; i++) {
        if (u->items[i] == one) {
            u->items[i] = u->items[--u->count];
            free_upload(one);
            return;
        }
    }
}

static struct upload *find(const struct sandbox *s, const struct request *r)
{
    const char *token = NULL;
    for (size_t i = 0; i < r->param_count; i++) {
        if (strcmp(r->params[i].name, "authtoken") == 0)
            token = r->params[i].value;
    }
    for (size_t i = 0; token && i < s->uploads.count; i++) {
        struct upload *u = s->uploads.items[i];
        if (strcmp(u->token, token) == 0 && strcmp(u->path, r->path) == 0)
            return u;
    }
    return NULL;
}

struct mailbox *upload_mailbox(const struct sandbox *s, const struct request *r)
{
    const struct upload *u = find(s, r);
    return u ? u->b : NULL;
}

/* -- opening ------------------------------------------------------------------------------- */

static const char *string_of(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string)
               ? json_object_get_string(v)
               : NULL;
}

static bool check_item(struct call *c, struct json_object *item, int64_t *size)
{
    static const char *const known[] = {"attachmentType", "name",      "size", "contentType",
                                        "isInline",       "contentId", NULL};
    struct json_object *number = NULL;
    const char *type = string_of(item, "attachmentType"), *name = string_of(item, "name");
    json_object_object_foreach(item, member, value)
    {
        (void)value;
        size_t i = 0;
        while (known[i] && strcmp(known[i], member) != 0)
            i++;
        if (!known[i])
            return graph_error(c, 400, "UnableToDeserializePostBody",
                               "were unable to deserialize %s", member);
    }
    if (!type || strcmp(type, "file") != 0 || !name || !*name ||
        !json_object_object_get_ex(item, "size", &number) ||
        !json_object_is_type(number, json_type_int))
        return graph_error(c, 400, "ErrorInvalidRequest",
                           "AttachmentItem needs attachmentType \"file\", name and size.");
    *size = json_object_get_int64(number);
    if (*size < UPLOAD_SIZE_MIN)
        return graph_error(c, 400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
                           "Attachment size must be greater than the minimum size.");
    return *size <= UPLOAD_SIZE_MAX ||
           graph_error(c, 413, "ErrorAttachmentSizeLimitExceeded",
                       "The attachment exceeds the largest size that is supported.");
}

/* Exchange's own API shows through: another host, another version, its way of writing keys. */
static const char *session_path(struct call *c, const struct message *m)
{
    char id[ID_SIZE], guid[GUID_SIZE];
    struct arena *arena = c->r->arena;
    id_message(c->b, m, c->immutable, id);
    guid_make(guid);
    return arena_printf(arena, "/api/v2.0/Users('%s@%s')/Messages('%s')/AttachmentSessions('%s')",
                        c->b->guid, c->s->tokens.tenant ? c->s->tokens.tenant : "tenant", id, guid);
}

static struct upload *open_upload(struct call *c, struct message *m, struct json_object *item,
                                  int64_t size)
{
    struct json_object *is_inline = NULL;
    uint8_t raw[(UPLOAD_TOKEN_SIZE - 1) / 2];
    struct upload *u = xcalloc(1, sizeof *u);
    json_object_object_get_ex(item, "isInline", &is_inline);
    random_bytes(raw, sizeof raw);
    hex_encode(raw, sizeof raw, u->token);
    u->path = xstrdup(session_path(c, m));
    u->b = c->b;
    u->message = m->serial;
    u->immutable = c->immutable;
    u->total = size;
    u->expires_ms = clock_wall_ms() + c->s->settings.upload_life_s * 1000;
    u->attachment =
        (struct attachment){.kind = ATTACHMENT_FILE,
                            .name = xstrdup(string_of(item, "name")),
                            .content_type = xstrdup_null(string_of(item, "contentType")),
                            .content_id = xstrdup_null(string_of(item, "contentId")),
                            .is_inline = json_object_get_boolean(is_inline)};
    buf_init(&u->bytes, (size_t)UPLOAD_SIZE_MAX);
    c->s->uploads.items[c->s->uploads.count++] = u;
    return u;
}

static void answer_session(struct call *c, const struct upload *u)
{
    char when[CLOCK_ISO_SIZE];
    clock_format_iso(u->expires_ms, when);
    struct json_object *ranges = json_object_new_array();
    json_object_array_add(ranges, json_object_new_string("0-"));
    struct json_object *o = json_object_new_object();
    json_object_object_add(
        o, "@odata.context",
        json_object_new_string(arena_printf(
            c->r->arena, "%s/v1.0/$metadata#microsoft.graph.uploadSession", c->r->origin)));
    json_object_object_add(
        o, "uploadUrl",
        json_object_new_string(arena_printf(c->r->arena, "%s%s?authtoken=%s", c->s->upload_origin,
                                            u->path, u->token)));
    json_object_object_add(o, "expirationDateTime", json_object_new_string(when));
    json_object_object_add(o, "nextExpectedRanges", ranges);
    answer_json(c->a, 201, o);
}

void upload_create(struct call *c, struct message *m)
{
    struct json_object *body = graph_check_options(c) ? graph_body(c) : NULL;
    struct json_object *item = NULL;
    int64_t size = 0;
    if (!body)
        return;
    graph_tells_ids(c);
    if (!json_object_object_get_ex(body, "AttachmentItem", &item) ||
        !json_object_is_type(item, json_type_object) || json_object_object_length(body) != 1)
        graph_error(c, 400, "ErrorInvalidRequest",
                    "The parameter AttachmentItem is missing, of the wrong type, or not alone.");
    else if (check_item(c, item, &size)) {
        if (c->s->uploads.count == UPLOADS_MAX)
            drop(&c->s->uploads, c->s->uploads.items[0]);
        answer_session(c, open_upload(c, m, item, size));
    }
    json_object_put(body);
}

/* -- pieces -------------------------------------------------------------------------------- */

static bool read_range(const char *text, int64_t *first, int64_t *last, int64_t *total)
{
    char end;
    return text && sscanf(text, "bytes %" SCNd64 "-%" SCNd64 "/%" SCNd64 "%c", first, last, total,
                          &end) == 3;
}

/* In order, without a gap, of the size that was told. */
static bool check_piece(struct call *c, const struct upload *u)
{
    const char *range = request_header(c->r, "Content-Range");
    int64_t first, last, total;
    if (c->r->body_len > UPLOAD_PIECE_MAX)
        return graph_error(c, 413, "ErrorInvalidRequest", "A piece has at most 4 MB.");
    if (!read_range(range, &first, &last, &total) || total != u->total || first > last ||
        last >= total || (int64_t)c->r->body_len != last - first + 1)
        return graph_error(c, 400, "ErrorInvalidRequest",
                           "Content-Range '%s' does not fit the piece or the attachment.",
                           range ? range : "");
    return first == (int64_t)u->bytes.len ||
           graph_error(c, 416, "invalidRange",
                       "Uploaded fragment overlaps with existing data or leaves a gap; expected "
                       "%zu.",
                       u->bytes.len);
}

static void answer_progress(struct call *c, const struct upload *u)
{
    char when[CLOCK_ISO_SIZE];
    clock_format_iso(u->expires_ms, when);
    struct json_object *ranges = json_object_new_array();
    json_object_array_add(ranges,
                          json_object_new_string(arena_printf(c->r->arena, "%zu", u->bytes.len)));
    struct json_object *o = json_object_new_object();
    json_object_object_add(
        o, "@odata.context",
        json_object_new_string(arena_printf(
            c->r->arena, "%s/api/v2.0/$metadata#AttachmentSessions/$entity", c->s->upload_origin)));
    json_object_object_add(o, "ExpirationDateTime", json_object_new_string(when));
    json_object_object_add(o, "NextExpectedRanges", ranges);
    answer_json(c->a, 200, o);
}

/* The last piece: the attachment comes to be. Its place is told in Exchange's own way. */
static void finish(struct call *c, struct upload *u, struct message *m)
{
    u->attachment.size = u->bytes.len;
    u->attachment.bytes = buf_steal(&u->bytes);
    u->attachment.modified_ms = clock_wall_ms();
    const struct attachment *a = content_attach(message_content(m), &u->attachment);
    message_compose(m);
    message_touch(m, CHANGE_OTHER);
    graph_wrote(c, m);
    char id[ID_SIZE], own[ID_SIZE];
    id_message(c->b, m, u->immutable, id);
    id_attachment(m, a->serial, u->immutable, own);
    c->a->status = 201;
    answer_header(c->a, "Location",
                  arena_printf(c->r->arena,
                               "%s/api/v2.0/Users('%s')/Messages('%s')/Attachments('%s')",
                               c->s->upload_origin, c->b->guid, id, own));
    drop(&c->s->uploads, u);
}

static void put_piece(struct call *c, struct upload *u, struct message *m)
{
    if (!check_piece(c, u))
        return;
    buf_append(&u->bytes, c->r->body, c->r->body_len);
    if ((int64_t)u->bytes.len == u->total)
        finish(c, u, m);
    else
        answer_progress(c, u);
}

void upload_handle(struct sandbox *s, struct request *r, struct answer *a)
{
    struct call c = {.s = s, .r = r, .a = a};
    struct upload *u = find(s, r);
    if (request_header(r, "Authorization")) {
        journal_violation(&s->journal, "upload-authorization",
                          "%s %s: a token was sent to the host of an uploadUrl", r->method,
                          r->path);
        graph_error(&c, 401, "InvalidAuthenticationToken",
                    "Do not specify an Authorization header in requests to an uploadUrl.");
        return;
    }
    struct message *m = u ? u->b->messages[u->message] : NULL;
    if (!u || !m->folder || clock_wall_ms() >= u->expires_ms) {
        graph_error(&c, 404, "ErrorItemNotFound", "The upload session was not found or expired.");
        return;
    }
    c.b = u->b;
    if (strcmp(r->method, "PUT") == 0) {
        put_piece(&c, u, m);
    } else if (strcmp(r->method, "DELETE") == 0) {
        drop(&s->uploads, u);
        graph_no_content(&c);
    } else {
        graph_method_error(&c);
    }
}
