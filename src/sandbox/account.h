/*
 * Accounts of the tenant: one for each mailbox, and the application's own. Guarded by the
 * sandbox's lock; they live as long as the sandbox.
 */
#ifndef SANDBOX_ACCOUNT_H
#define SANDBOX_ACCOUNT_H

#include "model.h"

#define ACCOUNT_PASSWORD "sandbox-password"

#define CLAIM_ACRS_SIZE 16

/* What of the parameter "claims" of a request means something here (Entra: claims-challenge). */
struct claims {
    bool cp1;                   /* the client knows claims challenges */
    int64_t nbf_s;              /* 0: not asked for */
    char acrs[CLAIM_ACRS_SIZE]; /* an authentication context such as "c1"; "": not asked for */
};

struct account {
    struct mailbox *mailbox; /* NULL: the application */
    char *password;
    int refusal; /* AADSTS number that every sign-in and refresh is refused with, 0: none */
    /* What was issued before these serial numbers is dead: all of it, or what public clients got
     * when somebody typed the password that has been changed since. */
    uint64_t revoked, revoked_public;
    int64_t revoked_at_s; /* wall clock, of the newer of the two */
    /* Of clients that know claims challenges only tokens are taken that were asked for with this
     * nbf, or a later one, and this authentication context. */
    struct claims wanted;
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
