/* One message: GET, PATCH, DELETE, $value, move, copy, permanentDelete. */
#include "attachments.h"
#include "render.h"
#include "update.h"

#include <string.h>

static void get_message(struct call *c, struct message *m)
{
    struct query q;
    graph_tells_ids(c);
    if (query_parse(c, &message_resource, QUERY_SELECT | QUERY_EXPAND, &q))
        render_message_answer(c, 200, m, &q);
}

/* Exchange renders MIME anew at each request; with this setting the bytes show it. */
static void put_rerender_mark(struct call *c)
{
    char guid[GUID_SIZE];
    guid_make(guid);
    buf_printf(&c->a->body, "X-Sandbox-Rendered: %s\r\n", guid);
}

static void get_value(struct call *c, struct message *m)
{
    if (!graph_check_options(c))
        return;
    struct buf scratch = BUF_INIT(MESSAGE_MAX);
    const char *mime = message_mime(m, &scratch);
    buf_clear(&c->a->body);
    if (c->s->settings.mime_rerender)
        put_rerender_mark(c);
    buf_append(&c->a->body, mime, m->size);
    buf_free(&scratch);
    c->a->status = 200;
    c->a->chunked = true;
    answer_header(c->a, "Content-Type", "text/plain");
}

static void patch_message(struct call *c, struct message *m)
{
    struct query q;
    if (!query_parse(c, &message_resource, QUERY_SELECT, &q))
        return;
    const char *match = request_header(c->r, "If-Match");
    if (match && strcmp(match, "*") != 0 && strcmp(match, render_etag(c, m)) != 0) {
        graph_error(c, 412, "ErrorIrresolvableConflict",
                    "The send or update operation could not be performed because the change key "
                    "passed in the request does not match the current change key for the item.");
        return;
    }
    struct json_object *body = graph_body(c);
    if (!body)
        return;
    enum update_mode mode = m->is_draft ? UPDATE_DRAFT : UPDATE_SENT;
    if (update_check(c, body, mode)) {
        message_touch(m, update_apply(m, body, mode));
        graph_wrote(c, m);
        graph_tells_ids(c);
        render_message_answer(c, 200, m, &q);
    }
    json_object_put(body);
}

static bool refuse_dumpster(struct call *c, const struct message *m)
{
    const char *name = m->folder->well_known;
    if (name && strcmp(name, WELL_KNOWN_DUMPSTER) == 0) {
        graph_error(c, 400, "ErrorCannotDeleteObject", "The item cannot be deleted.");
        return true;
    }
    return false;
}

/* From Deleted Items on to Recoverable Items, from elsewhere to Deleted Items or, by a setting, at
 * once to Recoverable Items. */
static void delete_message(struct call *c, struct message *m)
{
    if (!graph_check_options(c) || refuse_dumpster(c, m))
        return;
    struct folder *bin = mailbox_well_known(c->b, "deleteditems");
    bool dumpster =
        folder_is_inside(m->folder, bin) || c->s->settings.delete_to == DELETE_TO_DUMPSTER;
    message_move(m, dumpster ? mailbox_well_known(c->b, WELL_KNOWN_DUMPSTER) : bin);
    graph_no_content(c);
}

static void move_message(struct call *c, struct message *m)
{
    struct folder *to;
    const struct query all = {0};
    if (!graph_destination(c, &to))
        return;
    graph_tells_ids(c);
    if (to != m->folder)
        message_move(m, to);
    graph_wrote(c, m);
    render_message_answer(c, 201, m, &all);
}

static void copy_message(struct call *c, struct message *m)
{
    struct folder *to;
    const struct query all = {0};
    if (!graph_destination(c, &to))
        return;
    graph_tells_ids(c);
    struct message *copy = graph_has_room(c) ? message_copy(m, to) : NULL;
    if (!copy)
        return;
    graph_wrote(c, copy);
    render_message_answer(c, 201, copy, &all);
}

static void purge_message(struct call *c, struct message *m)
{
    if (!c->s->settings.permanent_delete) {
        graph_error(c, 400, "BadRequest", "Resource not found for the segment 'permanentDelete'.");
        return;
    }
    if (!graph_check_options(c))
        return;
    message_destroy(m);
    graph_no_content(c);
}

static void act(struct call *c, struct message *m, const char *action)
{
    static const struct {
        const char *name;
        void (*fn)(struct call *c, struct message *m);
    } actions[] = {
        {"move", move_message}, {"copy", copy_message}, {"permanentDelete", purge_message}};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i].name, action) != 0)
            continue;
        if (strcmp(c->r->method, "POST") == 0)
            actions[i].fn(c, m);
        else
            graph_method_error(c);
        return;
    }
    graph_error(c, 400, "BadRequest", "Resource not found for the segment '%s'.", action);
}

void messages_handle(struct call *c)
{
    struct message *m = NULL;
    const char *method = c->r->method;
    if (c->depth == 1 && strcmp(method, "GET") == 0) {
        message_list_handle(c, NULL);
    } else if (c->depth == 1 && strcmp(method, "POST") == 0) {
        message_create_handle(c, NULL);
    } else if (c->depth == 1) {
        graph_method_error(c);
    } else if (c->depth == 2 && strcmp(method, "GET") == 0 && strcmp(c->path[1], "$count") == 0) {
        message_count_handle(c, NULL);
    } else if (!graph_find_message(c, c->path[1], &m)) {
        return;
    } else if (c->depth == 2 && strcmp(method, "GET") == 0) {
        get_message(c, m);
    } else if (c->depth == 2 && strcmp(method, "PATCH") == 0) {
        patch_message(c, m);
    } else if (c->depth == 2 && strcmp(method, "DELETE") == 0) {
        delete_message(c, m);
    } else if (c->depth == 2) {
        graph_method_error(c);
    } else if (c->depth == 3 && strcmp(c->path[2], "$value") == 0) {
        if (strcmp(method, "GET") == 0)
            get_value(c, m);
        else
            graph_method_error(c);
    } else if (strcmp(c->path[2], "attachments") == 0) {
        attachments_handle(c, m);
    } else if (c->depth == 3) {
        act(c, m, c->path[2]);
    } else {
        graph_error(c, 400, "BadRequest", "Resource not found for the segment '%s'.", c->path[3]);
    }
}
