#include "../unit.h"

#include "token.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#define AUDIENCE "https://127.0.0.1:1/t/oauth2/v2.0/token"
#define CLIENT   "6731de76-14a6-49ae-97bc-6eba6914391e"

/* What an assertion is to say; `life_s` from now on. */
struct wish {
    bool pss;
    const char *audience, *issuer, *jti;
    long life_s;
    bool foreign; /* signed with a key that is not registered */
};

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    EVP_PKEY_keygen_init(ctx);
    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048);
    EVP_PKEY_keygen(ctx, &key);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    return cert;
}

static void sign(struct buf *jwt, EVP_PKEY *key, bool pss)
{
    unsigned char signature[512];
    size_t len = sizeof signature;
    EVP_PKEY_CTX *key_ctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_DigestSignInit(ctx, &key_ctx, EVP_sha256(), NULL, key);
    if (pss) {
        EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST);
    }
    CU_ASSERT(EVP_DigestSign(ctx, signature, &len, (const unsigned char *)jwt->data, jwt->len) ==
              1);
    EVP_MD_CTX_free(ctx);
    buf_putc(jwt, '.');
    base64url_encode(signature, len, jwt);
}

/* 0: taken, else the AADSTS number. */
static int verdict(struct token_issuer *t, EVP_PKEY *key, const struct wish *w)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int code = 0;
    struct buf thumb = BUF_INIT(128), jwt = BUF_INIT(8192);
    X509_digest(t->certificate, w->pss ? EVP_sha256() : EVP_sha1(), digest, &len);
    base64url_encode(digest, len, &thumb);
    char *head =
        xasprintf("{\"alg\":\"%s\",\"typ\":\"JWT\",\"%s\":\"%s\"}", w->pss ? "PS256" : "RS256",
                  w->pss ? "x5t#S256" : "x5t", buf_str(&thumb));
    char *claims = xasprintf("{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"%s\","
                             "\"exp\":%lld}",
                             w->audience, w->issuer, w->issuer, w->jti,
                             (long long)(clock_wall_ms() / 1000 + w->life_s));
    base64url_encode(head, strlen(head), &jwt);
    buf_putc(&jwt, '.');
    base64url_encode(claims, strlen(claims), &jwt);
    sign(&jwt, key, w->pss);
    const char *why = assertion_verify(t, buf_str(&jwt), AUDIENCE, &code);
    free(head);
    free(claims);
    buf_free(&thumb);
    buf_free(&jwt);
    return why ? code : 0;
}

static void test_assertions(void)
{
    static const struct {
        struct wish wish;
        int code;
    } cases[] = {
        {{true, AUDIENCE, CLIENT, "1", 300, false}, 0},
        {{false, AUDIENCE, CLIENT, "2", 300, false}, 0},
        {{true, AUDIENCE, CLIENT, "2", 300, false}, 50027},
        {{true, AUDIENCE, CLIENT, "", 300, false}, 50027},
        {{true, AUDIENCE "x", CLIENT, "3", 300, false}, 700023},
        {{true, AUDIENCE, "another", "4", 300, false}, 700021},
        {{true, AUDIENCE, CLIENT, "5", -1000, false}, 700024},
        {{true, AUDIENCE, CLIENT, "6", 90000, false}, 700024},
        {{true, AUDIENCE, CLIENT, "7", 300, true}, 700027},
    };
    struct token_issuer t;
    EVP_PKEY *key = make_key(), *other = make_key();
    token_issuer_init(&t);
    t.client_id = xstrdup(CLIENT);
    t.certificate = make_certificate(key);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CU_ASSERT_EQUAL(verdict(&t, cases[i].wish.foreign ? other : key, &cases[i].wish),
                        cases[i].code);
    int code = 0;
    CU_ASSERT_PTR_NOT_NULL(assertion_verify(&t, "a.b", AUDIENCE, &code));
    CU_ASSERT_PTR_NOT_NULL(assertion_verify(&t, "", AUDIENCE, &code));
    token_issuer_free(&t);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

extern const struct unit_test assertion_tests[];
const struct unit_test assertion_tests[] = {
    {"client assertions", test_assertions},
    {NULL, NULL},
};
