/*
 * What the ways of a person's sign-in share (sign_in.c), and what their tests look at.
 */
#ifndef POSTERN_SRC_GRAPH_SIGN_IN_PARTS_H
#define POSTERN_SRC_GRAPH_SIGN_IN_PARTS_H

#include "oauth.h"

#include "postern/graph/sign_in.h"

/* The provider of a tenant to which persons sign in, with the client's lock held, to be given back
 * by sign_in_unlock(). NULL: `e` says why, and the lock is not held. */
struct oauth_provider *sign_in_lock(struct graph_client *c, const char *tenant, struct error *e);
void sign_in_unlock(struct graph_client *c);

/* Makes a sign-in of what the token endpoint granted, if it was granted to `account`; blocks where
 * Graph must be asked who it was. */
bool sign_in_take(struct graph_client *c, const char *tenant, const char *account,
                  struct oauth_grant *g, struct sign_in *out, struct wait *w, struct error *e);

/* Reads the answer of the devicecode endpoint (v2-oauth2-device-code, RFC 8628 section 3.2). Pure.
 * On false `e` is ERROR_ANSWER and `out` empty. */
bool sign_in_device_decode(const char *body, size_t len, struct graph_device_code *out,
                           struct error *e);

#endif
