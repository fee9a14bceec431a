#include "content.h"

#include "model.h"
#include "summary.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/mime/structure.h"
#include "postern/mime/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct content *content_new(struct json_object *members, int64_t sent_ms)
{
    struct content *x = xcalloc(1, sizeof *x);
    x->members = json_object_new_object();
    x->sent_ms = sent_ms;
    json_object_object_foreach(members, name, value)
    {
        json_object_object_add(x->members, name, json_object_get(value));
    }
    if (!json_object_object_get_ex(members, "internetMessageId", NULL)) {
        char guid[GUID_SIZE];
        guid_make(guid);
        char *id = xasprintf("<%s@sandbox.prod.outlook.com>", guid);
        content_set(x, "internetMessageId", json_object_new_string(id));
        free(id);
    }
    return x;
}

void content_set(struct content *x, const char *member, struct json_object *value)
{
    json_object_object_add(x->members, member, value);
}

static void set_string(struct content *x, const char *member, const char *value)
{
    if (value)
        content_set(x, member, json_object_new_string(value));
}

static void set_people(struct content *x, struct arena *arena, const char *mime, size_t len)
{
    static const struct {
        const char *member, *field;
        bool single;
    } people[] = {{"from", "From", true},          {"sender", "Sender", true},
                  {"toRecipients", "To", false},   {"ccRecipients", "Cc", false},
                  {"bccRecipients", "Bcc", false}, {"replyTo", "Reply-To", false}};
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        struct json_object *list = summary_recipients(arena, mime, len, people[i].field);
        bool any = json_object_array_length(list) > 0;
        if (any)
            content_set(
                x, people[i].member,
                json_object_get(people[i].single ? json_object_array_get_idx(list, 0) : list));
        json_object_put(list);
    }
}

static char *decode(const struct mime_part *part, const char *mime, size_t *len)
{
    struct buf out = BUF_INIT(MESSAGE_MAX);
    const char *encoding = part->encoding ? part->encoding : "";
    mime_transfer_decode(mime_transfer_of(encoding, strlen(encoding)), mime + part->body.start,
                         part->body.len, &out);
    *len = out.len;
    return buf_steal(&out);
}

static void set_body(struct content *x, struct arena *arena, const struct mime_part *part,
                     const char *mime)
{
    size_t len;
    char *text = decode(part, mime, &len);
    bool html = mime_value_is(&part->content_type, "text", "html");
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, "contentType", json_object_new_string(html ? "html" : "text"));
    json_object_object_add(body, "content",
                           json_object_new_string(summary_lines(arena, text, len)));
    content_set(x, "body", body);
    free(text);
}

static char *file_name(const struct mime_part *part)
{
    struct buf name = BUF_INIT(SUMMARY_HEADER_MAX);
    if (!mime_param_decode(&part->disposition, "filename", &name))
        mime_param_decode(&part->content_type, "name", &name);
    return name.len ? buf_steal(&name) : xstrdup("attachment");
}

static void attach_part(struct content *x, const struct mime_part *part, const char *mime)
{
    struct attachment a = {.name = file_name(part), .modified_ms = x->sent_ms};
    const char *subtype = part->content_type.subtype ? part->content_type.subtype : "";
    a.kind = part->kind == MIME_MESSAGE ? ATTACHMENT_ITEM : ATTACHMENT_FILE;
    if (a.kind == ATTACHMENT_FILE)
        a.content_type = xasprintf("%s/%s", part->content_type.type, subtype);
    a.content_id = xstrdup_null(part->id);
    a.is_inline = part->id && mime_value_is(&part->disposition, "inline", NULL);
    a.bytes = decode(part, mime, &a.size);
    content_attach(x, &a);
}

/* The first text is the body, or the first HTML beside it; what is left is attached. */
static void take_parts(struct content *x, struct arena *arena, const char *mime, size_t len)
{
    struct mime_structure s;
    mime_structure_parse(mime, len, arena, &s);
    size_t body = MIME_NO_PART;
    for (size_t i = 0; i < s.count && s.parts[i].kind != MIME_MESSAGE; i++) {
        const struct mime_value *type = &s.parts[i].content_type;
        bool attached = mime_value_is(&s.parts[i].disposition, "attachment", NULL);
        bool html = mime_value_is(type, "text", "html");
        if (!attached && (html || (body == MIME_NO_PART && mime_value_is(type, "text", "plain"))))
            body = i;
        if (html)
            break;
    }
    for (size_t i = 0; i < s.count; i++) {
        const struct mime_part *part = &s.parts[i];
        size_t up = part->parent;
        while (up != MIME_NO_PART && s.parts[up].kind == MIME_MULTIPART)
            up = s.parts[up].parent;
        bool alternative =
            part->parent != MIME_NO_PART &&
            mime_value_is(&s.parts[part->parent].content_type, "multipart", "alternative") &&
            strcasecmp(part->content_type.type, "text") == 0;
        if (i == body)
            set_body(x, arena, part, mime);
        else if (part->kind != MIME_MULTIPART && up == MIME_NO_PART && !alternative)
            attach_part(x, part, mime);
    }
}

struct content *content_of_mime(const char *mime, size_t len, int64_t sent_ms)
{
    struct arena *arena = arena_new();
    struct content *x = xcalloc(1, sizeof *x);
    x->members = json_object_new_object();
    x->sent_ms = summary_sent(mime, len, sent_ms);
    set_string(x, "subject", summary_text(arena, mime, len, "Subject"));
    set_string(x, "internetMessageId", summary_raw(arena, mime, len, "Message-ID"));
    x->references = xstrdup_null(summary_raw(arena, mime, len, "References"));
    x->in_reply_to = xstrdup_null(summary_raw(arena, mime, len, "In-Reply-To"));
    set_people(x, arena, mime, len);
    take_parts(x, arena, mime, len);
    arena_free(&arena);
    return x;
}

struct content *content_copy(const struct content *from)
{
    struct content *x = content_new(from->members, from->sent_ms);
    x->references = xstrdup_null(from->references);
    x->in_reply_to = xstrdup_null(from->in_reply_to);
    for (size_t i = 0; i < from->count; i++) {
        struct attachment a = from->items[i];
        a.name = xstrdup_null(a.name);
        a.content_type = xstrdup_null(a.content_type);
        a.content_id = xstrdup_null(a.content_id);
        a.content_location = xstrdup_null(a.content_location);
        a.bytes = memcpy(xmalloc(a.size + 1), a.bytes, a.size + 1);
        content_attach(x, &a);
    }
    return x;
}

void attachment_free(struct attachment *a)
{
    free(a->name);
    free(a->content_type);
    free(a->content_id);
    free(a->content_location);
    free(a->bytes);
    *a = (struct attachment){0};
}

void content_free(struct content *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->count; i++)
        attachment_free(&x->items[i]);
    free(x->items);
    free(x->references);
    free(x->in_reply_to);
    json_object_put(x->members);
    free(x);
}

struct attachment *content_attach(struct content *x, struct attachment *a)
{
    x->items = xreallocarray(x->items, x->count + 1, sizeof *x->items);
    a->serial = ++x->last_serial;
    x->items[x->count] = *a;
    *a = (struct attachment){0};
    return &x->items[x->count++];
}

struct attachment *content_find(const struct content *x, uint32_t serial)
{
    for (size_t i = 0; i < x->count; i++) {
        if (x->items[i].serial == serial)
            return &x->items[i];
    }
    return NULL;
}

void content_detach(struct content *x, uint32_t serial)
{
    struct attachment *a = content_find(x, serial);
    if (!a)
        return;
    attachment_free(a);
    size_t after = x->count - (size_t)(a - x->items) - 1;
    memmove(a, a + 1, after * sizeof *a);
    x->count--;
}
