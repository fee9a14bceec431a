#include "need.h"

#include "postern/base/alloc.h"

#include <string.h>
#include <strings.h>

static struct need make(const struct config_login *l, const char *mailbox)
{
    struct need n = {.login = l, .mailbox = mailbox, .writes = !l->read_only};
    n.who = config_login_principal(l);
    n.shared = n.who.account && strcasecmp(n.who.account, mailbox) != 0;
    return n;
}

struct need *need_all(const struct config *c, const struct config_tenant *tenant, size_t *count)
{
    size_t most = 0;
    for (size_t i = 0; i < c->login_count; i++)
        most += 1 + c->logins[i].mailbox_count;
    struct need *all = xcalloc(most + 1, sizeof *all);
    *count = 0;
    for (size_t i = 0; i < c->login_count; i++) {
        const struct config_login *l = &c->logins[i];
        if (tenant && l->tenant != tenant)
            continue;
        all[(*count)++] = make(l, l->mailbox);
        for (size_t k = 0; k < l->mailbox_count; k++)
            all[(*count)++] = make(l, l->mailboxes[k]);
    }
    return all;
}

const char *need_permission(const struct need *n)
{
    if (n->shared)
        return n->writes ? "Mail.ReadWrite.Shared" : "Mail.Read.Shared";
    return n->writes ? "Mail.ReadWrite" : "Mail.Read";
}

bool need_scope_has(const char *scope, const char *word)
{
    size_t want = strlen(word);
    for (const char *p = scope; *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        const char *name = p;
        for (size_t i = 0; i < len; i++) {
            if (p[i] == '/')
                name = p + i + 1;
        }
        if ((size_t)(p + len - name) == want && strncasecmp(name, word, want) == 0)
            return true;
        p += len;
    }
    return false;
}
