/*
 * Clients that bring an access token of their own.
 */
#ifndef POSTERN_MAILBOX_BEARER_H
#define POSTERN_MAILBOX_BEARER_H

#include "postern/base/error.h"
#include "postern/base/wait.h"
#include "postern/mailbox/account.h"

#include <stdbool.h>

/* Asks Graph, with the token, whose it is and whether it opens a mailbox (NULL: the owner's own):
 * two requests, each time, so that nothing kept from before is served to a token that Graph would
 * refuse now. On true *subject is the owner's object id and *user the user principal name, both to
 * free(). ERROR_SIGN_IN, ERROR_DENIED, ERROR_MAILBOX_GONE: Graph refuses it. Blocks with the given
 * wait; any thread. */
bool mailbox_bearer_prove(struct mailbox_registry *r, const char *tenant, const char *bearer,
                          const char *mailbox, char **subject, char **user, struct wait *w,
                          struct error *e);

#endif
