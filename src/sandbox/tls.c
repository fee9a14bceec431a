#include "tls.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S ((long)24 * 3600)

/* What one certificate is to say; lifetimes are relative to now. */
struct plan {
    const char *common_name;
    const char *names; /* subjectAltName, NULL: none */
    bool authority;
    long from_s, until_s;
};

static EVP_PKEY *make_key(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1) <= 0 ||
        EVP_PKEY_keygen(ctx, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = ext && X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return ok;
}

static bool set_serial(X509 *cert)
{
    uint64_t serial;
    random_bytes(&serial, sizeof serial);
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1);
}

/* `issuer` NULL: signed by its own key. */
static X509 *make_certificate(const struct plan *plan, EVP_PKEY *key, X509 *issuer,
                              EVP_PKEY *issuer_key)
{
    X509 *cert = X509_new();
    if (!cert)
        return NULL;
    X509_NAME *name = X509_get_subject_name(cert);
    X509 *by = issuer ? issuer : cert;
    bool ok = X509_set_version(cert, 2) && set_serial(cert) &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                         (const unsigned char *)plan->common_name, -1, -1, 0) &&
              X509_set_issuer_name(cert, X509_get_subject_name(by)) &&
              X509_gmtime_adj(X509_getm_notBefore(cert), plan->from_s) &&
              X509_gmtime_adj(X509_getm_notAfter(cert), plan->until_s) &&
              X509_set_pubkey(cert, key);
    if (ok && plan->authority)
        ok = add_extension(cert, by, NID_basic_constraints, "critical,CA:TRUE") &&
             add_extension(cert, by, NID_key_usage, "critical,keyCertSign,cRLSign");
    else if (ok)
        ok = add_extension(cert, by, NID_basic_constraints, "critical,CA:FALSE") &&
             add_extension(cert, by, NID_key_usage, "critical,digitalSignature") &&
             add_extension(cert, by, NID_ext_key_usage, "serverAuth");
    ok = ok && add_extension(cert, by, NID_subject_key_identifier, "hash") &&
         add_extension(cert, by, NID_authority_key_identifier, "keyid:always");
    if (ok && plan->names)
        ok = add_extension(cert, by, NID_subject_alt_name, plan->names);
    if (!ok || X509_sign(cert, issuer_key, EVP_sha256()) <= 0) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    return len > 0 ? xstrndup(data, (size_t)len) : NULL;
}

static char *certificate_text(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = bio && PEM_write_bio_X509(bio, cert) ? bio_text(bio) : NULL;
    BIO_free(bio);
    return text;
}

static char *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
        text = bio_text(bio);
    BIO_free(bio);
    return text;
}

static void fill(enum tls_fault fault, EVP_PKEY *ca_key, EVP_PKEY *key, struct tls_identity *out)
{
    const struct plan ca_plan = {.common_name = "Postern sandbox authority",
                                 .authority = true,
                                 .from_s = -60 * DAY_S,
                                 .until_s = 60 * DAY_S};
    struct plan plan = {.common_name = "localhost",
                        .names = "DNS:localhost,IP:127.0.0.1,IP:::1",
                        .from_s = -DAY_S,
                        .until_s = 30 * DAY_S};
    if (fault == TLS_EXPIRED) {
        plan.from_s = -30 * DAY_S;
        plan.until_s = -DAY_S;
    } else if (fault == TLS_WRONG_HOST) {
        plan.common_name = "graph.invalid";
        plan.names = "DNS:graph.invalid";
    }
    X509 *ca = make_certificate(&ca_plan, ca_key, NULL, ca_key);
    X509 *cert = NULL;
    if (ca && fault == TLS_SELF_SIGNED)
        cert = make_certificate(&plan, key, NULL, key);
    else if (ca)
        cert = make_certificate(&plan, key, ca, ca_key);
    if (cert) {
        out->ca_pem = certificate_text(ca);
        out->certificate_pem = certificate_text(cert);
        out->key_pem = key_text(key);
    }
    X509_free(cert);
    X509_free(ca);
}

bool tls_make_identity(enum tls_fault fault, struct tls_identity *out, struct error *e)
{
    memset(out, 0, sizeof *out);
    EVP_PKEY *ca_key = make_key();
    EVP_PKEY *key = make_key();
    if (ca_key && key)
        fill(fault, ca_key, key, out);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    if (out->ca_pem && out->certificate_pem && out->key_pem)
        return true;
    tls_identity_free(out);
    return error_set(e, ERROR_LOCAL, "OpenSSL could not make the sandbox's certificate: %s",
                     ERR_reason_error_string(ERR_peek_last_error()));
}

void tls_identity_free(struct tls_identity *id)
{
    free(id->ca_pem);
    free(id->certificate_pem);
    secret_free(id->key_pem);
    memset(id, 0, sizeof *id);
}
