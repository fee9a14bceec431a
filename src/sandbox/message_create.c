/* POST of new messages: MIME as base64 text makes a draft in Drafts, JSON goes anywhere
 * (Graph: user-post-messages). */
#include "render.h"
#include "update.h"

#include "postern/base/clock.h"
#include "postern/base/encode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct folder *drafts(struct call *c)
{
    return mailbox_well_known(c->b, "drafts");
}

static void answer_new(struct call *c, struct message *m)
{
    const struct query all = {0};
    graph_wrote(c, m);
    graph_tells_ids(c);
    render_message_answer(c, 201, m, &all);
}

static void create_from_mime(struct call *c)
{
    struct buf text = BUF_INIT(REQUEST_BODY_MAX), mime = BUF_INIT(REQUEST_BODY_MAX);
    for (size_t i = 0; i < c->r->body_len; i++) {
        if (c->r->body[i] != '\r' && c->r->body[i] != '\n')
            buf_putc(&text, c->r->body[i]);
    }
    if (text.len == 0 || !base64_decode(buf_str(&text), text.len, &mime)) {
        graph_error(c, 400, "ErrorMimeContentInvalidBase64String",
                    "Invalid base64 string for MIME content.");
    } else if (graph_has_room(c)) {
        const struct message_new n = {.mime = buf_str(&mime),
                                      .size = mime.len,
                                      .received_ms = clock_wall_ms() / 1000 * 1000,
                                      .is_read = true,
                                      .is_draft = true};
        answer_new(c, message_add(drafts(c), &n));
    }
    buf_free(&text);
    buf_free(&mime);
}

/* Flags and delivery time are taken from extended properties, at this one moment. */
static struct message *add_from_json(struct folder *folder, struct json_object *body)
{
    int64_t now = clock_wall_ms() / 1000 * 1000;
    struct message_new n = {
        .mime = "", .received_ms = now, .is_read = true, .is_draft = true, .composed = true};
    const char *flags = update_creation_prop(body, TAG_MESSAGE_FLAGS);
    const char *delivered = update_creation_prop(body, TAG_DELIVERY_TIME);
    if (flags) {
        long bits = strtol(flags, NULL, 10);
        n.is_draft = bits & MESSAGE_FLAG_UNSENT;
        n.is_read = bits & MESSAGE_FLAG_READ;
    }
    if (delivered)
        clock_parse_iso(delivered, strlen(delivered), &n.received_ms);
    struct message *m = message_add(folder, &n);
    m->content = update_content(body, now);
    message_compose(m);
    message_touch(m, update_apply(m, body, UPDATE_CREATE) | CHANGE_OTHER);
    return m;
}

static void create_from_json(struct call *c, struct folder *folder)
{
    struct json_object *body = graph_body(c);
    if (body && update_check(c, body, UPDATE_CREATE) && graph_has_room(c))
        answer_new(c, add_from_json(folder ? folder : drafts(c), body));
    json_object_put(body);
}

void message_create_handle(struct call *c, struct folder *folder)
{
    static const char text[] = "text/plain";
    const char *type = request_header(c->r, "Content-Type");
    if (!graph_check_options(c))
        return;
    if (!type || strncasecmp(type, text, sizeof text - 1) != 0)
        create_from_json(c, folder);
    else if (folder)
        graph_error(c, 400, "UnableToDeserializePostBody", "were unable to deserialize");
    else
        create_from_mime(c);
}
