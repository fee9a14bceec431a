/*
 * Signing in: what a way of getting tokens (a flow) must offer, and how the answers of the token
 * endpoint are read. Microsoft identity platform, OAuth 2.0 (RFC 6749).
 */
#ifndef POSTERN_SRC_GRAPH_OAUTH_H
#define POSTERN_SRC_GRAPH_OAUTH_H

#include "error.h"

#include "postern/base/buf.h"
#include "postern/base/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OAUTH_FORM_MAX   ((size_t)64 * 1024)
#define OAUTH_TOKEN_MAX  ((size_t)64 * 1024) /* a longer access token is refused */
#define OAUTH_ANSWER_MAX ((size_t)256 * 1024)
/* Lifetimes outside these are cut to them. */
#define OAUTH_LIFETIME_MIN_MS ((int64_t)1000)
#define OAUTH_LIFETIME_MAX_MS ((int64_t)28 * 3600 * 1000)

/* A request to the token endpoint: POST of a form. */
struct oauth_request {
    char *url;
    struct buf form; /* holds secrets */
};
void oauth_request_free(struct oauth_request *r);

/* One tenant's way to a token. Called by one thread at a time, under the client's lock: no I/O
 * over the network here, only the making of requests. */
struct oauth_provider {
    /* Fills `out` (the caller frees it). False: `e` (ERROR_SIGN_IN) says what the administrator
     * must do. */
    bool (*request)(struct oauth_provider *p, struct oauth_request *out, struct error *e);
    /* A request was refused. True: the next one will be another, so it is worth sending at once. */
    bool (*refused)(struct oauth_provider *p, const struct error *e);
    void (*free)(struct oauth_provider *p);
};

/* Client credentials with a secret or a certificate, as the tenant is set up. Reads certificate
 * and key now. NULL: `e` names the file. */
struct oauth_provider *oauth_client_credentials_new(const struct config_tenant *t, struct error *e);

struct oauth_token {
    char *access; /* secret_free() it */
    int64_t lifetime_ms;
};
/* Reads an answer of the token endpoint. False: `e`, of kind ERROR_SIGN_IN if a person must act,
 * ERROR_TEMPORARY or ERROR_THROTTLED if time may mend it, ERROR_ANSWER if it is no token. */
bool oauth_token_decode(const struct answer *a, const char *body, size_t len,
                        struct oauth_token *out, struct error *e);

/* What an AADSTS number means to the administrator. */
struct aadsts {
    int number;
    enum error_kind kind;
    const char *advice;
};
/* NULL: not in the table. */
const struct aadsts *aadsts_find(int number);

#endif
