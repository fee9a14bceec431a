/*
 * Whose sign-in a person means who types a name: an account, a mailbox, or the name of a login.
 */
#ifndef POSTERN_CMD_LOGIN_TARGET_H
#define POSTERN_CMD_LOGIN_TARGET_H

#include "postern/base/config.h"

struct login_target {
    const struct config_tenant *tenant;
    const char *account; /* inside the config */
};

/* Among the sign-ins that persons make for this configuration; `tenant` NULL: of any. Accounts go
 * before mailboxes, mailboxes before names of logins. False: none, or several; `e` names them and
 * tells what to type. */
bool login_target_find(const struct config *c, const char *name, const char *tenant,
                       struct login_target *out, struct error *e);
/* Does somebody have to sign in with `postern login` for it? */
bool login_target_needed(const struct config_tenant *t);
/* Visits each sign-in that the logins need, once. */
void login_target_each(const struct config *c,
                       void (*fn)(void *arg, const struct login_target *target,
                                  const struct config_login *login),
                       void *arg);

#endif
