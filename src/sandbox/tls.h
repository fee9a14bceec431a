/*
 * The sandbox's certificate authority: made at start, kept in memory, gone at exit.
 */
#ifndef SANDBOX_TLS_H
#define SANDBOX_TLS_H

#include "postern/base/error.h"

#include <stdbool.h>

enum tls_fault { TLS_GOOD, TLS_EXPIRED, TLS_WRONG_HOST, TLS_SELF_SIGNED };

struct tls_identity {
    char *ca_pem;
    char *certificate_pem;
    char *key_pem;
};

/* A fresh authority and a certificate of it for localhost, 127.0.0.1 and ::1, with the fault
 * that was asked for. tls_identity_free() the result. */
bool tls_make_identity(enum tls_fault fault, struct tls_identity *out, struct error *e);
void tls_identity_free(struct tls_identity *id);

#endif
