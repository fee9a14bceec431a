#include "render.h"

#include "summary.h"

#include "postern/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const members[] = {
    "id",
    "changeKey",
    "createdDateTime",
    "lastModifiedDateTime",
    "receivedDateTime",
    "sentDateTime",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "internetMessageId",
    "internetMessageHeaders",
    "subject",
    "body",
    "bodyPreview",
    "uniqueBody",
    "from",
    "sender",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "categories",
    "flag",
    "importance",
    "inferenceClassification",
    "isRead",
    "isDraft",
    "isReadReceiptRequested",
    "isDeliveryReceiptRequested",
    "hasAttachments",
    "webLink",
    NULL,
};
static const char *const flag_names[] = {"notFlagged", "complete", "flagged"};
static const char *const importance_names[] = {"low", "normal", "high"};

static const char *change_key(struct arena *arena, const struct mailbox *b, uint64_t change)
{
    uint8_t raw[24] = {0x09, 0, 0, 0, 0x16, 0, 0, 0};
    memcpy(raw + 8, b->key, 8);
    for (int i = 0; i < 8; i++)
        raw[16 + i] = (uint8_t)(change >> (56 - 8 * i));
    struct buf text = BUF_INIT(64);
    base64_encode(raw, sizeof raw, &text);
    char *key = arena_strdup(arena, buf_str(&text));
    buf_free(&text);
    return key;
}

void view_init(struct view *v, const struct sandbox *s, struct arena *arena, struct message *m)
{
    *v = (struct view){.m = m,
                       .s = s,
                       .arena = arena,
                       .scratch = BUF_INIT(MESSAGE_MAX),
                       .head_scratch = BUF_INIT(MESSAGE_MAX)};
}

void view_free(struct view *v)
{
    buf_free(&v->scratch);
    buf_free(&v->head_scratch);
}

const char *view_head(struct view *v, size_t *len)
{
    if (!v->head)
        v->head = message_head(v->m, &v->head_scratch, &v->head_len);
    *len = v->head_len;
    return v->head;
}

static const char *text_of(struct view *v)
{
    if (!v->mime)
        v->mime = message_mime(v->m, &v->scratch);
    return v->mime;
}

static void put_string(struct json_object *o, const char *name, const char *value)
{
    json_object_object_add(o, name, value ? json_object_new_string(value) : NULL);
}

static void put_date(struct json_object *o, const char *name, int64_t ms)
{
    char text[CLOCK_ISO_SIZE];
    clock_format_iso(ms, text);
    put_string(o, name, text);
}

/* The body of a message that is kept as content. NULL: it has none. */
static struct json_object *kept_body(const struct view *v)
{
    struct json_object *body = NULL;
    return v->m->content && json_object_object_get_ex(v->m->content->members, "body", &body) ? body
                                                                                             : NULL;
}

static const char *body_text(struct view *v)
{
    struct json_object *kept = kept_body(v), *text = NULL;
    if (kept && json_object_object_get_ex(kept, "content", &text))
        return json_object_get_string(text);
    return summary_body(v->arena, text_of(v), v->m->size);
}

static void put_body(struct view *v, const char *name, struct json_object *o)
{
    struct json_object *kept = kept_body(v);
    if (kept) {
        json_object_object_add(o, name, json_object_get(kept));
        return;
    }
    struct json_object *body = json_object_new_object();
    put_string(body, "contentType", "text");
    put_string(body, "content", body_text(v));
    json_object_object_add(o, name, body);
}

static void put_headers(struct view *v, struct json_object *o)
{
    const char *text = view_transport_headers(v);
    size_t size = text ? strlen(text) : 0, pos = 0;
    struct json_object *list = json_object_new_array();
    struct mime_field field;
    while (mime_field_next(text, size, &pos, &field)) {
        const char *name = arena_strndup(v->arena, field.name, field.name_len);
        struct json_object *one = json_object_new_object();
        put_string(one, "name", name);
        const char *value =
            summary_raw(v->arena, field.name, (size_t)(field.end - field.name), name);
        put_string(one, "value", value ? value : "");
        json_object_array_add(list, one);
    }
    json_object_object_add(o, "internetMessageHeaders", list);
}

/* Members that come from the record alone. */
static bool put_stored(struct call *c, struct view *v, const char *name, struct json_object *o)
{
    const struct message *m = v->m;
    char id[ID_SIZE];
    if (strcmp(name, "id") == 0) {
        id_message(c->b, m, c->immutable, id);
        put_string(o, name, id);
    } else if (strcmp(name, "changeKey") == 0) {
        put_string(o, name, change_key(v->arena, c->b, m->change));
    } else if (strcmp(name, "createdDateTime") == 0) {
        put_date(o, name, m->created_ms);
    } else if (strcmp(name, "lastModifiedDateTime") == 0) {
        put_date(o, name, m->modified_ms);
    } else if (strcmp(name, "receivedDateTime") == 0) {
        put_date(o, name, m->received_ms);
    } else if (strcmp(name, "parentFolderId") == 0) {
        id_folder(m->folder, id);
        put_string(o, name, id);
    } else if (strcmp(name, "categories") == 0) {
        struct json_object *list = json_object_new_array();
        for (size_t i = 0; m->categories && m->categories[i]; i++)
            json_object_array_add(list, json_object_new_string(m->categories[i]));
        json_object_object_add(o, name, list);
    } else if (strcmp(name, "flag") == 0) {
        struct json_object *flag = json_object_new_object();
        put_string(flag, "flagStatus", flag_names[m->flag]);
        json_object_object_add(o, name, flag);
    } else if (strcmp(name, "importance") == 0) {
        put_string(o, name, importance_names[m->importance]);
    } else if (strcmp(name, "inferenceClassification") == 0) {
        put_string(o, name, m->other_inbox ? "other" : "focused");
    } else if (strcmp(name, "isRead") == 0) {
        json_object_object_add(o, name, json_object_new_boolean(m->is_read));
    } else if (strcmp(name, "isDraft") == 0) {
        json_object_object_add(o, name, json_object_new_boolean(m->is_draft));
    } else if (strcmp(name, "isReadReceiptRequested") == 0) {
        json_object_object_add(o, name, json_object_new_boolean(m->read_receipt));
    } else if (strcmp(name, "isDeliveryReceiptRequested") == 0) {
        json_object_object_add(o, name, json_object_new_boolean(m->delivery_receipt));
    } else if (strcmp(name, "webLink") == 0) {
        id_message(c->b, m, false, id);
        put_string(o, name,
                   arena_printf(v->arena,
                                "https://outlook.office365.com/owa/?ItemID=%s&exvsurl=1&viewmodel="
                                "ReadMessageItem",
                                request_escape(v->arena, id, "")));
    } else {
        return false;
    }
    return true;
}

static const struct {
    const char *member, *field;
} people[] = {{"toRecipients", "To"},
              {"ccRecipients", "Cc"},
              {"bccRecipients", "Bcc"},
              {"replyTo", "Reply-To"}};

/* "from" and "sender": one person or null. */
static void put_person(struct view *v, const char *name, struct json_object *o)
{
    size_t len;
    const char *mime = view_head(v, &len);
    struct json_object *list = NULL;
    if (strcmp(name, "sender") == 0)
        list = summary_recipients(v->arena, mime, len, "Sender");
    if (!list || json_object_array_length(list) == 0) {
        json_object_put(list);
        list = summary_recipients(v->arena, mime, len, "From");
    }
    struct json_object *first = json_object_array_get_idx(list, 0);
    json_object_object_add(o, name, json_object_get(first));
    json_object_put(list);
}

/* Members that are derived from the text, all but the body from its header. */
static bool put_derived(struct call *c, struct view *v, const char *name, struct json_object *o)
{
    size_t len;
    const char *mime = view_head(v, &len);
    for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
        if (strcmp(name, people[i].member) == 0) {
            json_object_object_add(o, name,
                                   summary_recipients(v->arena, mime, len, people[i].field));
            return true;
        }
    }
    if (strcmp(name, "sentDateTime") == 0) {
        put_date(o, name, summary_sent(mime, len, v->m->received_ms));
    } else if (strcmp(name, "subject") == 0) {
        const char *subject = summary_text(v->arena, mime, len, "Subject");
        put_string(o, name, subject ? subject : "");
    } else if (strcmp(name, "internetMessageId") == 0) {
        put_string(o, name, summary_raw(v->arena, mime, len, "Message-ID"));
    } else if (strcmp(name, "internetMessageHeaders") == 0) {
        put_headers(v, o);
    } else if (strcmp(name, "body") == 0 || strcmp(name, "uniqueBody") == 0) {
        put_body(v, name, o);
    } else if (strcmp(name, "bodyPreview") == 0) {
        put_string(o, name, summary_characters(v->arena, body_text(v), PREVIEW_LENGTH));
    } else if (strcmp(name, "from") == 0 || strcmp(name, "sender") == 0) {
        put_person(v, name, o);
    } else if (strcmp(name, "hasAttachments") == 0) {
        json_object_object_add(o, name,
                               json_object_new_boolean(summary_has_attachments(mime, len)));
    } else if (strcmp(name, "conversationId") == 0) {
        char id[ID_SIZE];
        id_conversation(c->b, summary_topic(v->arena, mime, len), id);
        put_string(o, name, id);
    } else if (strcmp(name, "conversationIndex") == 0) {
        put_string(o, name, change_key(v->arena, c->b, v->m->serial));
    } else {
        return false;
    }
    return true;
}

bool render_member(struct call *c, struct view *v, const char *name, struct json_object *o)
{
    return put_stored(c, v, name, o) || put_derived(c, v, name, o);
}

/* What is told only if it is named in $select. */
static bool only_by_name(const char *member)
{
    return strcmp(member, "internetMessageHeaders") == 0 || strcmp(member, "uniqueBody") == 0;
}

static void put_expanded(struct json_object *o, struct json_object *list)
{
    if (json_object_array_length(list) > 0)
        json_object_object_add(o, "singleValueExtendedProperties", list);
    else
        json_object_put(list);
}

static void add_prop(struct json_object *list, const struct prop_id *id, const char *value)
{
    char text[PROP_ID_SIZE];
    if (!value)
        return;
    prop_id_format(id, text);
    struct json_object *one = json_object_new_object();
    put_string(one, "id", text);
    put_string(one, "value", value);
    json_object_array_add(list, one);
}

const char *render_etag(struct call *c, const struct message *m)
{
    return arena_printf(c->r->arena, "W/\"%s\"", change_key(c->r->arena, c->b, m->change));
}

struct json_object *render_message(struct call *c, struct message *m, const struct query *q)
{
    struct arena *arena = arena_new();
    struct view v;
    view_init(&v, c->s, arena, m);
    struct json_object *o = json_object_new_object();
    put_string(o, "@odata.etag", render_etag(c, m));
    if (m->kind != KIND_MESSAGE)
        put_string(o, "@odata.type", message_type_name((enum message_kind)m->kind));
    put_stored(c, &v, "id", o);
    for (size_t i = 1; members[i]; i++) {
        bool wanted = q->select_count ? query_selects(q, members[i]) : !only_by_name(members[i]);
        if (wanted)
            render_member(c, &v, members[i], o);
    }
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < q->expand_count; i++)
        add_prop(list, &q->expand[i], render_message_prop(&v, &q->expand[i]));
    put_expanded(o, list);
    view_free(&v);
    arena_free(&arena);
    return o;
}

void render_message_answer(struct call *c, int status, struct message *m, const struct query *q)
{
    struct json_object *o = json_object_new_object();
    put_string(o, "@odata.context", graph_context(c, "messages/$entity"));
    struct json_object *rest = render_message(c, m, q);
    json_object_object_foreach(rest, name, value)
    {
        json_object_object_add(o, name, json_object_get(value));
    }
    json_object_put(rest);
    answer_json(c->a, status, o);
}

/* For filters and sorting. */
static bool message_knows(const char *path)
{
    static const char *const more[] = {"flag/flagStatus", "from/emailAddress/address",
                                       "from/emailAddress/name", "sender/emailAddress/address",
                                       NULL};
    static const char *const scalar[] = {"subject",
                                         "internetMessageId",
                                         "conversationId",
                                         "receivedDateTime",
                                         "sentDateTime",
                                         "createdDateTime",
                                         "lastModifiedDateTime",
                                         "isRead",
                                         "isDraft",
                                         "hasAttachments",
                                         "importance",
                                         "inferenceClassification",
                                         "parentFolderId",
                                         NULL};
    for (size_t i = 0; more[i]; i++) {
        if (strcmp(more[i], path) == 0)
            return true;
    }
    for (size_t i = 0; scalar[i]; i++) {
        if (strcmp(scalar[i], path) == 0)
            return true;
    }
    return false;
}

static struct value string_value(const char *s)
{
    return (struct value){.kind = s ? VALUE_STRING : VALUE_NULL, .string = s};
}

static struct value text_member(struct view *v, const char *path)
{
    size_t len;
    const char *mime = view_head(v, &len);
    if (strcmp(path, "subject") == 0) {
        const char *subject = summary_text(v->arena, mime, len, "Subject");
        return string_value(subject ? subject : "");
    }
    if (strcmp(path, "internetMessageId") == 0)
        return string_value(summary_raw(v->arena, mime, len, "Message-ID"));
    if (strcmp(path, "from/emailAddress/address") == 0 ||
        strcmp(path, "sender/emailAddress/address") == 0)
        return string_value(summary_address(v->arena, mime, len, "From"));
    if (strcmp(path, "from/emailAddress/name") == 0)
        return string_value(summary_text(v->arena, mime, len, "From"));
    if (strcmp(path, "sentDateTime") == 0)
        return (struct value){.kind = VALUE_DATE,
                              .number = summary_sent(mime, len, v->m->received_ms)};
    if (strcmp(path, "hasAttachments") == 0)
        return (struct value){.kind = VALUE_BOOLEAN, .number = summary_has_attachments(mime, len)};
    char id[ID_SIZE];
    id_conversation(v->m->folder->mailbox, summary_topic(v->arena, mime, len), id);
    return string_value(arena_strdup(v->arena, id));
}

static struct value message_get(void *item, const char *path)
{
    struct view *v = item;
    const struct message *m = v->m;
    if (strcmp(path, "receivedDateTime") == 0)
        return (struct value){.kind = VALUE_DATE, .number = m->received_ms};
    if (strcmp(path, "createdDateTime") == 0)
        return (struct value){.kind = VALUE_DATE, .number = m->created_ms};
    if (strcmp(path, "lastModifiedDateTime") == 0)
        return (struct value){.kind = VALUE_DATE, .number = m->modified_ms};
    if (strcmp(path, "isRead") == 0)
        return (struct value){.kind = VALUE_BOOLEAN, .number = m->is_read};
    if (strcmp(path, "isDraft") == 0)
        return (struct value){.kind = VALUE_BOOLEAN, .number = m->is_draft};
    if (strcmp(path, "importance") == 0)
        return string_value(importance_names[m->importance]);
    if (strcmp(path, "inferenceClassification") == 0)
        return string_value(m->other_inbox ? "other" : "focused");
    if (strcmp(path, "flag/flagStatus") == 0)
        return string_value(flag_names[m->flag]);
    if (strcmp(path, "parentFolderId") == 0) {
        char id[ID_SIZE];
        id_folder(m->folder, id);
        return string_value(arena_strdup(v->arena, id));
    }
    return text_member(v, path);
}

static bool message_is_collection(const char *path)
{
    return strcmp(path, "categories") == 0;
}

static const char *const *message_collection(void *item, const char *path)
{
    (void)path;
    const struct view *v = item;
    return (const char *const *)v->m->categories;
}

static const char *message_extended(void *item, const struct prop_id *id)
{
    return render_message_prop(item, id);
}

static const struct filter_source message_source = {
    .knows = message_knows,
    .is_collection = message_is_collection,
    .get = message_get,
    .collection = message_collection,
    .extended = message_extended,
};
const struct resource message_resource = {
    .type_name = "microsoft.graph.message",
    .members = members,
    .source = &message_source,
};
