#include "control.h"

#include "ids.h"
#include "render.h"
#include "summary.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

struct control {
    struct sandbox *s;
    struct request *r;
    struct answer *a;
    struct json_object *body; /* of a POST with JSON, NULL otherwise */
};

static void refuse(struct control *c, int status, const char *text)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "error", json_object_new_string(text));
    answer_json(c->a, status, o);
}

static void done(struct control *c)
{
    answer_json(c->a, 200, json_object_new_object());
}

static const char *text_member(const struct control *c, const char *name)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(c->body, name, &v) || !json_object_is_type(v, json_type_string))
        return NULL;
    return json_object_get_string(v);
}

/* The named mailbox, or the only one where none is named. NULL: refused. */
static struct mailbox *find_user(struct control *c, const char *user)
{
    struct mailbox *b = NULL;
    if (user)
        b = model_find(&c->s->model, user);
    else if (c->s->model.count > 0)
        b = c->s->model.mailboxes[0];
    if (!b)
        refuse(c, 404, "no such user");
    return b;
}

static struct message *find_message(struct control *c)
{
    struct message *m = NULL;
    bool immutable;
    struct mailbox *b = find_user(c, text_member(c, "user"));
    const char *id = text_member(c, "id");
    if (b && (!id || id_find_message(b, id, &m, &immutable) != ID_FOUND))
        refuse(c, 404, "no such message");
    return m;
}

static void get_log(struct control *c)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "requests", journal_requests_json(&c->s->journal));
    json_object_object_add(o, "tokens", json_object_new_int64((int64_t)c->s->journal.tokens));
    json_object_object_add(o, "max_in_flight", throttle_maxima_json(&c->s->throttle));
    answer_json(c->a, 200, o);
}

static void delete_log(struct control *c)
{
    journal_clear_requests(&c->s->journal);
    throttle_clear_maxima(&c->s->throttle);
    done(c);
}

static void get_violations(struct control *c)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "violations", json_object_get(c->s->journal.violations));
    answer_json(c->a, 200, o);
}

static void delete_violations(struct control *c)
{
    journal_clear_violations(&c->s->journal);
    done(c);
}

static void post_fault(struct control *c)
{
    char why[160];
    if (faults_add(&c->s->faults, c->body, why, sizeof why))
        done(c);
    else
        refuse(c, 400, why);
}

static void delete_faults(struct control *c)
{
    faults_clear(&c->s->faults);
    done(c);
}

static void post_settings(struct control *c)
{
    struct settings changed = c->s->settings;
    json_object_object_foreach(c->body, name, value)
    {
        const char *why = NULL;
        const char *text = value ? json_object_get_string(value) : "";
        if (!settings_set(&changed, name, text, &why)) {
            refuse(c, 400, arena_printf(c->r->arena, "%s: %s", name, why));
            return;
        }
    }
    c->s->settings = changed;
    done(c);
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

static void post_message(struct control *c)
{
    const char *path = request_param(c->r, "folder");
    const char *received = request_param(c->r, "received");
    struct mailbox *b = find_user(c, request_param(c->r, "user"));
    if (!b)
        return;
    struct folder *f = mailbox_folder_path(b, path ? path : "inbox");
    struct message_new n = {.mime = c->r->body,
                            .size = c->r->body_len,
                            .received_ms = clock_wall_ms() / 1000 * 1000,
                            .is_read = !flag_param(c, "unread", true),
                            .is_draft = flag_param(c, "draft", false)};
    if (!f)
        refuse(c, 400, "no such folder can be");
    else if (received && !clock_parse_iso(received, strlen(received), &n.received_ms))
        refuse(c, 400, "received is not a date");
    else
        answer_id(c, b, message_add(f, &n));
}

static void post_move(struct control *c)
{
    struct message *m = find_message(c);
    const char *path = text_member(c, "folder");
    struct folder *f = NULL;
    if (!m)
        return;
    struct mailbox *b = m->folder->mailbox;
    if (path && id_find_folder(b, path, &f) != ID_FOUND)
        f = mailbox_folder_path(b, path);
    if (!f) {
        refuse(c, 400, "no such folder can be");
        return;
    }
    message_move(m, f);
    answer_id(c, b, m);
}

static void post_delete(struct control *c)
{
    struct message *m = find_message(c);
    if (!m)
        return;
    message_destroy(m);
    done(c);
}

static void post_patch(struct control *c)
{
    struct message *m = find_message(c);
    struct json_object *read = NULL;
    if (!m)
        return;
    if (!json_object_object_get_ex(c->body, "isRead", &read)) {
        refuse(c, 400, "isRead is missing");
        return;
    }
    message_set_read(m, json_object_get_boolean(read));
    message_touch(m, CHANGE_READ);
    done(c);
}

static void post_folder(struct control *c)
{
    struct mailbox *b = find_user(c, text_member(c, "user"));
    const char *path = text_member(c, "path");
    if (!b)
        return;
    struct folder *f = path ? mailbox_folder_path(b, path) : NULL;
    if (!f) {
        refuse(c, 400, "path is missing or not possible");
        return;
    }
    char id[ID_SIZE];
    id_folder(f, id);
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "id", json_object_new_string(id));
    answer_json(c->a, 200, o);
}

static void post_expire_delta(struct control *c)
{
    struct mailbox *b = find_user(c, text_member(c, "user"));
    if (!b)
        return;
    b->delta_epoch++;
    done(c);
}

static void post_expire_tokens(struct control *c)
{
    token_expire_all(&c->s->tokens);
    done(c);
}

static struct json_object *message_json(struct control *c, struct message *m)
{
    struct arena *arena = arena_new();
    struct view v;
    struct prop_id article;
    uint8_t digest[SHA256_SIZE];
    char hex[SHA256_SIZE * 2 + 1], id[ID_SIZE], when[CLOCK_ISO_SIZE];
    view_init(&v, c->s, arena, m);
    const char *mime = message_mime(m, &v.scratch);
    sha256(mime, m->size, digest);
    hex_encode(digest, sizeof digest, hex);
    id_message(m->folder->mailbox, m, true, id);
    clock_format_iso(m->received_ms, when);
    prop_id_parse("Integer 0x0E23", &article);
    const char *number = render_message_prop(&v, &article);
    const char *subject = summary_text(arena, mime, m->size, "Subject");
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "id", json_object_new_string(id));
    json_object_object_add(o, "subject", json_object_new_string(subject ? subject : ""));
    json_object_object_add(o, "isRead", json_object_new_boolean(m->is_read));
    json_object_object_add(o, "size", json_object_new_int64((int64_t)m->size));
    json_object_object_add(o, "sha256", json_object_new_string(hex));
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

static void get_mailbox(struct control *c)
{
    struct mailbox *b = find_user(c, request_param(c->r, "user"));
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

static const struct {
    const char *method, *name;
    bool json; /* the body must be a JSON object */
    void (*fn)(struct control *c);
} table[] = {
    {"GET", "log", false, get_log},
    {"DELETE", "log", false, delete_log},
    {"GET", "violations", false, get_violations},
    {"DELETE", "violations", false, delete_violations},
    {"POST", "faults", true, post_fault},
    {"DELETE", "faults", false, delete_faults},
    {"POST", "settings", true, post_settings},
    {"POST", "messages", false, post_message},
    {"POST", "move", true, post_move},
    {"POST", "delete", true, post_delete},
    {"POST", "patch", true, post_patch},
    {"POST", "folders", true, post_folder},
    {"POST", "expire-delta", true, post_expire_delta},
    {"POST", "expire-tokens", false, post_expire_tokens},
    {"GET", "mailbox", false, get_mailbox},
};

void control_handle(struct sandbox *s, struct request *r, struct answer *a)
{
    struct control c = {.s = s, .r = r, .a = a};
    answer_header(a, "Content-Type", "application/json");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (r->segment_count != 1 || strcmp(table[i].name, r->segments[0]) != 0 ||
            strcmp(table[i].method, r->method) != 0)
            continue;
        if (table[i].json) {
            c.body = r->body_len ? json_tokener_parse(r->body) : json_object_new_object();
            if (!json_object_is_type(c.body, json_type_object)) {
                json_object_put(c.body);
                refuse(&c, 400, "the body is not a JSON object");
                return;
            }
        }
        pthread_mutex_lock(&s->lock);
        table[i].fn(&c);
        pthread_mutex_unlock(&s->lock);
        json_object_put(c.body);
        return;
    }
    refuse(&c, 404, "the control port has no such resource, or not with this method");
}
