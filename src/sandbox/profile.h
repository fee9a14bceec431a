/*
 * GET /me and GET /users/{id}: what Postern asks of an account (Graph: user-get).
 */
#ifndef SANDBOX_PROFILE_H
#define SANDBOX_PROFILE_H

#include "graph.h"

/* …/me without more, or /users/{id} without more? */
bool profile_is_wanted(const struct request *r);
void profile_handle(struct call *c);

#endif
