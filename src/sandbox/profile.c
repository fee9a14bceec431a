#include "profile.h"

#include "permission.h"

#include <string.h>

bool profile_is_wanted(const struct request *r)
{
    return (r->segment_count == 2 && strcmp(r->segments[1], "me") == 0) ||
           (r->segment_count == 3 && strcmp(r->segments[1], "users") == 0);
}

static bool is_selected(const char *select, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = select; p && *p; p += strspn(p, ",")) {
        size_t n = strcspn(p, ",");
        if (n == len && strncmp(p, name, n) == 0)
            return true;
        p += n;
    }
    return !select;
}

static void answer_profile(struct call *c, const struct mailbox *user)
{
    const char *select = request_param(c->r, "$select");
    const struct {
        const char *name, *value;
    } members[] = {{"displayName", user->upn},
                   {"givenName", NULL},
                   {"mail", user->upn},
                   {"surname", NULL},
                   {"userPrincipalName", user->upn},
                   {"id", user->guid}};
    if (!graph_check_options(c))
        return;
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "@odata.context",
                           json_object_new_string(arena_printf(
                               c->r->arena, "%s/v1.0/$metadata#users/$entity", c->r->origin)));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (is_selected(select, members[i].name))
            json_object_object_add(o, members[i].name,
                                   members[i].value ? json_object_new_string(members[i].value)
                                                    : NULL);
    }
    answer_json(c->a, 200, o);
}

void profile_handle(struct call *c)
{
    const struct mailbox *user =
        c->r->segment_count == 2 ? c->r->caller.self : model_find(&c->s->model, c->r->segments[2]);
    if (strcmp(c->r->method, "GET") != 0)
        graph_method_error(c);
    else if (c->r->segment_count == 2 && c->r->caller.kind != CALLER_USER)
        graph_error(c, 400, "BadRequest",
                    "/me request is only valid with delegated authentication flow.");
    else if (!permission_profile(c, user))
        return;
    else if (!user)
        graph_error(c, 404, "Request_ResourceNotFound",
                    "Resource '%s' does not exist or one of its queried reference-property objects "
                    "are not present.",
                    c->r->segments[2]);
    else
        answer_profile(c, user);
}
