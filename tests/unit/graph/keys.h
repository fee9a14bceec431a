/* Keys and certificates for tests, made on the spot; files in the temporary directory. */
#ifndef POSTERN_TESTS_GRAPH_KEYS_H
#define POSTERN_TESTS_GRAPH_KEYS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>

/* Self-signed, its own authority, valid for a day, for this DNS name. */
X509 *key_certificate(EVP_PKEY *key, const char *name);
/* Writes PEM to a new file whose path goes to `path`; unlink() it. */
void key_write_certificate(X509 *cert, char *path, size_t size);
void key_write_private(EVP_PKEY *key, char *path, size_t size);

#endif
