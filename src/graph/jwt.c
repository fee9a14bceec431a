#include "jwt.h"

#include "postern/base/encode.h"

#include <errno.h>
#include <json-c/json.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL would otherwise ask for a passphrase on the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return 0;
}

static bool explain_file(const char *path, const char *what, struct error *e)
{
    ERR_clear_error();
    return error_set(e, ERROR_SIGN_IN, "%s: no readable %s in PEM form", path, what);
}

static FILE *open_file(const char *path, struct error *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        error_set(e, ERROR_SIGN_IN, "cannot read %s: %s", path, strerror(errno));
    return f;
}

static X509 *read_certificate(const char *path, struct error *e)
{
    FILE *f = open_file(path, e);
    if (!f)
        return NULL;
    X509 *cert = PEM_read_X509(f, NULL, no_passphrase, NULL);
    fclose(f);
    if (!cert)
        explain_file(path, "certificate", e);
    return cert;
}

static EVP_PKEY *read_key(const char *path, struct error *e)
{
    FILE *f = open_file(path, e);
    if (!f)
        return NULL;
    EVP_PKEY *key = PEM_read_PrivateKey(f, NULL, no_passphrase, NULL);
    fclose(f);
    if (!key)
        explain_file(path, "private key without a passphrase", e);
    return key;
}

bool jwt_key_open(struct jwt_key *k, const char *certificate, const char *private_key,
                  enum config_assertion algorithm, struct error *e)
{
    memset(k, 0, sizeof *k);
    k->algorithm = algorithm;
    X509 *cert = read_certificate(certificate, e);
    if (!cert)
        return false;
    k->key = read_key(private_key, e);
    bool ok = k->key != NULL;
    if (ok && EVP_PKEY_base_id(k->key) != EVP_PKEY_RSA)
        ok = error_set(e, ERROR_SIGN_IN, "%s: Entra ID takes RSA keys only", private_key);
    if (ok && X509_check_private_key(cert, k->key) != 1)
        ok = error_set(e, ERROR_SIGN_IN, "%s does not belong to the certificate in %s", private_key,
                       certificate);
    const EVP_MD *md = algorithm == ASSERTION_PS256 ? EVP_sha256() : EVP_sha1();
    if (ok && X509_digest(cert, md, k->thumbprint, &k->thumbprint_len) != 1)
        ok = error_set(e, ERROR_SIGN_IN, "%s: OpenSSL cannot compute its thumbprint", certificate);
    X509_free(cert);
    ERR_clear_error();
    if (!ok)
        jwt_key_close(k);
    return ok;
}

void jwt_key_close(struct jwt_key *k)
{
    EVP_PKEY_free(k->key);
    memset(k, 0, sizeof *k);
}

static void put_object(struct json_object *o, struct buf *out)
{
    const char *text =
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    base64url_encode(text, strlen(text), out);
    json_object_put(o);
}

static void put_header(const struct jwt_key *k, struct buf *out)
{
    bool ps = k->algorithm == ASSERTION_PS256;
    struct buf thumb = BUF_INIT(128);
    struct json_object *o = json_object_new_object();
    base64url_encode(k->thumbprint, k->thumbprint_len, &thumb);
    json_object_object_add(o, "alg", json_object_new_string(ps ? "PS256" : "RS256"));
    json_object_object_add(o, "typ", json_object_new_string("JWT"));
    json_object_object_add(o, ps ? "x5t#S256" : "x5t", json_object_new_string(buf_str(&thumb)));
    buf_free(&thumb);
    put_object(o, out);
}

static void put_claims(const char *client_id, const char *audience, int64_t now, struct buf *out)
{
    char jti[GUID_SIZE];
    struct json_object *o = json_object_new_object();
    guid_make(jti);
    json_object_object_add(o, "aud", json_object_new_string(audience));
    json_object_object_add(o, "iss", json_object_new_string(client_id));
    json_object_object_add(o, "sub", json_object_new_string(client_id));
    json_object_object_add(o, "jti", json_object_new_string(jti));
    json_object_object_add(o, "nbf", json_object_new_int64(now));
    json_object_object_add(o, "iat", json_object_new_int64(now));
    json_object_object_add(o, "exp", json_object_new_int64(now + JWT_LIFETIME_S));
    put_object(o, out);
}

/* PS256 is RSASSA-PSS with SHA-256 and a salt of the digest's length (RFC 7518 section 3.5). */
static bool sign(const struct jwt_key *k, const char *text, size_t len, struct buf *out)
{
    uint8_t signature[1024];
    size_t size = sizeof signature;
    EVP_PKEY_CTX *params = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, &params, EVP_sha256(), NULL, k->key) == 1;
    if (ok && k->algorithm == ASSERTION_PS256)
        ok = EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(params, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok && EVP_DigestSign(ctx, signature, &size, (const uint8_t *)text, len) == 1 &&
         base64url_encode(signature, size, out);
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

bool jwt_make(const struct jwt_key *k, const char *client_id, const char *audience,
              int64_t wall_now_ms, struct buf *out, struct error *e)
{
    struct buf token = BUF_INIT(JWT_MAX);
    put_header(k, &token);
    buf_putc(&token, '.');
    put_claims(client_id, audience, wall_now_ms / 1000, &token);
    size_t signed_len = token.len;
    buf_putc(&token, '.');
    bool ok = !token.overflow && sign(k, token.data, signed_len, &token) && !token.overflow &&
              buf_append(out, token.data, token.len);
    buf_free_secret(&token);
    if (!ok)
        return error_set(e, ERROR_SIGN_IN, "OpenSSL cannot sign with the tenant's private-key");
    return true;
}
