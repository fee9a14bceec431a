/* Client assertions: JWTs signed with a registered certificate (Entra: certificate-credentials). */
#include "token.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>
#include <strings.h>

#define JWT_MAX           16384
#define JWT_LIFE_MAX_S    (24 * 3600) /* documented: longer ones are refused */
#define CLOCK_SKEW_S      300
#define JTI_MAX           10000
#define CODE_BAD_KEY      700027
#define CODE_BAD_AUDIENCE 700023
#define CODE_EXPIRED      700024
#define CODE_BAD_ISSUER   700021
#define CODE_MALFORMED    50027

struct jwt {
    struct json_object *header, *claims;
    const char *signed_text;
    size_t signed_len;
    struct buf signature;
};

static struct json_object *decode_json(const char *text, size_t len)
{
    struct buf bytes = BUF_INIT(JWT_MAX);
    struct json_object *o = NULL;
    if (base64url_decode(text, len, &bytes) && bytes.len > 0)
        o = json_tokener_parse(buf_str(&bytes));
    buf_free(&bytes);
    return o;
}

static bool parse(const char *text, struct jwt *jwt)
{
    const char *dot = strchr(text, '.');
    const char *second = dot ? strchr(dot + 1, '.') : NULL;
    if (!second || strlen(text) > JWT_MAX || strchr(second + 1, '='))
        return false;
    jwt->header = decode_json(text, (size_t)(dot - text));
    jwt->claims = decode_json(dot + 1, (size_t)(second - dot - 1));
    jwt->signed_text = text;
    jwt->signed_len = (size_t)(second - text);
    return json_object_is_type(jwt->header, json_type_object) &&
           json_object_is_type(jwt->claims, json_type_object) &&
           base64url_decode(second + 1, strlen(second + 1), &jwt->signature);
}

static const char *string_of(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
        return "";
    return json_object_get_string(v);
}

static int64_t number_of(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_int))
        return -1;
    return json_object_get_int64(v);
}

/* Does the header's thumbprint name this certificate? Sets the kind of signature. */
static bool names_certificate(const struct jwt *jwt, const X509 *certificate, bool *pss)
{
    const char *alg = string_of(jwt->header, "alg");
    *pss = strcmp(alg, "PS256") == 0;
    if (!*pss && strcmp(alg, "RS256") != 0)
        return false;
    const char *sha1 = string_of(jwt->header, "x5t");
    const char *sha2 = string_of(jwt->header, "x5t#S256");
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!X509_digest(certificate, *sha2 ? EVP_sha256() : EVP_sha1(), digest, &len))
        return false;
    struct buf text = BUF_INIT(128);
    base64url_encode(digest, len, &text);
    bool same = strcmp(buf_str(&text), *sha2 ? sha2 : sha1) == 0;
    buf_free(&text);
    return same;
}

static bool signature_is_good(const struct jwt *jwt, X509 *certificate, bool pss)
{
    EVP_PKEY_CTX *key_ctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestVerifyInit(ctx, &key_ctx, EVP_sha256(), NULL,
                                          X509_get0_pubkey(certificate)) == 1;
    if (ok && pss)
        ok = EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    ok = ok &&
         EVP_DigestVerify(ctx, (const unsigned char *)buf_str(&jwt->signature), jwt->signature.len,
                          (const unsigned char *)jwt->signed_text, jwt->signed_len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static const char *check_claims(struct token_issuer *t, const struct jwt *jwt, const char *audience,
                                int *code)
{
    int64_t now = clock_wall_ms() / CLOCK_SECOND;
    int64_t expires = number_of(jwt->claims, "exp");
    int64_t from = number_of(jwt->claims, "nbf");
    const char *jti = string_of(jwt->claims, "jti");
    *code = CODE_BAD_AUDIENCE;
    if (strcmp(string_of(jwt->claims, "aud"), audience) != 0)
        return "Client assertion audience claim does not match the token endpoint.";
    *code = CODE_BAD_ISSUER;
    if (strcasecmp(string_of(jwt->claims, "iss"), t->client_id) != 0 ||
        strcasecmp(string_of(jwt->claims, "sub"), t->client_id) != 0)
        return "Client assertion application identifier doesn't match 'client_id' parameter.";
    *code = CODE_EXPIRED;
    if (expires < 0 || expires + CLOCK_SKEW_S < now || from > now + CLOCK_SKEW_S ||
        expires > now + JWT_LIFE_MAX_S)
        return "Client assertion is not within its valid time range.";
    *code = CODE_MALFORMED;
    if (!*jti || (table_get(t->seen_jti, jti) && table_count(t->seen_jti) <= JTI_MAX))
        return "JWT token is invalid or malformed: the jti is missing or was used before.";
    if (table_count(t->seen_jti) < JTI_MAX)
        table_put(t->seen_jti, jti, t);
    return NULL;
}

const char *assertion_verify(struct token_issuer *t, const char *text, const char *audience,
                             int *code)
{
    struct jwt jwt = {.signature = BUF_INIT(JWT_MAX)};
    const char *why = NULL;
    bool pss = false;
    *code = CODE_MALFORMED;
    if (!parse(text, &jwt))
        why = "JWT token is invalid or malformed.";
    if (!why) {
        *code = CODE_BAD_KEY;
        if (!t->certificate || !names_certificate(&jwt, t->certificate, &pss))
            why = "Client assertion failed signature validation. The certificate with the "
                  "identifier used to sign the client assertion is not registered on the "
                  "application.";
        else if (!signature_is_good(&jwt, t->certificate, pss))
            why = "Client assertion failed signature validation.";
    }
    if (!why)
        why = check_claims(t, &jwt, audience, code);
    json_object_put(jwt.header);
    json_object_put(jwt.claims);
    buf_free(&jwt.signature);
    return why;
}
