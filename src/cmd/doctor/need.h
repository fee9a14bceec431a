/*
 * Which Graph permissions a configuration needs: derived from flow, read-only, and whether the
 * account that signs in is the mailbox's own.
 */
#ifndef POSTERN_CMD_NEED_H
#define POSTERN_CMD_NEED_H

#include "postern/base/config.h"

/* One mailbox that a login may open. */
struct need {
    const struct config_login *login;
    const char *mailbox;
    struct principal who;
    bool writes;
    bool shared; /* a person signs in, and the mailbox is not that person's own */
};

/* All of a config (`tenant` NULL) or of one tenant, in the order of the file, those of a login
 * side by side; to free(). */
struct need *need_all(const struct config *c, const struct config_tenant *tenant, size_t *count);
/* "Mail.ReadWrite", "Mail.Read.Shared" …: static. */
const char *need_permission(const struct need *n);
/* Is `word` one of the space-separated words of `scope`? As a URL, too
 * ("https://graph.microsoft.com/Mail.Read"); any case. */
bool need_scope_has(const char *scope, const char *word);

#endif
