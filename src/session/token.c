#include "token.h"

#include "address.h"

#include <string.h>
#include <strings.h>

bool token_may_cross(const struct session_conn *c)
{
    const char *version = session_conn_tls_version(c);
    return version ? strcmp(version, "1.2") >= 0 : address_loopback(session_conn_sockaddr(c));
}

bool token_any_tenant(const struct config *c)
{
    for (size_t i = 0; i < c->tenant_count; i++) {
        if (c->tenants[i].allow_client_tokens)
            return true;
    }
    return false;
}

static bool in_domain(const char *mailbox, const char *domain)
{
    const char *at = strrchr(mailbox, '@');
    return at && strcasecmp(at + 1, domain) == 0;
}

static const struct config_tenant *by_login(const struct config *c, const char *domain)
{
    for (size_t i = 0; i < c->login_count; i++) {
        const struct config_login *l = &c->logins[i];
        if (l->tenant->allow_client_tokens && in_domain(l->mailbox, domain))
            return l->tenant;
    }
    return NULL;
}

const struct config_tenant *token_tenant(const struct config *c, const struct config_login *login,
                                         const char *mailbox)
{
    const char *at = strrchr(mailbox, '@');
    const struct config_tenant *only = NULL, *found = NULL;
    unsigned allowing = 0;
    if (login)
        return login->tenant->allow_client_tokens ? login->tenant : NULL;
    for (size_t i = 0; i < c->tenant_count; i++) {
        if (!c->tenants[i].allow_client_tokens)
            continue;
        only = &c->tenants[i];
        allowing++;
    }
    if (at)
        found = by_login(c, at + 1);
    return found || allowing != 1 ? found : only;
}
