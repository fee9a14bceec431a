/*
 * How a person signs in, for `postern login`: the device code flow and the authorization code flow
 * with PKCE (Microsoft identity platform: v2-oauth2-device-code, v2-oauth2-auth-code-flow; RFC
 * 8628, RFC 7636). The calls block with the given wait; any thread.
 *
 * What comes out is a whole sign-in, fresh tokens included, checked to be the account that was
 * meant; the caller saves it in the vault.
 */
#ifndef POSTERN_GRAPH_SIGN_IN_H
#define POSTERN_GRAPH_SIGN_IN_H

#include "postern/base/sign_in.h"
#include "postern/base/wait.h"
#include "postern/graph/client.h"

/* What to show to the person. */
struct graph_device_code {
    char *user_code;        /* "FJC3LXKQB" */
    char *verification_url; /* https: checked */
    char *device_code;      /* secret */
    int64_t interval_ms;
    int64_t expires_ms; /* monotonic */
};

bool graph_device_code_ask(struct graph_client *client, const char *tenant,
                           struct graph_device_code *out, struct wait *w, struct error *e);
/* Asks until the person has signed in, declined, or the code has expired; honours slow_down. */
bool graph_device_code_wait(struct graph_client *client, const char *tenant, const char *account,
                            const struct graph_device_code *code, struct sign_in *out,
                            struct wait *w, struct error *e);
void graph_device_code_free(struct graph_device_code *code);

/* One try of the authorization code flow. */
struct graph_code_flow {
    char *url;          /* for the browser */
    char *redirect_uri; /* "http://localhost:PORT" */
    char *state;        /* random; the redirect must bring it back */
    char *verifier;     /* secret (PKCE) */
};

/* `port`: of our listener on 127.0.0.1. */
bool graph_code_flow_begin(struct graph_client *client, const char *tenant, const char *account,
                           unsigned port, struct graph_code_flow *out, struct error *e);
/* `code`: from the redirect, whose state was checked. */
bool graph_code_flow_redeem(struct graph_client *client, const char *tenant, const char *account,
                            const struct graph_code_flow *flow, const char *code,
                            struct sign_in *out, struct wait *w, struct error *e);
void graph_code_flow_free(struct graph_code_flow *flow);

/* Who a client's own token belongs to: asks Graph with it (GET /me), and where Graph knows it but
 * may not say (no User.Read), the token's own claims. On true *subject is the object id and *user
 * the UPN, both to free(). ERROR_SIGN_IN: Graph refuses the token, or it is of another directory
 * than the tenant's, whose `tenant-id` must be a GUID for that. */
bool graph_bearer_subject(struct graph_client *client, const char *tenant, const char *bearer,
                          char **subject, char **user, struct wait *w, struct error *e);

/* The state of one identity, for `doctor`, the status page and the log. */
enum graph_identity_state {
    GRAPH_IDENTITY_UNUSED, /* nothing has asked for a token yet */
    GRAPH_IDENTITY_GOOD,
    GRAPH_IDENTITY_FAILING,    /* time may mend it */
    GRAPH_IDENTITY_NEEDS_LOGIN /* a person must act: sign in, or mend the registration */
};
struct graph_identity_status {
    const char *tenant, *account; /* account NULL: the application itself */
    enum graph_identity_state state;
    const char *reason;       /* of the last failure, "" if none */
    int64_t token_expires_ms; /* monotonic; 0: no token */
};
void graph_client_each_identity(struct graph_client *client,
                                void (*fn)(void *arg, const struct graph_identity_status *status),
                                void *arg);
/* The permissions that the token of an identity names ("scp" or "roles"), space-separated,
 * appended. A hint for a person's eye and no more: a token is Graph's affair, and what RBAC for
 * Applications gives does not stand in it. False: there is no token, or it is of another kind. */
bool graph_client_token_hint(struct graph_client *client, const struct principal *who,
                             struct buf *out);
/* A sign-in was saved or revoked by somebody else: looks at the vault at once. */
void graph_client_sign_in_changed(struct graph_client *client, const char *tenant,
                                  const char *account);

#endif
