/*
 * What a client's user name asks for: a login, and perhaps one of its other mailboxes in the way
 * that clients of Exchange write it. Pure.
 */
#ifndef SESSION_USER_NAME_H
#define SESSION_USER_NAME_H

#include "postern/base/config.h"

#include <stdbool.h>

/* The exact name of a login comes first. Else "LOGIN/MAILBOX", "LOGIN\MAILBOX" or
 * "DOMAIN\LOGIN\MAILBOX", where the mailbox is one of the login's: its whole name or, if only one
 * begins so, the part before the '@'; without case. NULL: nobody's name. *mailbox is the
 * configuration's spelling. */
const struct config_login *user_name_find(const struct config *c, const char *name,
                                          const char **mailbox);
/* Is it one of the login's, by its whole name? */
bool user_name_opens(const struct config_login *l, const char *mailbox);
/* The mailbox that a name asks for where no login is needed: what stands behind the last '/' or
 * '\', else the whole. */
const char *user_name_mailbox(const char *name);
/* What guesses at a name are counted under, to free(): the same for one login whatever mailbox is
 * named with it. It depends on the name alone, so that delays tell nothing of what logins there
 * are. */
char *user_name_key(const char *name);

#endif
