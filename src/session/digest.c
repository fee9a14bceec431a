#include "digest.h"

#include "postern/base/encode.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define MD5_SIZE 16

/* RFC 1939 section 7: MD5 of the timestamp and, right behind it, the secret. */
static bool apop(const char *challenge, const char *secret, uint8_t out[MD5_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, challenge, strlen(challenge)) == 1 &&
              EVP_DigestUpdate(ctx, secret, strlen(secret)) == 1 &&
              EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* RFC 2195 section 2: HMAC-MD5 of the challenge under the secret. */
static bool cram_md5(const char *challenge, const char *secret, uint8_t out[MD5_SIZE])
{
    unsigned len = MD5_SIZE;
    return HMAC(EVP_md5(), secret, (int)strlen(secret), (const unsigned char *)challenge,
                strlen(challenge), out, &len) != NULL;
}

bool digest_matches(const struct session_credentials *c, const char *secret)
{
    uint8_t want[MD5_SIZE], got[MD5_SIZE];
    bool made = c->proof == SESSION_PROOF_APOP ? apop(c->challenge, secret, want)
                                               : cram_md5(c->challenge, secret, want);
    bool ok = made && strlen(c->secret) == 2 * sizeof got &&
              hex_decode(c->secret, 2 * sizeof got, got) &&
              secret_equal(got, sizeof got, want, sizeof want);
    explicit_bzero(want, sizeof want);
    return ok;
}
