/*
 * The metadata service of an Azure virtual machine, as far as it gives tokens to managed
 * identities (Entra: how-to-use-vm-token). Plain HTTP. The caller holds the sandbox's lock.
 */
#ifndef SANDBOX_IMDS_H
#define SANDBOX_IMDS_H

#include "sandbox.h"

#define IMDS_IDENTITIES 3

/* The first is the machine's own (system-assigned), the others are user-assigned. They come from
 * the tenant's name, so that two runs have the same. */
struct imds_identity {
    char client_id[GUID_SIZE], object_id[GUID_SIZE];
    char resource_id[192]; /* of a user-assigned one */
};

void imds_identity(const struct token_issuer *t, size_t n, struct imds_identity *out);
/* GET /metadata/identity/oauth2/token, and 404 for all else; writes the log of sign-ins. */
void imds_handle(struct sandbox *s, struct request *r, struct answer *a);

#endif
