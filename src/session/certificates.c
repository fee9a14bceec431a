#include "certificates.h"

#include "postern/base/alloc.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define KEY_TYPES_MAX 8 /* OpenSSL knows fewer */

struct certificate {
    SSL_CTX *holder; /* only holds what follows: chain files are read into contexts alone */
    X509 *leaf;
    EVP_PKEY *key;
    STACK_OF(X509) * chain;
};

struct certificates {
    struct certificate *items;
    size_t count;
};

/* A passphrase prompt on the terminal would hang a service. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return 0;
}

static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text ? text : "unknown cause";
}

static bool load_one(struct certificate *c, const char *certificate, const char *key,
                     int security_level, struct error *e)
{
    ERR_clear_error();
    c->holder = SSL_CTX_new(TLS_server_method());
    if (!c->holder)
        return error_set(e, ERROR_LOCAL, "cannot set up TLS: %s", reason());
    SSL_CTX_set_default_passwd_cb(c->holder, no_passphrase);
    if (security_level >= 0)
        SSL_CTX_set_security_level(c->holder, security_level);
    if (SSL_CTX_use_certificate_chain_file(c->holder, certificate) != 1)
        return error_set(e, ERROR_LOCAL,
                         "cannot use the certificate %s: %s; it must be a PEM chain, the "
                         "server's own certificate first, that this user can read",
                         certificate, reason());
    if (SSL_CTX_use_PrivateKey_file(c->holder, key, SSL_FILETYPE_PEM) != 1)
        return error_set(e, ERROR_LOCAL,
                         "cannot use the private key %s: %s; it must be the PEM key of %s, "
                         "without a passphrase, that this user can read",
                         key, reason(), certificate);
    c->leaf = SSL_CTX_get0_certificate(c->holder);
    c->key = SSL_CTX_get0_privatekey(c->holder);
    SSL_CTX_get0_chain_certs(c->holder, &c->chain);
    return true;
}

struct certificates *certificates_load(const struct config_tls *settings, int security_level,
                                       struct error *e)
{
    struct certificates *c = xcalloc(1, sizeof *c);
    c->items = xcalloc(settings->certificate_count, sizeof *c->items);
    for (size_t i = 0; i < settings->certificate_count; i++) {
        c->count++;
        if (!load_one(&c->items[i], settings->certificates[i], settings->private_keys[i],
                      security_level, e)) {
            certificates_free(&c);
            return NULL;
        }
    }
    return c;
}

void certificates_free(struct certificates **certificates)
{
    struct certificates *c = *certificates;
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        SSL_CTX_free(c->items[i].holder);
    free(c->items);
    free(c);
    *certificates = NULL;
}

static int key_type(const struct certificate *c)
{
    return EVP_PKEY_base_id(c->key);
}

bool certificates_hold_rsa(const struct certificates *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (key_type(&c->items[i]) == EVP_PKEY_RSA)
            return true;
    }
    return false;
}

static bool has_dns_name(const GENERAL_NAMES *names, const ASN1_STRING *name)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        if (one->type == GEN_DNS && ASN1_STRING_cmp(one->d.dNSName, name) == 0)
            return true;
    }
    return false;
}

/* Are both for one host? Those made before names stood in an extension have their subject. */
static bool alike(const X509 *a, const X509 *b)
{
    GENERAL_NAMES *x = X509_get_ext_d2i(a, NID_subject_alt_name, NULL, NULL);
    GENERAL_NAMES *y = X509_get_ext_d2i(b, NID_subject_alt_name, NULL, NULL);
    bool same = !x && !y && X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0;
    for (int i = 0; x && y && !same && i < sk_GENERAL_NAME_num(x); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(x, i);
        same = one->type == GEN_DNS && has_dns_name(y, one->d.dNSName);
    }
    GENERAL_NAMES_free(x);
    GENERAL_NAMES_free(y);
    return same;
}

/* What has been put on a connection. */
struct offer {
    SSL *ssl;
    int types[KEY_TYPES_MAX];
    size_t count;
};

static bool offer_one(struct offer *o, const struct certificate *c)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->types[i] == key_type(c))
            return true; /* an earlier one goes first */
    }
    if (o->count == KEY_TYPES_MAX)
        return true;
    o->types[o->count++] = key_type(c);
    return SSL_use_cert_and_key(o->ssl, c->leaf, c->key, c->chain, 0) == 1;
}

bool certificates_offer(const struct certificates *c, SSL *ssl, bool rsa_too)
{
    const char *host = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    struct offer o = {.ssl = ssl};
    bool ok = true;
    SSL_certs_clear(ssl);
    for (size_t i = 0; host && ok && i < c->count; i++) {
        if (X509_check_host(c->items[i].leaf, host, 0, 0, NULL) == 1)
            ok = offer_one(&o, &c->items[i]);
    }
    if (o.count)
        return ok;
    for (size_t i = 0; ok && i < c->count; i++) {
        if (i == 0 || alike(c->items[0].leaf, c->items[i].leaf))
            ok = offer_one(&o, &c->items[i]);
    }
    for (size_t i = 0; rsa_too && ok && i < c->count; i++) {
        if (key_type(&c->items[i]) == EVP_PKEY_RSA)
            ok = offer_one(&o, &c->items[i]);
    }
    return ok;
}
