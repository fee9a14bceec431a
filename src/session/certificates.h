/*
 * The certificates that clients may be shown, and which of them a client is shown. Immutable once
 * loaded; any thread.
 */
#ifndef SESSION_CERTIFICATES_H
#define SESSION_CERTIFICATES_H

#include "postern/base/config.h"
#include "postern/base/error.h"

#include <stdbool.h>

struct certificates;
struct ssl_st;

/* Reads chains and keys as OpenSSL's security level allows; NULL: `e` names the file. There is at
 * least one. */
struct certificates *certificates_load(const struct config_tls *settings, int security_level,
                                       struct error *e);
void certificates_free(struct certificates **c);
bool certificates_hold_rsa(const struct certificates *c);
/* Puts those for the host that the client names (SNI) on its connection, one of each type of key,
 * from which OpenSSL takes what the client can use. If it names none or one that is unknown: the
 * first and its like, with `rsa_too` the first with an RSA key too. False: OpenSSL failed. */
bool certificates_offer(const struct certificates *c, struct ssl_st *ssl, bool rsa_too);

#endif
