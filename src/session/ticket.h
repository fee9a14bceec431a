/*
 * Tickets from the inside: how one comes about.
 */
#ifndef SESSION_TICKET_H
#define SESSION_TICKET_H

#include "postern/session/login.h"

/* What a login that succeeded came to. All is copied, or referenced where it is counted. */
struct ticket_facts {
    struct session_gate *gate;
    struct config *config;
    const struct config_login *login; /* inside config; NULL: a client's own token without one */
    const char *mailbox;
    /* Of a client's own token, else NULL: */
    const struct config_tenant *tenant;
    const char *subject, *user, *bearer;
};

/* NULL: the login has too many sessions. */
struct session_ticket *ticket_open(const struct ticket_facts *facts);

#endif
