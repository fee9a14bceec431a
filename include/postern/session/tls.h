/*
 * The service's own TLS: server contexts made from the config's `tls` section, one a listener.
 * Immutable once made, reference-counted, any thread. A reload makes new ones; running connections
 * keep theirs. There is no resumption: each connection is a handshake of its own, so that no
 * ticket key undoes forward secrecy and nothing shown to one listener counts at another.
 */
#ifndef POSTERN_SESSION_TLS_H
#define POSTERN_SESSION_TLS_H

#include "postern/base/config.h"
#include "postern/base/error.h"

struct session_tls;
struct ssl_st;

/* Reads the chains and the keys; ERROR_LOCAL names the file and what is wrong with it. A client is
 * shown the certificate for the host that it names (SNI), by the names inside (wildcards too), of
 * RSA and ECDSA ones for one host the one that it can use; if it names none or one that is unknown,
 * the first. The lowest version is that of the settings unless `listener` (NULL: none) has its own;
 * below TLS 1.2 (RFC 8996) only with its legacy_tls, which needs a certificate with an RSA key.
 * With client_certificates clients are asked for a certificate: any will do, none too. */
struct session_tls *session_tls_new(const struct config_tls *settings,
                                    const struct config_listener *listener, struct error *e);
struct session_tls *session_tls_ref(struct session_tls *t);
/* Drops a reference and clears the pointer; NULL is fine. */
void session_tls_unref(struct session_tls **t);
/* A server-side connection on `fd`, before its handshake; NULL: `e` says why. SSL_free() it. */
struct ssl_st *session_tls_accept(struct session_tls *t, int fd, struct error *e);

/* What a handshake came to. */
#define SESSION_FINGERPRINT_SIZE 65
struct session_tls_facts {
    int number;          /* 0x0301 … 0x0304 */
    const char *version; /* static: "1.0" … "1.3" as `min-version` has it */
    const char *cipher;  /* static: OpenSSL's name of the suite */
    /* SHA-256 of the certificate whose key the client proved to have, in lower-case hex digits;
     * empty: it showed none. Nobody has vouched for it, nor looked at its dates. */
    char fingerprint[SESSION_FINGERPRINT_SIZE];
};
void session_tls_describe(const struct ssl_st *ssl, struct session_tls_facts *out);
/* The highest version that the client offered, also where the handshake failed; 0: what it said was
 * not understood; -1: it said nothing. */
int session_tls_offered(const struct ssl_st *ssl);

#endif
