/*
 * Requests to Entra ID for the app registration of a tenant: the provider of every flow but
 * managed identity, and what a person's sign-in asks for besides. Microsoft identity platform:
 * v2-oauth2-client-creds-grant-flow, -device-code, -auth-code-flow, v2-oauth-ropc, workload
 * identity federation. Under the client's lock; no I/O.
 */
#ifndef POSTERN_SRC_GRAPH_ENTRA_H
#define POSTERN_SRC_GRAPH_ENTRA_H

#include "oauth.h"

/* The rest is for the providers of delegated flows (config_flow_is_delegated()). The caller frees
 * the request, also on false. */

/* Begins the device code flow. */
void entra_device_code(struct oauth_provider *p, struct oauth_request *out);
/* Has the person signed in? */
bool entra_device_poll(struct oauth_provider *p, const char *device_code,
                       struct oauth_request *out, struct error *e);
/* The address at which the person signs in, to free(). `challenge`: of PKCE, S256. */
char *entra_authorize_url(struct oauth_provider *p, const char *account, const char *redirect_uri,
                          const char *state, const char *challenge);
/* A code from the redirect becomes tokens. */
bool entra_redeem(struct oauth_provider *p, const char *code, const char *redirect_uri,
                  const char *verifier, struct oauth_request *out, struct error *e);

#endif
