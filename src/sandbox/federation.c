#include "federation.h"

#include "jwt.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BITS      2048
#define SIGNATURE_MAX 512
#define CLOCK_SKEW_S  300

bool federation_is_foreign(const char *text)
{
    struct jwt jwt;
    bool foreign = jwt_parse(text, &jwt) && !*jwt_text(jwt.header, "x5t") &&
                   !*jwt_text(jwt.header, "x5t#S256");
    jwt_free(&jwt);
    return foreign;
}

static const char *no_match(struct arena *arena, const char *what, const char *value)
{
    return arena_printf(arena,
                        "No matching federated identity record found for presented assertion %s "
                        "'%s'. Check your federated identity credential Subject, Audience and "
                        "Issuer against the presented assertion.",
                        what, value);
}

static const char *check(struct sandbox *s, const struct jwt *jwt, struct arena *arena, int *number)
{
    const char *issuer = jwt_text(jwt->claims, "iss"), *subject = jwt_text(jwt->claims, "sub");
    const char *audience = jwt_text(jwt->claims, "aud");
    int64_t now = clock_wall_ms() / CLOCK_SECOND, expires = jwt_number(jwt->claims, "exp");
    *number = 700211;
    if (!s->settings.federated_issuer[0] || strcmp(issuer, s->settings.federated_issuer) != 0)
        return no_match(arena, "issuer", issuer);
    *number = 50013;
    if (strcmp(jwt_text(jwt->header, "alg"), "RS256") != 0 || !s->federation_key ||
        !jwt_is_signed_by(jwt, s->federation_key, false))
        return "Assertion failed signature validation.";
    *number = 700213;
    if (strcmp(subject, s->settings.federated_subject) != 0)
        return no_match(arena, "subject", subject);
    *number = 700212;
    if (strcmp(audience, s->settings.federated_audience) != 0)
        return no_match(arena, "audience", audience);
    *number = 700024;
    if (expires < 0 || expires + CLOCK_SKEW_S < now)
        return "Client assertion is not within its valid time range.";
    return NULL;
}

const char *federation_verify(struct sandbox *s, const char *text, struct arena *arena, int *number)
{
    struct jwt jwt;
    *number = 50027;
    const char *why = "JWT token is invalid or malformed.";
    if (jwt_parse(text, &jwt))
        why = check(s, &jwt, arena, number);
    jwt_free(&jwt);
    return why;
}

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, KEY_BITS) <= 0 || EVP_PKEY_keygen(ctx, &key) <= 0)
        abort();
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void put_json(struct buf *out, struct json_object *o)
{
    const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
    base64url_encode(text, strlen(text), out);
    json_object_put(o);
}

static void sign(struct buf *jwt, EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, signature, &len, (const unsigned char *)jwt->data, jwt->len) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
    buf_putc(jwt, '.');
    base64url_encode(signature, len, jwt);
}

char *federation_mint(struct sandbox *s, const struct federated_claims *claims)
{
    int64_t now = clock_wall_ms() / CLOCK_SECOND;
    struct buf jwt = BUF_INIT(JWT_MAX);
    if (!s->federation_key)
        s->federation_key = make_key();
    struct json_object *header = json_object_new_object(), *body = json_object_new_object();
    json_object_object_add(header, "alg", json_object_new_string("RS256"));
    json_object_object_add(header, "kid", json_object_new_string("sandbox"));
    json_object_object_add(header, "typ", json_object_new_string("JWT"));
    json_object_object_add(body, "iss", json_object_new_string(claims->issuer));
    json_object_object_add(body, "sub", json_object_new_string(claims->subject));
    json_object_object_add(body, "aud", json_object_new_string(claims->audience));
    json_object_object_add(body, "iat", json_object_new_int64(now));
    json_object_object_add(body, "exp", json_object_new_int64(now + claims->life_s));
    put_json(&jwt, header);
    buf_putc(&jwt, '.');
    put_json(&jwt, body);
    EVP_PKEY *key = claims->forged ? make_key() : s->federation_key;
    sign(&jwt, key);
    if (claims->forged)
        EVP_PKEY_free(key);
    return buf_steal(&jwt);
}
