/*
 * GET …/authorize and the codes that it gives (Entra: v2-oauth2-auth-code-flow; RFC 7636). Whoever
 * would sign in with a browser is played by settings. Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_AUTHORIZE_H
#define SANDBOX_AUTHORIZE_H

#include "entra.h"

struct auth_code {
    struct sign_in who;
    struct claims claims;
    char *redirect_uri, *challenge, *nonce; /* the latter two NULL: none */
    bool hashed;                            /* the challenge is S256 */
    bool redeemed;
    int64_t issued_ms; /* monotonic */
};

/* Sends the browser back to the client: 302 with code and state, or with error and state. What
 * makes the way back itself doubtful is told here instead, as a page. */
void authorize_handle(struct entra_call *c);
/* The grant at …/token. False: refused. */
bool authorize_grant(struct entra_call *c, struct earned *out);
void auth_codes_free(struct table **codes);

#endif
