/*
 * The Entra ID token endpoint, POST /{tenant}/oauth2/v2.0/token, for client credentials
 * (Entra: v2-oauth2-client-creds-grant-flow, certificate-credentials, reference-error-codes).
 * Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_TOKEN_H
#define SANDBOX_TOKEN_H

#include "postern/base/encode.h"
#include "postern/base/table.h"
#include "request.h"

#include <openssl/x509.h>
#include <stdint.h>

struct token_issuer {
    char *tenant; /* domain name */
    char tenant_guid[GUID_SIZE];
    char *client_id;
    char *client_secret;
    X509 *certificate;    /* registered for assertions, NULL: none */
    struct table *issued; /* token → its expiry; values are malloc'ed int64_t (monotonic ms) */
    struct table *seen_jti;
};

enum token_state { TOKEN_GOOD, TOKEN_EXPIRED, TOKEN_UNKNOWN };

void token_issuer_init(struct token_issuer *t);
void token_issuer_free(struct token_issuer *t);
/* Is this the path of a token endpoint, whatever the tenant? */
bool token_is_endpoint(const struct request *r);
/* `life_s`: of a token issued now. */
void token_handle(struct token_issuer *t, const struct request *r, int64_t life_s,
                  struct answer *a);
enum token_state token_check(const struct token_issuer *t, const char *token);
void token_expire_all(struct token_issuer *t);

/* Checks a client assertion. NULL: it is good; else the AADSTS text that refuses it, the number
 * in *code. `audience` is the token endpoint's own URL. */
const char *assertion_verify(struct token_issuer *t, const char *jwt, const char *audience,
                             int *code);

#endif
