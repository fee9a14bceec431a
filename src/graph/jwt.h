/*
 * The signed assertion of a certificate credential (RFC 7523; Microsoft identity platform
 * application authentication certificate credentials).
 */
#ifndef POSTERN_SRC_GRAPH_JWT_H
#define POSTERN_SRC_GRAPH_JWT_H

#include "postern/base/buf.h"
#include "postern/base/config.h"
#include "postern/base/error.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define JWT_LIFETIME_S 600
#define JWT_MAX        ((size_t)16 * 1024)

struct jwt_key {
    EVP_PKEY *key;
    enum config_assertion algorithm;
    uint8_t thumbprint[EVP_MAX_MD_SIZE]; /* of the DER: SHA-256 for PS256, SHA-1 for RS256 */
    unsigned thumbprint_len;
};

/* Reads the PEM files and checks that they belong together and are RSA. False: `e` names the
 * file. jwt_key_close() afterwards. */
bool jwt_key_open(struct jwt_key *k, const char *certificate, const char *private_key,
                  enum config_assertion algorithm, struct error *e);
void jwt_key_close(struct jwt_key *k);

/* Appends a fresh assertion (new jti) for `client_id` at the token endpoint `audience`. */
bool jwt_make(const struct jwt_key *k, const char *client_id, const char *audience,
              int64_t wall_now_ms, struct buf *out, struct error *e);

#endif
