#include "control.h"

#include "control_mail.h"

#include <string.h>

void control_refuse(struct control *c, int status, const char *text)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "error", json_object_new_string(text));
    answer_json(c->a, status, o);
}

void control_done(struct control *c)
{
    answer_json(c->a, 200, json_object_new_object());
}

const char *control_text(const struct control *c, const char *name)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(c->body, name, &v) || !json_object_is_type(v, json_type_string))
        return NULL;
    return json_object_get_string(v);
}

int64_t control_number(const struct control *c, const char *name, int64_t missing)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(c->body, name, &v) ? json_object_get_int64(v) : missing;
}

bool control_flag(const struct control *c, const char *name)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(c->body, name, &v) && json_object_get_boolean(v);
}

/* The named mailbox, or the only one where none is named. NULL: refused. */
struct mailbox *control_user(struct control *c, const char *user)
{
    struct mailbox *b = NULL;
    if (user)
        b = model_find(&c->s->model, user);
    else if (c->s->model.count > 0)
        b = c->s->model.mailboxes[0];
    if (!b)
        control_refuse(c, 404, "no such user");
    return b;
}

static void get_log(struct control *c)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "requests", journal_requests_json(&c->s->journal));
    json_object_object_add(o, "tokens", json_object_new_int64((int64_t)c->s->journal.tokens));
    json_object_object_add(o, "sign_ins", json_object_get(c->s->journal.sign_ins));
    json_object_object_add(o, "max_in_flight", throttle_maxima_json(&c->s->throttle));
    answer_json(c->a, 200, o);
}

static void delete_log(struct control *c)
{
    journal_clear_requests(&c->s->journal);
    throttle_clear_maxima(&c->s->throttle);
    control_done(c);
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
    control_done(c);
}

static void post_fault(struct control *c)
{
    char why[160];
    if (faults_add(&c->s->faults, c->body, why, sizeof why))
        control_done(c);
    else
        control_refuse(c, 400, why);
}

static void delete_faults(struct control *c)
{
    faults_clear(&c->s->faults);
    control_done(c);
}

static void post_settings(struct control *c)
{
    struct settings changed = c->s->settings;
    json_object_object_foreach(c->body, name, value)
    {
        const char *why = NULL;
        const char *text = value ? json_object_get_string(value) : "";
        if (!settings_set(&changed, name, text, &why)) {
            control_refuse(c, 400, arena_printf(c->r->arena, "%s: %s", name, why));
            return;
        }
    }
    c->s->settings = changed;
    control_done(c);
}

static void post_expire_delta(struct control *c)
{
    struct mailbox *b = control_user(c, control_text(c, "user"));
    if (!b)
        return;
    b->delta_epoch++;
    control_done(c);
}

static void post_expire_tokens(struct control *c)
{
    token_expire_all(&c->s->tokens);
    control_done(c);
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
    {"POST", "messages", false, control_message},
    {"POST", "move", true, control_move},
    {"POST", "delete", true, control_delete},
    {"POST", "patch", true, control_patch},
    {"POST", "folders", true, control_folder},
    {"POST", "rename", true, control_rename},
    {"POST", "remove", true, control_remove},
    {"POST", "tree", true, control_tree},
    {"POST", "expire-delta", true, post_expire_delta},
    {"POST", "expire-tokens", false, post_expire_tokens},
    {"GET", "mailbox", false, control_mailbox},
    {"GET", "devices", false, control_devices},
    {"POST", "device", true, control_device},
    {"POST", "account", true, control_account},
    {"POST", "revoke", true, control_revoke},
    {"POST", "challenge", true, control_challenge},
    {"POST", "expire-refresh", true, control_expire_refresh},
    {"POST", "federated-token", true, control_federated_token},
    {"POST", "access-token", true, control_access_token},
    {"POST", "report", true, control_report},
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
                control_refuse(&c, 400, "the body is not a JSON object");
                return;
            }
        }
        pthread_mutex_lock(&s->lock);
        table[i].fn(&c);
        pthread_mutex_unlock(&s->lock);
        json_object_put(c.body);
        return;
    }
    control_refuse(&c, 404, "the control port has no such resource, or not with this method");
}
