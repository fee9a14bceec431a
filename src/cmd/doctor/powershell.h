/*
 * The administrator's commands for a tenant, ready to run: for an application the PowerShell that
 * limits it to the mailboxes of the configuration (RBAC for Applications in Exchange Online), for
 * persons' sign-ins the permissions, the consent and the rights on shared mailboxes.
 */
#ifndef POSTERN_CMD_POWERSHELL_H
#define POSTERN_CMD_POWERSHELL_H

#include "postern/base/buf.h"
#include "postern/base/config.h"

/* A management scope lists so many mailboxes itself; for more a group is made. How long a filter
 * may be is not documented. */
#define POWERSHELL_SCOPE_MAX 50

/* Appends the script; the same configuration gives the same text. */
void powershell_tenant(const struct config *c, const struct config_tenant *t, struct buf *out);
/* Appends a single-quoted PowerShell string. */
void powershell_quote(struct buf *out, const char *text);

#endif
