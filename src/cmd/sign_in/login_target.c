#include "login_target.h"

#include <string.h>
#include <strings.h>

enum rank { RANK_ACCOUNT, RANK_MAILBOX, RANK_LOGIN, RANKS };

bool login_target_needed(const struct config_tenant *t)
{
    return t->flow == FLOW_DEVICE_CODE || t->flow == FLOW_AUTHORIZATION_CODE;
}

static bool has_mailbox(const struct config_login *l, const char *name)
{
    if (strcasecmp(l->mailbox, name) == 0)
        return true;
    for (size_t i = 0; i < l->mailbox_count; i++) {
        if (strcasecmp(l->mailboxes[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_meant(const struct config_login *l, const char *account, const char *name,
                     enum rank rank)
{
    switch (rank) {
    case RANK_ACCOUNT:
        return account && strcasecmp(account, name) == 0;
    case RANK_MAILBOX:
        return has_mailbox(l, name);
    default:
        return strcmp(l->name, name) == 0;
    }
}

static bool same(const struct login_target *t, const struct config_tenant *tenant,
                 const char *account)
{
    return t->tenant == tenant && strcasecmp(t->account, account) == 0;
}

/* What is meant at one rank. */
struct found {
    struct login_target first, second;
    const struct config_tenant *application; /* of a login that needs nobody to sign in */
    unsigned count;
};

static void add(struct found *f, const struct config_tenant *tenant, const char *account)
{
    if (f->count == 0)
        f->first = (struct login_target){tenant, account};
    else if (same(&f->first, tenant, account) ||
             (f->count > 1 && same(&f->second, tenant, account)))
        return;
    else if (f->count == 1)
        f->second = (struct login_target){tenant, account};
    f->count++;
}

static struct found look(const struct config *c, const char *name, const char *tenant,
                         enum rank rank)
{
    struct found f = {.count = 0};
    for (size_t i = 0; i < c->login_count; i++) {
        const struct config_login *l = &c->logins[i];
        const char *account = config_login_principal(l).account;
        if ((tenant && strcmp(l->tenant->name, tenant) != 0) || !is_meant(l, account, name, rank))
            continue;
        if (login_target_needed(l->tenant))
            add(&f, l->tenant, account);
        else
            f.application = l->tenant;
    }
    return f;
}

static bool explain_several(const struct found *f, const char *name, struct error *e)
{
    bool one_tenant = f->first.tenant == f->second.tenant;
    return error_set(e, ERROR_REQUEST,
                     "%s is opened with several sign-ins, among them %s of tenant \"%s\" and %s of "
                     "tenant \"%s\"; name %s",
                     name, f->first.account, f->first.tenant->name, f->second.account,
                     f->second.tenant->name,
                     one_tenant ? "the account instead" : "the tenant too: --tenant NAME");
}

static bool explain_none(const struct config *c, const struct config_tenant *application,
                         const char *name, const char *tenant, struct error *e)
{
    if (application)
        return error_set(e, ERROR_REQUEST,
                         "nobody signs in for %s: tenant \"%s\" has a flow that does so by itself",
                         name, application->name);
    return error_set(e, ERROR_REQUEST,
                     "%s has no login for %s%s%s%s; name an account, a mailbox or "
                     "a login of that file",
                     c->path, name, tenant ? " in tenant \"" : "", tenant ? tenant : "",
                     tenant ? "\"" : "");
}

bool login_target_find(const struct config *c, const char *name, const char *tenant,
                       struct login_target *out, struct error *e)
{
    const struct config_tenant *application = NULL;
    for (enum rank rank = 0; rank < RANKS; rank++) {
        struct found f = look(c, name, tenant, rank);
        if (f.count > 1)
            return explain_several(&f, name, e);
        if (f.count == 1) {
            *out = f.first;
            return true;
        }
        application = application ? application : f.application;
    }
    return explain_none(c, application, name, tenant, e);
}

static bool is_first(const struct config *c, size_t index, const struct login_target *t)
{
    for (size_t i = 0; i < index; i++) {
        const struct config_login *l = &c->logins[i];
        if (login_target_needed(l->tenant) && same(t, l->tenant, config_login_principal(l).account))
            return false;
    }
    return true;
}

void login_target_each(const struct config *c,
                       void (*fn)(void *arg, const struct login_target *target,
                                  const struct config_login *login),
                       void *arg)
{
    for (size_t i = 0; i < c->login_count; i++) {
        const struct config_login *l = &c->logins[i];
        struct login_target t = {l->tenant, config_login_principal(l).account};
        if (login_target_needed(l->tenant) && is_first(c, i, &t))
            fn(arg, &t, l);
    }
}
