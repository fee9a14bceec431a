#include "permission.h"

#include <string.h>
#include <strings.h>

#define SEPARATORS " ,"

#define WRITES_OWN  (SCOPE_MAIL_READ_WRITE | SCOPE_MAIL_READ_WRITE_SHARED)
#define READS_OWN   (WRITES_OWN | SCOPE_MAIL_READ | SCOPE_MAIL_READ_SHARED)
#define GLANCES_OWN (READS_OWN | SCOPE_MAIL_READ_BASIC | SCOPE_MAIL_READ_BASIC_SHARED)
#define SHARED_SCOPES                                                                              \
    (SCOPE_MAIL_READ_WRITE_SHARED | SCOPE_MAIL_READ_SHARED | SCOPE_MAIL_READ_BASIC_SHARED)

static bool list_has(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (list += strspn(list, SEPARATORS); *list; list += strspn(list, SEPARATORS)) {
        size_t n = strcspn(list, SEPARATORS);
        if (n == len && strncasecmp(list, word, n) == 0)
            return true;
        list += n;
    }
    return false;
}

static bool denied(struct call *c, const char *text)
{
    return graph_error(c, 403, "ErrorAccessDenied", "%s", text);
}

/* Does the request want more than Mail.ReadBasic shows: bodies, attachments, extended properties?
 */
static bool looks_deep(struct call *c)
{
    for (size_t i = 0; i < c->depth; i++) {
        if (strcmp(c->path[i], "$value") == 0 || strcmp(c->path[i], "attachments") == 0)
            return true;
    }
    for (size_t i = 0; i < c->r->param_count; i++) {
        if (strcmp(c->r->params[i].name, "$expand") == 0)
            return true;
    }
    return false;
}

/* Any of these permissions will do for the request. */
static scope_set needed(struct call *c)
{
    if (strcmp(c->r->method, "GET") != 0)
        return WRITES_OWN;
    return looks_deep(c) ? READS_OWN : GLANCES_OWN;
}

static bool check_app(struct call *c)
{
    const struct settings *s = &c->s->settings;
    if (!(c->r->caller.scopes & needed(c) & ~(scope_set)SHARED_SCOPES))
        return denied(c, "Access is denied. Check credentials and try again.");
    if (!s->app_mailboxes[0] || list_has(s->app_mailboxes, c->b->upn))
        return true;
    if (s->app_scope == APP_SCOPE_POLICY)
        return denied(c, "Access to OData is disabled: [RAOP] : Blocked by tenant configured "
                         "AppOnly AccessPolicy settings.");
    return denied(c, "Access is denied. Check credentials and try again.");
}

static bool check_user(struct call *c)
{
    const struct caller *who = &c->r->caller;
    scope_set any_of = needed(c);
    bool shared = true;
    if (c->b != who->self) {
        any_of &= SHARED_SCOPES;
        shared = list_has(c->s->settings.shared_mailboxes,
                          arena_printf(c->r->arena, "%s=%s", who->self->upn, c->b->upn));
    }
    return (shared && (who->scopes & any_of)) ||
           denied(c, "Access is denied. Check credentials and try again.");
}

bool permission_mailbox(struct call *c)
{
    switch (c->r->caller.kind) {
    case CALLER_APP:
        return check_app(c);
    case CALLER_USER:
        return check_user(c);
    case CALLER_TRUSTED:
        break;
    }
    return true;
}

static bool needs_any(struct call *c, scope_set any_of, const char *code, const char *text)
{
    return c->r->caller.kind == CALLER_TRUSTED || (c->r->caller.scopes & any_of) ||
           graph_error(c, 403, code, "%s", text);
}

bool permission_profile(struct call *c, const struct mailbox *user)
{
    scope_set any_of = SCOPE_USER_READ_BASIC_ALL | SCOPE_USER_READ_ALL;
    if (user == c->r->caller.self)
        any_of |= SCOPE_USER_READ;
    return needs_any(c, any_of, "Authorization_RequestDenied",
                     "Insufficient privileges to complete the operation.");
}

bool permission_reports(struct call *c)
{
    return needs_any(c, SCOPE_REPORTS_READ_ALL, "S2SUnauthorized", "Invalid permission.");
}
