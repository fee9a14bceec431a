/*
 * Federated credentials: assertions of another issuer, as a Kubernetes cluster makes them for its
 * workloads (Entra: workload-identity-federation). That issuer is played by the control port;
 * whom the application trusts is set by settings. Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_FEDERATION_H
#define SANDBOX_FEDERATION_H

#include "sandbox.h"

/* What such an assertion says. */
struct federated_claims {
    const char *issuer, *subject, *audience;
    int64_t life_s; /* from now on; negative: it is over */
    bool forged;    /* signed with a key that is not the issuer's */
};

/* Does it name no certificate, and so come from elsewhere? */
bool federation_is_foreign(const char *jwt);
/* NULL: it is good; else the AADSTS text, the number in *number. */
const char *federation_verify(struct sandbox *s, const char *jwt, struct arena *arena, int *number);
/* Malloc'ed. The issuer's key is made the first time. */
char *federation_mint(struct sandbox *s, const struct federated_claims *claims);

#endif
