/*
 * Accounts of the tenant: one for each mailbox, and the application's own. Guarded by the
 * sandbox's lock; they live as long as the sandbox.
 */
#ifndef SANDBOX_ACCOUNT_H
#define SANDBOX_ACCOUNT_H

#include "model.h"

#define ACCOUNT_PASSWORD "sandbox-password"

struct account {
    struct mailbox *mailbox; /* NULL: the application */
    char *password;
    int refusal; /* AADSTS number that every sign-in and refresh is refused with, 0: none */
    /* What was issued before these serial numbers is dead: all of it, or what public clients got
     * when somebody typed the password that has been changed since. */
    uint64_t revoked, revoked_public;
    int64_t revoked_at_s; /* wall clock, of the newer of the two */
    /* Continuous access evaluation: only tokens that were asked for with this claim "nbf", or a
     * later one, are taken; 0: all are. */
    int64_t claims_from_s;
};

struct accounts {
    struct account **items;
    size_t count;
};

/* `mailbox` NULL: the application's. Made when first asked for. */
struct account *accounts_get(struct accounts *a, struct mailbox *mailbox);
void accounts_free(struct accounts *a);
void account_set_password(struct account *account, const char *password);

#endif
