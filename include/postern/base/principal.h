/*
 * On whose behalf a mailbox is opened: plain data, handed down from a login to the tokens.
 *
 * Two principals are the same where tenant, account and subject are (account without case).
 * What was fetched for one is never served to another, so each has accounts of its own.
 */
#ifndef POSTERN_BASE_PRINCIPAL_H
#define POSTERN_BASE_PRINCIPAL_H

struct principal {
    const char *tenant;  /* title of the tenant's section */
    const char *account; /* whose stored sign-in is used; NULL: the application's own */
    const char *subject; /* of a client that brought its own token: who Graph says it is; NULL */
    const char *bearer;  /* that token; secret; not part of the identity; NULL */
};

/* A name of the principal for tables and paths, to free(): the tenant alone for the application
 * itself. */
char *principal_key(const struct principal *who);

#endif
