/* Client assertions: JWTs signed with a registered certificate (Entra: certificate-credentials). */
#include "jwt.h"
#include "token.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define JWT_LIFE_MAX_S    (24 * 3600) /* documented: longer ones are refused */
#define CLOCK_SKEW_S      300
#define JTI_MAX           10000
#define CODE_BAD_KEY      700027
#define CODE_BAD_AUDIENCE 700023
#define CODE_EXPIRED      700024
#define CODE_BAD_ISSUER   700021
#define CODE_MALFORMED    50027

/* Does the header's thumbprint name this certificate? Sets the kind of signature. */
static bool names_certificate(const struct jwt *jwt, const X509 *certificate, bool *pss)
{
    const char *alg = jwt_text(jwt->header, "alg");
    *pss = strcmp(alg, "PS256") == 0;
    if (!*pss && strcmp(alg, "RS256") != 0)
        return false;
    const char *sha1 = jwt_text(jwt->header, "x5t");
    const char *sha2 = jwt_text(jwt->header, "x5t#S256");
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

static const char *check_claims(struct token_issuer *t, const struct jwt *jwt, const char *audience,
                                int *code)
{
    int64_t now = clock_wall_ms() / CLOCK_SECOND;
    int64_t expires = jwt_number(jwt->claims, "exp");
    int64_t from = jwt_number(jwt->claims, "nbf");
    const char *jti = jwt_text(jwt->claims, "jti");
    *code = CODE_BAD_AUDIENCE;
    if (strcmp(jwt_text(jwt->claims, "aud"), audience) != 0)
        return "Client assertion audience claim does not match the token endpoint.";
    *code = CODE_BAD_ISSUER;
    if (strcasecmp(jwt_text(jwt->claims, "iss"), t->client_id) != 0 ||
        strcasecmp(jwt_text(jwt->claims, "sub"), t->client_id) != 0)
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
    struct jwt jwt;
    const char *why = NULL;
    bool pss = false;
    *code = CODE_MALFORMED;
    if (!jwt_parse(text, &jwt))
        why = "JWT token is invalid or malformed.";
    if (!why) {
        *code = CODE_BAD_KEY;
        if (!t->certificate || !names_certificate(&jwt, t->certificate, &pss))
            why = "Client assertion failed signature validation. The certificate with the "
                  "identifier used to sign the client assertion is not registered on the "
                  "application.";
        else if (!jwt_is_signed_by(&jwt, X509_get0_pubkey(t->certificate), pss))
            why = "Client assertion failed signature validation.";
    }
    if (!why)
        why = check_claims(t, &jwt, audience, code);
    jwt_free(&jwt);
    return why;
}
