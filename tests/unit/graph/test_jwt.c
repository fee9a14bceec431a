#include "../unit.h"

#include "json.h"
#include "jwt.h"
#include "keys.h"

#include "postern/base/encode.h"

#include <openssl/rsa.h>
#include <string.h>
#include <unistd.h>

#define AUDIENCE "https://login.example/t/oauth2/v2.0/token"
#define NOW      INT64_C(1780308000000)

static EVP_PKEY *key;
static X509 *cert;
static char cert_path[64], key_path[64];

static void make_files(void)
{
    key = EVP_RSA_gen(2048);
    cert = key_certificate(key, "app");
    key_write_certificate(cert, cert_path, sizeof cert_path);
    key_write_private(key, key_path, sizeof key_path);
}

static void drop_files(void)
{
    unlink(cert_path);
    unlink(key_path);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static bool verify(const char *text, size_t len, const struct buf *signature, bool pss)
{
    EVP_PKEY_CTX *params = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit(ctx, &params, EVP_sha256(), NULL, key) == 1;
    if (pss)
        ok = ok && EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(params, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestVerify(ctx, (const uint8_t *)signature->data, signature->len,
                                (const uint8_t *)text, len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

static struct json_object *part(const char *text, size_t len)
{
    struct error e = ERROR_INIT;
    struct buf b = BUF_INIT(4096);
    CU_ASSERT(base64url_decode(text, len, &b));
    struct json_object *o = json_read(buf_str(&b), b.len, &e);
    buf_free(&b);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    return o;
}

static void check_thumbprint(struct json_object *header, bool ps)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len;
    struct buf b = BUF_INIT(256);
    X509_digest(cert, ps ? EVP_sha256() : EVP_sha1(), digest, &len);
    base64url_encode(digest, len, &b);
    CU_ASSERT_STRING_EQUAL(json_peek_string(header, ps ? "x5t#S256" : "x5t"), buf_str(&b));
    CU_ASSERT_STRING_EQUAL(json_peek_string(header, "alg"), ps ? "PS256" : "RS256");
    CU_ASSERT_STRING_EQUAL(json_peek_string(header, "typ"), "JWT");
    buf_free(&b);
}

static void check_claims(struct json_object *claims)
{
    int64_t exp, nbf;
    bool there;
    struct error e;
    CU_ASSERT_STRING_EQUAL(json_peek_string(claims, "aud"), AUDIENCE);
    CU_ASSERT_STRING_EQUAL(json_peek_string(claims, "iss"), "app");
    CU_ASSERT_STRING_EQUAL(json_peek_string(claims, "sub"), "app");
    CU_ASSERT_EQUAL(strlen(json_peek_string(claims, "jti")), 36);
    CU_ASSERT(json_get_int(claims, "nbf", &nbf, &there, &e) && there);
    CU_ASSERT(json_get_int(claims, "exp", &exp, &there, &e) && there);
    CU_ASSERT_EQUAL(nbf, NOW / 1000);
    CU_ASSERT_EQUAL(exp, NOW / 1000 + JWT_LIFETIME_S);
}

static void check_algorithm(enum config_assertion algorithm)
{
    struct jwt_key k;
    struct error e = ERROR_INIT;
    struct buf jwt = BUF_INIT(JWT_MAX), signature = BUF_INIT(1024);
    bool ps = algorithm == ASSERTION_PS256;
    CU_ASSERT_FATAL(jwt_key_open(&k, cert_path, key_path, algorithm, &e));
    CU_ASSERT_FATAL(jwt_make(&k, "app", AUDIENCE, NOW, &jwt, &e));
    const char *dot = strchr(jwt.data, '.'), *last = strrchr(jwt.data, '.');
    CU_ASSERT(base64url_decode(last + 1, strlen(last + 1), &signature));
    CU_ASSERT(verify(jwt.data, (size_t)(last - jwt.data), &signature, ps));
    CU_ASSERT(!verify(jwt.data, (size_t)(last - jwt.data) - 1, &signature, ps));
    struct json_object *header = part(jwt.data, (size_t)(dot - jwt.data));
    struct json_object *claims = part(dot + 1, (size_t)(last - dot - 1));
    check_thumbprint(header, ps);
    check_claims(claims);
    json_object_put(header);
    json_object_put(claims);
    buf_free(&jwt);
    buf_free(&signature);
    jwt_key_close(&k);
}

static void test_algorithms(void)
{
    make_files();
    check_algorithm(ASSERTION_PS256);
    check_algorithm(ASSERTION_RS256);
    drop_files();
}

static bool opens(const char *c, const char *k, struct error *e)
{
    struct jwt_key jwt;
    error_clear(e);
    bool ok = jwt_key_open(&jwt, c, k, ASSERTION_PS256, e);
    if (ok)
        jwt_key_close(&jwt);
    return ok;
}

static void test_bad_files(void)
{
    struct error e;
    char other[64], elliptic[64];
    make_files();
    EVP_PKEY *stranger = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256");
    key_write_private(stranger, other, sizeof other);
    key_write_private(ec, elliptic, sizeof elliptic);
    CU_ASSERT(opens(cert_path, key_path, &e));
    CU_ASSERT(!opens("/nonexistent/cert", key_path, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "/nonexistent/cert"));
    CU_ASSERT(!opens(key_path, key_path, &e));
    CU_ASSERT(!opens(cert_path, cert_path, &e));
    CU_ASSERT(!opens(cert_path, other, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "does not belong"));
    CU_ASSERT(!opens(cert_path, elliptic, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    unlink(other);
    unlink(elliptic);
    EVP_PKEY_free(stranger);
    EVP_PKEY_free(ec);
    drop_files();
}

extern const struct unit_test jwt_tests[];
const struct unit_test jwt_tests[] = {
    {"PS256 and RS256", test_algorithms},
    {"files that will not do", test_bad_files},
    {NULL, NULL},
};
