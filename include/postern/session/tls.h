/*
 * The service's own TLS: server contexts made from the config's `tls` section. Immutable once
 * made, reference-counted, any thread. A reload makes new ones; running connections keep theirs.
 */
#ifndef POSTERN_SESSION_TLS_H
#define POSTERN_SESSION_TLS_H

#include "postern/base/config.h"
#include "postern/base/error.h"

struct session_tls;
struct ssl_st;

/* Reads the chain and the key; ERROR_LOCAL names the file and what is wrong with it. The lowest
 * version is that of the settings, `min_version` (0: none) overrides it; never below TLS 1.2
 * (RFC 8996). */
struct session_tls *session_tls_new(const struct config_tls *settings, int min_version,
                                    struct error *e);
struct session_tls *session_tls_ref(struct session_tls *t);
/* Drops a reference and clears the pointer; NULL is fine. */
void session_tls_unref(struct session_tls **t);
/* A server-side connection on `fd`, before its handshake; NULL: `e` says why. SSL_free() it. */
struct ssl_st *session_tls_accept(struct session_tls *t, int fd, struct error *e);

#endif
