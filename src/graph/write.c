/* The requests of graph/write.h. */
#include "write.h"
#include "build.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <stdio.h>
#include <string.h>

#define FIND_PAGE "500"

#define IMAP_DELETED "Integer {00062008-0000-0000-C000-000000000046} Id 0x8570"

/* "singleValueExtendedProperties/any(ep:ep/id eq '…' and …)" */
static void put_any(struct buf *filter, const char *property)
{
    buf_puts(filter, "singleValueExtendedProperties/any(ep:ep/id eq ");
    url_put_odata_string(filter, property);
    buf_puts(filter, " and ");
}

/* The members that tell what is looked for, or the filter. */
static void put_choice(struct buf *path, enum graph_find what, const char *value)
{
    static const char *const mark[] = {GRAPH_APPEND_MARK, NULL};
    struct buf filter = BUF_INIT(PATH_MAX_BYTES);
    switch (what) {
    case GRAPH_FIND_ALL:
        buf_puts(path, ",internetMessageId&");
        build_expand(path, mark);
        return;
    case GRAPH_FIND_DELETED:
        put_any(&filter, IMAP_DELETED);
        buf_puts(&filter, "cast(ep/value, Edm.Int32) eq 1)");
        break;
    case GRAPH_FIND_MESSAGE_ID:
        buf_puts(&filter, "internetMessageId eq ");
        url_put_odata_string(&filter, value);
        break;
    case GRAPH_FIND_MARK:
        put_any(&filter, GRAPH_APPEND_MARK);
        buf_puts(&filter, "ep/value eq ");
        url_put_odata_string(&filter, value);
        buf_putc(&filter, ')');
        break;
    }
    buf_puts(path, "&$filter=");
    url_put_query(path, buf_str(&filter));
    buf_free(&filter);
}

struct graph_call *graph_find_start(struct graph_user *u, struct graph_as as, const char *folder_id,
                                    enum graph_find what, const char *value, const char *link)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_ONCE);
    if (link)
        return build_follow(u, &r, link);
    build_item(&path, "mailFolders", folder_id);
    buf_puts(&path, "/messages?$top=" FIND_PAGE "&$select=id,parentFolderId");
    put_choice(&path, what, value);
    return build_start(u, &r, &path);
}

struct graph_call *graph_identity_start(struct graph_user *u, struct graph_as as, const char *id)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_SAFE);
    build_item(&path, "messages", id);
    buf_puts(&path, "?$select=id,parentFolderId,internetMessageId");
    return build_start(u, &r, &path);
}

struct graph_call *write_json(struct graph_user *u, struct graph_request *r, struct buf *path,
                              struct json_object *body)
{
    r->json = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
    struct graph_call *call = build_start(u, r, path);
    json_object_put(body);
    return call;
}

void write_text(struct json_object *o, const char *name, const char *text)
{
    json_object_object_add(o, name, json_object_new_string(text));
}

struct graph_call *graph_copy_start(struct graph_user *u, struct graph_as as, const char *id,
                                    const char *destination)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    struct json_object *body = json_object_new_object();
    write_text(body, "destinationId", destination);
    build_item(&path, "messages", id);
    buf_puts(&path, "/copy");
    return write_json(u, &r, &path, body);
}

static struct json_object *person(const struct graph_person *p)
{
    struct json_object *address = json_object_new_object(), *o = json_object_new_object();
    write_text(address, "address", p->address);
    if (p->name)
        write_text(address, "name", p->name);
    json_object_object_add(o, "emailAddress", address);
    return o;
}

static void put_one(struct json_object *o, const char *name, const struct graph_people *people)
{
    if (people->count)
        json_object_object_add(o, name, person(&people->items[0]));
}

static void put_people(struct json_object *o, const char *name, const struct graph_people *people)
{
    if (people->count == 0)
        return;
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < people->count; i++)
        json_object_array_add(list, person(&people->items[i]));
    json_object_object_add(o, name, list);
}

/* "key" is "name" of a header field, "id" of a property. */
static void put_pair(struct json_object *list, const char *key, const char *name, const char *value)
{
    struct json_object *o = json_object_new_object();
    write_text(o, key, name);
    write_text(o, "value", value);
    json_object_array_add(list, o);
}

struct json_object *write_attachment(const struct graph_attachment *a)
{
    struct json_object *o = json_object_new_object();
    struct buf text = BUF_INIT(GRAPH_REQUEST_MAX * 2);
    write_text(o, "@odata.type", "#microsoft.graph.fileAttachment");
    write_text(o, "name", a->name);
    write_text(o, "contentType", a->content_type);
    if (a->content_id)
        write_text(o, "contentId", a->content_id);
    json_object_object_add(o, "isInline", json_object_new_boolean(a->is_inline));
    base64_encode(a->data, a->len, &text);
    write_text(o, "contentBytes", buf_str(&text));
    buf_free(&text);
    return o;
}

static void put_content(struct json_object *o, const struct graph_new *m)
{
    static const char *const importances[] = {
        [GRAPH_LOW] = "low", [GRAPH_NORMAL] = "normal", [GRAPH_HIGH] = "high"};
    struct json_object *body = json_object_new_object();
    write_text(o, "subject", m->subject);
    write_text(body, "contentType", m->html ? "html" : "text");
    write_text(body, "content", m->body);
    json_object_object_add(o, "body", body);
    write_text(o, "importance", importances[m->importance]);
    put_one(o, "from", &m->from);
    put_one(o, "sender", &m->sender);
    put_people(o, "toRecipients", &m->to);
    put_people(o, "ccRecipients", &m->cc);
    put_people(o, "bccRecipients", &m->bcc);
    put_people(o, "replyTo", &m->reply_to);
    if (m->message_id)
        write_text(o, "internetMessageId", m->message_id);
    if (m->header_count == 0)
        return;
    struct json_object *headers = json_object_new_array();
    for (size_t i = 0; i < m->header_count; i++)
        put_pair(headers, "name", m->headers[i].name, m->headers[i].value);
    json_object_object_add(o, "internetMessageHeaders", headers);
}

static void put_attachments(struct json_object *o, const struct graph_attachment *attachments,
                            size_t count)
{
    if (count == 0)
        return;
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++)
        json_object_array_add(list, write_attachment(&attachments[i]));
    json_object_object_add(o, "attachments", list);
}

struct graph_call *graph_create_start(struct graph_user *u, struct graph_as as,
                                      const char *folder_id, const struct graph_new *m,
                                      const struct graph_update *state,
                                      const struct graph_attachment *attachments, size_t count,
                                      struct error *e)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    struct json_object *o = write_update(state), *properties = NULL;
    put_content(o, m);
    if (!json_object_object_get_ex(o, "singleValueExtendedProperties", &properties)) {
        properties = json_object_new_array();
        json_object_object_add(o, "singleValueExtendedProperties", properties);
    }
    for (size_t i = 0; i < m->property_count; i++)
        put_pair(properties, "id", m->properties[i].name, m->properties[i].value);
    put_attachments(o, attachments, count);
    size_t size = strlen(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    if (size > GRAPH_REQUEST_MAX) {
        json_object_put(o);
        error_set(e, ERROR_TOO_BIG,
                  "the text of the message makes a request of %zu bytes, and Graph takes %zu", size,
                  GRAPH_REQUEST_MAX);
        return NULL;
    }
    build_item(&path, "mailFolders", folder_id);
    buf_puts(&path, "/messages");
    return write_json(u, &r, &path, o);
}

struct graph_call *graph_draft_start(struct graph_user *u, struct graph_as as, const void *mime,
                                     size_t len, struct error *e)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES), text = BUF_INIT(GRAPH_REQUEST_MAX);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    struct graph_call *call = NULL;
    if (base64_encode(mime, len, &text)) {
        r.data = buf_str(&text);
        r.data_len = text.len;
        r.data_type = "text/plain";
        buf_puts(&path, "/messages");
        call = build_start(u, &r, &path);
    } else {
        error_set(e, ERROR_TOO_BIG,
                  "a message of %zu bytes is larger than what Graph takes as MIME in one request",
                  len);
    }
    buf_free(&text);
    return call;
}
