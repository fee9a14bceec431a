/*
 * What a token may do at Graph (permissions-reference; auth-limit-mailbox-access).
 */
#ifndef SANDBOX_PERMISSION_H
#define SANDBOX_PERMISSION_H

#include "graph.h"

/* A request to a mailbox. False: refused with 403 ErrorAccessDenied. */
bool permission_mailbox(struct call *c);
/* A request to …/me or /users/{id}, whose account is `user`. */
bool permission_profile(struct call *c, const struct mailbox *user);
/* A request for a report of the whole tenant. */
bool permission_reports(struct call *c);

#endif
