#include "attachments.h"

#include "query.h"
#include "update.h"
#include "upload.h"

#include "compose.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <string.h>

static const char *const members[] = {
    "id",        "lastModifiedDateTime", "name",         "contentType", "size", "isInline",
    "contentId", "contentLocation",      "contentBytes", NULL};
static const char *const type_names[] = {[ATTACHMENT_FILE] = "microsoft.graph.fileAttachment",
                                         [ATTACHMENT_ITEM] = "microsoft.graph.itemAttachment"};

/* Exchange counts a little more than the bytes. */
#define SIZE_OVERHEAD 122

static bool no_path(const char *path)
{
    (void)path;
    return false;
}

static const struct filter_source no_source = {.knows = no_path, .is_collection = no_path};
static const struct resource attachment_resource = {
    .type_name = "microsoft.graph.attachment", .members = members, .source = &no_source};

static struct json_object *member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(o, name, &v) ? v : NULL;
}

static const char *text(struct json_object *o, const char *name)
{
    struct json_object *v = member(o, name);
    return json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
}

static bool kind_of(struct json_object *o, enum attachment_kind *kind)
{
    const char *type = text(o, "@odata.type");
    for (int i = ATTACHMENT_FILE; type && i <= ATTACHMENT_ITEM; i++) {
        if (strcmp(type + (type[0] == '#'), type_names[i]) == 0) {
            *kind = (enum attachment_kind)i;
            return true;
        }
    }
    return false;
}

static bool check_member(enum attachment_kind kind, const char *name, struct json_object *value)
{
    static const char *const strings[] = {"@odata.type", "name", "contentType", "contentId",
                                          "contentLocation"};
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        if (strcmp(strings[i], name) == 0)
            return json_object_is_type(value, json_type_string) ||
                   (!value && strncmp(name, "content", 7) == 0);
    }
    if (strcmp(name, "isInline") == 0)
        return json_object_is_type(value, json_type_boolean);
    if (strcmp(name, "contentBytes") == 0)
        return kind == ATTACHMENT_FILE && json_object_is_type(value, json_type_string);
    return kind == ATTACHMENT_ITEM && strcmp(name, "item") == 0 &&
           json_object_is_type(value, json_type_object);
}

static bool check_one(struct call *c, struct json_object *o)
{
    enum attachment_kind kind;
    if (!json_object_is_type(o, json_type_object) || !kind_of(o, &kind))
        return graph_error(c, 400, "UnableToDeserializePostBody",
                           "were unable to deserialize: @odata.type of an attachment must be that "
                           "of a fileAttachment or itemAttachment");
    json_object_object_foreach(o, name, value)
    {
        if (!check_member(kind, name, value))
            return graph_error(c, 400, "UnableToDeserializePostBody",
                               "were unable to deserialize %s", name);
    }
    const char *named = text(o, "name"), *bytes = text(o, "contentBytes");
    if (!named || !*named)
        return graph_error(c, 400, "ErrorInvalidRequest", "An attachment needs a name.");
    if (kind == ATTACHMENT_ITEM)
        return member(o, "item")
                   ? update_check(c, member(o, "item"), UPDATE_CREATE)
                   : graph_error(c, 400, "ErrorInvalidRequest", "An itemAttachment needs an item.");
    struct buf raw = BUF_INIT(REQUEST_BODY_MAX);
    bool ok = bytes && base64_decode(bytes, strlen(bytes), &raw);
    buf_free(&raw);
    return ok || graph_error(c, 400, "RequestBodyRead",
                             "Cannot convert a primitive value to the expected type 'Edm.Binary'.");
}

bool attachments_check(struct call *c, struct json_object *list)
{
    if (!json_object_is_type(list, json_type_array))
        return graph_error(c, 400, "UnableToDeserializePostBody",
                           "were unable to deserialize attachments");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (!check_one(c, json_object_array_get_idx(list, i)))
            return false;
    }
    return true;
}

static struct attachment *apply_one(struct content *x, struct json_object *o)
{
    struct attachment a = {.name = xstrdup(text(o, "name")),
                           .content_type = xstrdup_null(text(o, "contentType")),
                           .content_id = xstrdup_null(text(o, "contentId")),
                           .content_location = xstrdup_null(text(o, "contentLocation")),
                           .is_inline = json_object_get_boolean(member(o, "isInline")),
                           .modified_ms = clock_wall_ms()};
    struct buf bytes = BUF_INIT(MESSAGE_MAX);
    kind_of(o, &a.kind);
    if (a.kind == ATTACHMENT_ITEM) {
        struct content *item = update_content(member(o, "item"), a.modified_ms);
        compose_mime(item, &bytes);
        content_free(item);
    } else {
        base64_decode(text(o, "contentBytes"), strlen(text(o, "contentBytes")), &bytes);
    }
    a.size = bytes.len;
    a.bytes = buf_steal(&bytes);
    return content_attach(x, &a);
}

void attachments_apply(struct content *x, struct json_object *list)
{
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        apply_one(x, json_object_array_get_idx(list, i));
}

static struct json_object *string_or_null(const char *s)
{
    return s ? json_object_new_string(s) : NULL;
}

static struct json_object *bytes_json(const struct attachment *a)
{
    struct buf encoded = BUF_INIT(ANSWER_BODY_MAX);
    base64_encode(a->bytes, a->size, &encoded);
    struct json_object *o = json_object_new_string_len(buf_str(&encoded), (int)encoded.len);
    buf_free(&encoded);
    return o;
}

static struct json_object *member_json(struct call *c, const struct message *m,
                                       const struct attachment *a, const char *name)
{
    char when[CLOCK_ISO_SIZE], id[ID_SIZE];
    if (strcmp(name, "id") == 0) {
        id_attachment(m, a->serial, c->immutable, id);
        return json_object_new_string(id);
    }
    if (strcmp(name, "lastModifiedDateTime") == 0) {
        clock_format_iso(a->modified_ms, when);
        return json_object_new_string(when);
    }
    if (strcmp(name, "name") == 0)
        return string_or_null(a->name);
    if (strcmp(name, "contentType") == 0)
        return string_or_null(a->content_type);
    if (strcmp(name, "size") == 0)
        return json_object_new_int64((int64_t)a->size + SIZE_OVERHEAD);
    if (strcmp(name, "isInline") == 0)
        return json_object_new_boolean(a->is_inline);
    if (strcmp(name, "contentId") == 0)
        return string_or_null(a->content_id);
    if (strcmp(name, "contentLocation") == 0)
        return string_or_null(a->content_location);
    return bytes_json(a);
}

static struct json_object *render(struct call *c, const struct message *m,
                                  const struct attachment *a, const struct query *q)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(
        o, "@odata.type",
        json_object_new_string(arena_printf(c->r->arena, "#%s", type_names[a->kind])));
    for (size_t i = 0; members[i]; i++) {
        bool of_file =
            strncmp(members[i], "content", 7) == 0 && strcmp(members[i], "contentType") != 0;
        if ((i == 0 || query_selects(q, members[i])) && (a->kind == ATTACHMENT_FILE || !of_file))
            json_object_object_add(o, members[i], member_json(c, m, a, members[i]));
    }
    return o;
}

static void list(struct call *c, struct message *m)
{
    struct query q;
    if (!query_parse(c, &attachment_resource, QUERY_SELECT, &q))
        return;
    const struct content *x = message_content(m);
    struct json_object *o = json_object_new_object();
    struct json_object *items = json_object_new_array();
    for (size_t i = 0; i < x->count; i++)
        json_object_array_add(items, render(c, m, &x->items[i], &q));
    json_object_object_add(o, "@odata.context",
                           json_object_new_string(graph_context(c, "messages/attachments")));
    json_object_object_add(o, "value", items);
    answer_json(c->a, 200, o);
}

const char *attachment_location(struct call *c, const struct message *m, const struct attachment *a)
{
    char id[ID_SIZE], own[ID_SIZE];
    id_message(c->b, m, c->immutable, id);
    id_attachment(m, a->serial, c->immutable, own);
    return arena_printf(c->r->arena, "%s/v1.0/users('%s')/messages('%s')/attachments('%s')",
                        c->r->origin, c->b->guid, request_escape(c->r->arena, id, ""),
                        request_escape(c->r->arena, own, ""));
}

static void changed(struct call *c, struct message *m)
{
    message_compose(m);
    message_touch(m, CHANGE_OTHER);
    graph_wrote(c, m);
}

static void create(struct call *c, struct message *m)
{
    const struct query all = {0};
    struct json_object *body = graph_check_options(c) ? graph_body(c) : NULL;
    if (body && check_one(c, body) && graph_has_room(c)) {
        const struct attachment *a = apply_one(message_content(m), body);
        changed(c, m);
        answer_header(c->a, "Location", attachment_location(c, m, a));
        answer_json(c->a, 201, render(c, m, a, &all));
    }
    json_object_put(body);
}

static void get_value(struct call *c, const struct attachment *a)
{
    if (!graph_check_options(c))
        return;
    c->a->status = 200;
    c->a->chunked = true;
    answer_header(c->a, "Content-Type",
                  a->kind == ATTACHMENT_ITEM ? "text/plain"
                  : a->content_type          ? a->content_type
                                             : "application/octet-stream");
    buf_append(&c->a->body, a->bytes, a->size);
}

static void one(struct call *c, struct message *m, const struct attachment *a)
{
    struct query q;
    const char *method = c->r->method;
    if (c->depth == 5 && strcmp(c->path[4], "$value") == 0 && strcmp(method, "GET") == 0) {
        get_value(c, a);
    } else if (c->depth > 4) {
        graph_error(c, 400, "BadRequest", "Resource not found for the segment '%s'.", c->path[4]);
    } else if (strcmp(method, "GET") == 0) {
        if (query_parse(c, &attachment_resource, QUERY_SELECT, &q))
            answer_json(c->a, 200, render(c, m, a, &q));
    } else if (strcmp(method, "DELETE") == 0) {
        if (!graph_check_options(c))
            return;
        content_detach(message_content(m), a->serial);
        changed(c, m);
        graph_no_content(c);
    } else {
        graph_method_error(c);
    }
}

void attachments_handle(struct call *c, struct message *m)
{
    bool post = strcmp(c->r->method, "POST") == 0;
    uint32_t serial;
    if (c->depth == 3 && strcmp(c->r->method, "GET") == 0) {
        list(c, m);
    } else if (c->depth == 3 && post) {
        create(c, m);
    } else if (c->depth == 3) {
        graph_method_error(c);
    } else if (c->depth == 4 && post && strcmp(c->path[3], "createUploadSession") == 0) {
        upload_create(c, m);
    } else if (!id_find_attachment(m, c->path[3], &serial)) {
        graph_error(c, 400, "ErrorInvalidIdMalformed", "Id is malformed.");
    } else {
        const struct attachment *a = content_find(message_content(m), serial);
        if (a)
            one(c, m, a);
        else
            graph_error(c, 404, "ErrorItemNotFound",
                        "The specified object was not found in the store.");
    }
}
