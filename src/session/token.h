/*
 * Clients that bring an access token of their own (XOAUTH2, OAUTHBEARER): where such a token may
 * cross, and which tenant it is of.
 */
#ifndef SESSION_TOKEN_H
#define SESSION_TOKEN_H

#include "postern/session/conn.h"

#include <stdbool.h>

/* A token opens a mailbox to whoever reads it on its way (RFC 6750 section 5.2): TLS 1.2 at least,
 * or this machine. */
bool token_may_cross(const struct session_conn *c);
bool token_any_tenant(const struct config *c);
/* Of the tenants that allow it: that of the login (NULL: none), else one that has a login with a
 * mailbox in the mailbox's domain, else the only one. NULL: none of these. Who the token belongs to
 * is for Graph to say. */
const struct config_tenant *token_tenant(const struct config *c, const struct config_login *login,
                                         const char *mailbox);

#endif
