/*
 * JSON web tokens that are shown to the sandbox: taken apart, and their signatures checked
 * (RFC 7519, RFC 7515).
 */
#ifndef SANDBOX_JWT_H
#define SANDBOX_JWT_H

#include "postern/base/buf.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#define JWT_MAX 16384

struct jwt {
    struct json_object *header, *claims;
    const char *signed_text; /* into the text that was parsed */
    size_t signed_len;
    struct buf signature;
};

/* False: it is none. jwt_free() in either case; the text must live as long. */
bool jwt_parse(const char *text, struct jwt *out);
void jwt_free(struct jwt *jwt);
/* A member of the header or the claims: "" and -1 if it is missing or of another type. */
const char *jwt_text(struct json_object *o, const char *name);
int64_t jwt_number(struct json_object *o, const char *name);
/* With SHA-256 and RSA: PSS (PS256) or not (RS256). */
bool jwt_is_signed_by(const struct jwt *jwt, EVP_PKEY *key, bool pss);

#endif
