/*
 * Permissions of Graph (permissions-reference), as the scopes of a delegated token or the roles of
 * an application's, and who asks Graph by right of which.
 */
#ifndef SANDBOX_CALLER_H
#define SANDBOX_CALLER_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mailbox;

typedef uint32_t scope_set;

enum {
    SCOPE_OPENID = 1 << 0,
    SCOPE_PROFILE = 1 << 1,
    SCOPE_EMAIL = 1 << 2,
    SCOPE_OFFLINE_ACCESS = 1 << 3,
    SCOPE_USER_READ = 1 << 4,
    SCOPE_USER_READ_BASIC_ALL = 1 << 5,
    SCOPE_USER_READ_ALL = 1 << 6,
    SCOPE_MAIL_READ_BASIC = 1 << 7,
    SCOPE_MAIL_READ = 1 << 8,
    SCOPE_MAIL_READ_WRITE = 1 << 9,
    SCOPE_MAIL_READ_BASIC_SHARED = 1 << 10,
    SCOPE_MAIL_READ_SHARED = 1 << 11,
    SCOPE_MAIL_READ_WRITE_SHARED = 1 << 12,
    SCOPE_MAIL_SEND = 1 << 13,
    SCOPE_MAIL_SEND_SHARED = 1 << 14,
    SCOPE_MAILBOX_SETTINGS_READ = 1 << 15,
    SCOPE_MAILBOX_SETTINGS_READ_WRITE = 1 << 16,
    SCOPE_REPORTS_READ_ALL = 1 << 17,
    SCOPE_ALL = (1 << 18) - 1
};

/* Those of OpenID Connect, which are no permissions of a resource. */
#define SCOPE_OIDC (SCOPE_OPENID | SCOPE_PROFILE | SCOPE_EMAIL | SCOPE_OFFLINE_ACCESS)

/* 0: no such permission. ASCII case is ignored, as Entra ID does. */
scope_set scope_by_name(const char *name, size_t len);
/* Names with white space or commas between them. False: one of them is unknown. */
bool scope_parse(const char *text, scope_set *out);
/* The names, a space between them. */
void scope_print(scope_set set, struct buf *out);

/* CALLER_TRUSTED is a request without HTTP, as unit tests make them: it may do everything. */
enum caller_kind { CALLER_TRUSTED, CALLER_APP, CALLER_USER };

/* Whom an access token speaks for. Plain data. */
struct caller {
    enum caller_kind kind;
    scope_set scopes;
    struct mailbox *self; /* CALLER_USER: the account's own mailbox */
};

#endif
