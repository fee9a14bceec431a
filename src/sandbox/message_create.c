/* POST of new messages: MIME as base64 text makes a draft in Drafts, JSON goes anywhere
 * (Graph: user-post-messages). */
#include "compose.h"
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
    if (!m) {
        graph_error(c, 507, "ErrorQuotaExceeded", "The mailbox is full.");
        return;
    }
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
    if (text.len > 0 && base64_decode(buf_str(&text), text.len, &mime)) {
        const struct message_new n = {.mime = buf_str(&mime),
                                      .size = mime.len,
                                      .received_ms = clock_wall_ms() / 1000 * 1000,
                                      .is_read = true,
                                      .is_draft = true};
        answer_new(c, message_add(drafts(c), &n));
    } else {
        graph_error(c, 400, "ErrorMimeContentInvalidBase64String",
                    "Invalid base64 string for MIME content.");
    }
    buf_free(&text);
    buf_free(&mime);
}

/* What only creation honours: PidTagMessageFlags (0x0E07: READ 1, UNSENT 8) and the delivery time
 * (0x0E06). */
static void apply_creation_props(struct json_object *body, struct message_new *n)
{
    struct prop_set set = {0};
    struct prop_id flags, delivered;
    update_props(&set, body);
    prop_id_parse("Integer 0x0E07", &flags);
    prop_id_parse("SystemTime 0x0E06", &delivered);
    const char *value = prop_get(&set, &flags);
    if (value) {
        long bits = strtol(value, NULL, 10);
        n->is_draft = bits & 8;
        n->is_read = bits & 1;
    }
    value = prop_get(&set, &delivered);
    if (value)
        clock_parse_iso(value, strlen(value), &n->received_ms);
    prop_free(&set);
}

static void create_from_json(struct call *c, struct folder *folder)
{
    struct json_object *body = graph_body(c);
    if (!body)
        return;
    if (update_check(c, body, UPDATE_CREATE)) {
        struct buf mime;
        int64_t now = clock_wall_ms() / 1000 * 1000;
        compose_mime(body, now, &mime);
        struct message_new n = {.mime = buf_str(&mime),
                                .size = mime.len,
                                .received_ms = now,
                                .is_read = true,
                                .is_draft = true,
                                .composed = true};
        apply_creation_props(body, &n);
        struct message *m = message_add(folder ? folder : drafts(c), &n);
        if (m)
            message_touch(m, update_apply(m, body));
        answer_new(c, m);
        buf_free(&mime);
    }
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
