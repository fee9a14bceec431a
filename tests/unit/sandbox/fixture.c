#include "fixture.h"

#include "../unit.h"

#include <string.h>

void fixture_set_up(struct fixture *x, size_t messages)
{
    sandbox_init(&x->s);
    x->b = model_add_mailbox(&x->s.model, UPN);
    x->inbox = mailbox_well_known(x->b, "inbox");
    x->answer = NULL;
    buf_init(&x->text, ANSWER_BODY_MAX);
    for (size_t i = 0; i < messages; i++)
        fixture_add(x, "inbox", "Subject: x\r\n\r\n");
}

void fixture_tear_down(struct fixture *x)
{
    json_object_put(x->answer);
    buf_free(&x->text);
    sandbox_free(&x->s);
}

struct message *fixture_add(struct fixture *x, const char *folder, const char *mime)
{
    const struct message_new n = {
        .mime = mime, .size = strlen(mime), .received_ms = 1, .at_start = true};
    return message_add(mailbox_folder_path(x->b, folder), &n);
}

void fixture_send(struct fixture *x, const char *method, const char *target, const char *type,
                  const char *body)
{
    struct request_pair headers[] = {
        {.name = "Prefer", .value = "IdType=\"ImmutableId\""},
        {.name = "Content-Type", .value = type ? type : "application/json"}};
    struct request r = {.arena = arena_new(),
                        .method = method,
                        .origin = ORIGIN,
                        .headers = headers,
                        .header_count = body ? 2 : 1,
                        .body = body ? body : "",
                        .body_len = body ? strlen(body) : 0};
    struct answer a;
    answer_init(&a);
    json_object_put(x->answer);
    CU_ASSERT(request_parse_target(&r, target));
    graph_dispatch(&x->s, &r, &a);
    x->status = a.status;
    x->answer = json_tokener_parse(buf_str(&a.body));
    buf_clear(&x->text);
    buf_append(&x->text, a.body.data, a.body.len);
    answer_free(&a);
    arena_free(&r.arena);
}

void fixture_get(struct fixture *x, const char *target)
{
    fixture_send(x, "GET", target, NULL, NULL);
}

void fixture_post(struct fixture *x, const char *target, const char *body)
{
    fixture_send(x, "POST", target, NULL, body);
}

bool fixture_follow(struct fixture *x, const char *name)
{
    char target[4096];
    struct json_object *link = fixture_member(x, name);
    if (!link)
        return false;
    snprintf(target, sizeof target, "%s", json_object_get_string(link) + strlen(ORIGIN));
    fixture_get(x, target);
    return true;
}

const char *fixture_message(const struct message *m, const char *rest)
{
    static char target[1024];
    char id[ID_SIZE];
    struct arena *arena = arena_new();
    id_message(m->folder->mailbox, m, true, id);
    snprintf(target, sizeof target, USER "/messages/%s%s", request_escape(arena, id, ""), rest);
    arena_free(&arena);
    return target;
}

struct json_object *fixture_member(const struct fixture *x, const char *path)
{
    struct json_object *o = x->answer;
    while (o && *path) {
        char name[128];
        size_t len = strcspn(path, "/");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        if (json_object_is_type(o, json_type_array))
            o = json_object_array_get_idx(o, (size_t)strtoul(name, NULL, 10));
        else if (!json_object_object_get_ex(o, name, &o))
            o = NULL;
        path += path[len] ? len + 1 : len;
    }
    return o;
}

const char *fixture_string(const struct fixture *x, const char *path)
{
    struct json_object *o = fixture_member(x, path);
    return o ? json_object_get_string(o) : "";
}

const char *fixture_code(const struct fixture *x)
{
    return fixture_string(x, "error/code");
}

size_t fixture_items(const struct fixture *x)
{
    struct json_object *value = fixture_member(x, "value");
    return value ? json_object_array_length(value) : 0;
}

size_t fixture_violations(const struct fixture *x, const char *rule)
{
    size_t count = 0;
    for (size_t i = 0; i < json_object_array_length(x->s.journal.violations); i++) {
        struct json_object *name = NULL;
        struct json_object *one = json_object_array_get_idx(x->s.journal.violations, i);
        json_object_object_get_ex(one, "rule", &name);
        count += strcmp(json_object_get_string(name), rule) == 0;
    }
    return count;
}
