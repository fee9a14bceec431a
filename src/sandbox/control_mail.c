/* Mailboxes seen and changed from outside: as another client would, or as no client could. */
#include "control_mail.h"

#include "ids.h"
#include "render.h"
#include "summary.h"
#include "update.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

static struct message *find_message(struct control *c)
{
    struct message *m = NULL;
    bool immutable;
    struct mailbox *b = control_user(c, control_text(c, "user"));
    const char *id = control_text(c, "id");
    if (b && (!id || id_find_message(b, id, &m, &immutable) != ID_FOUND))
        control_refuse(c, 404, "no such message");
    return m;
}

static void answer_id(struct control *c, const struct mailbox *b, const struct message *m)
{
    char id[ID_SIZE];
    id_message(b, m, true, id);
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "id", json_object_new_string(id));
    answer_json(c->a, 200, o);
}

static bool flag_param(struct control *c, const char *name, bool otherwise)
{
    const char *value = request_param(c->r, name);
    return value ? strcmp(value, "0") != 0 && strcmp(value, "false") != 0 : otherwise;
}

static struct message *add_message(struct folder *f, const struct message_new *n,
                                   enum message_kind kind)
{
    struct message *m = message_add(f, n);
    if (kind != KIND_MESSAGE)
        m->kind = (uint8_t)kind;
    return m;
}

void control_message(struct control *c)
{
    const char *path = request_param(c->r, "folder");
    const char *received = request_param(c->r, "received");
    struct mailbox *b = control_user(c, request_param(c->r, "user"));
    if (!b)
        return;
    struct folder *f = mailbox_folder_path(b, path ? path : "inbox");
    const char *type = request_param(c->r, "type");
    enum message_kind kind = KIND_MESSAGE;
    struct message_new n = {.mime = c->r->body,
                            .size = c->r->body_len,
                            .received_ms = clock_wall_ms() / 1000 * 1000,
                            .is_read = !flag_param(c, "unread", true),
                            .is_draft = flag_param(c, "draft", false)};
    if (!f)
        control_refuse(c, 400, "no such folder can be");
    else if (received && !clock_parse_iso(received, strlen(received), &n.received_ms))
        control_refuse(c, 400, "received is not a date");
    else if (type && !message_kind_parse(type, &kind))
        control_refuse(c, 400, "type is not a kind of message");
    else
        answer_id(c, b, add_message(f, &n, kind));
}

void control_move(struct control *c)
{
    struct message *m = find_message(c);
    const char *path = control_text(c, "folder");
    struct folder *f = NULL;
    if (!m)
        return;
    struct mailbox *b = m->folder->mailbox;
    if (path && id_find_folder(b, path, &f) != ID_FOUND)
        f = mailbox_folder_path(b, path);
    if (!f) {
        control_refuse(c, 400, "no such folder can be");
        return;
    }
    message_move(m, f);
    answer_id(c, b, m);
}

void control_delete(struct control *c)
{
    struct message *m = find_message(c);
    if (!m)
        return;
    message_destroy(m);
    control_done(c);
}

void control_patch(struct control *c)
{
    struct message *m = find_message(c);
    if (!m)
        return;
    struct call call = {.s = c->s, .r = c->r, .a = c->a, .b = m->folder->mailbox};
    enum update_mode mode = m->is_draft ? UPDATE_DRAFT : UPDATE_SENT;
    json_object_object_del(c->body, "user");
    json_object_object_del(c->body, "id");
    if (!update_check(&call, c->body, mode))
        return;
    message_touch(m, update_apply(m, c->body, mode));
    control_done(c);
}

static struct json_object *properties_json(const struct message *m)
{
    struct json_object *o = json_object_new_object();
    for (size_t i = 0; i < m->props.count; i++) {
        char id[PROP_ID_SIZE];
        prop_id_format(&m->props.items[i].id, id);
        json_object_object_add(o, id, json_object_new_string(m->props.items[i].value));
    }
    return o;
}

/* What comes from the text. */
static void put_text(struct json_object *o, struct arena *arena, const char *mime, size_t len)
{
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_SIZE * 2 + 1];
    const char *subject = summary_text(arena, mime, len, "Subject");
    sha256(mime, len, digest);
    hex_encode(digest, sizeof digest, hex);
    json_object_object_add(o, "subject", json_object_new_string(subject ? subject : ""));
    json_object_object_add(o, "size", json_object_new_int64((int64_t)len));
    json_object_object_add(o, "sha256", json_object_new_string(hex));
}

static struct json_object *message_json(struct control *c, struct message *m)
{
    static const char *const members[] = {"isRead", "isDraft", "flag", "categories"};
    const struct prop_id article = {.type = PROP_INTEGER, .number = TAG_ARTICLE};
    struct arena *arena = arena_new();
    struct view v;
    struct call call = {.s = c->s, .r = c->r, .a = c->a, .b = m->folder->mailbox};
    char id[ID_SIZE], when[CLOCK_ISO_SIZE];
    struct json_object *o = json_object_new_object();
    view_init(&v, c->s, arena, m);
    id_message(m->folder->mailbox, m, true, id);
    clock_format_iso(m->received_ms, when);
    const char *number = render_message_prop(&v, &article);
    json_object_object_add(o, "id", json_object_new_string(id));
    put_text(o, arena, message_mime(m, &v.scratch), m->size);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        render_member(&call, &v, members[i], o);
    json_object_object_add(o, "properties", properties_json(m));
    json_object_object_add(o, "article",
                           number ? json_object_new_int64(strtoll(number, NULL, 10)) : NULL);
    json_object_object_add(o, "received", json_object_new_string(when));
    view_free(&v);
    arena_free(&arena);
    return o;
}

static int by_article(const void *a, const void *b)
{
    const struct message *x = *(struct message *const *)a, *y = *(struct message *const *)b;
    return x->article < y->article ? -1 : x->article > y->article;
}

static struct json_object *folder_json(struct control *c, struct folder *f)
{
    char id[ID_SIZE];
    char *path = folder_path(f);
    struct json_object *messages = json_object_new_array();
    struct message **order = xreallocarray(NULL, f->count + 1, sizeof(struct message *));
    for (size_t i = 0; i < f->count; i++)
        order[i] = f->items[i];
    qsort(order, f->count, sizeof(struct message *), by_article);
    for (size_t i = 0; i < f->count; i++)
        json_object_array_add(messages, message_json(c, order[i]));
    free(order);
    id_folder(f, id);
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "id", json_object_new_string(id));
    json_object_object_add(o, "path", json_object_new_string(path));
    json_object_object_add(o, "messages", messages);
    free(path);
    return o;
}

void control_mailbox(struct control *c)
{
    struct mailbox *b = control_user(c, request_param(c->r, "user"));
    if (!b)
        return;
    struct json_object *list = json_object_new_array();
    for (size_t i = 1; i < b->folder_count; i++) {
        if (!b->folders[i]->gone)
            json_object_array_add(list, folder_json(c, b->folders[i]));
    }
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "folders", list);
    answer_json(c->a, 200, o);
}
