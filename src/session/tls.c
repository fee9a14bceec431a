#include "postern/session/tls.h"

#include "certificates.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SYSTEM_LEVEL (-1)
/* TLS 1.0 and 1.1 sign by SHA-1 and MD5, which OpenSSL allows at no higher level. */
#define LEGACY_LEVEL 0
/* TLS 1.2's own suites first, for clients that know them; no NULL, anonymous or pre-shared ones,
 * which the level would allow. */
#define LEGACY_SUITES "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:kRSA+AESGCM:kRSA+AES:!aNULL:!eNULL"

struct session_tls {
    SSL_CTX *ctx;
    struct certificates *certificates;
    bool legacy;
    atomic_uint refs;
};

static bool openssl_failed(struct error *e, const char *what)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return error_set(e, ERROR_LOCAL, "cannot %s: %s", what, text ? text : "unknown cause");
}

static int on_certificate_needed(SSL *ssl, void *arg)
{
    const struct session_tls *t = arg;
    return certificates_offer(t->certificates, ssl, t->legacy);
}

/* The highest version that a client offers is kept, for the case that no handshake comes of it:
 * that of supported_versions (RFC 8446 section 4.2.1), else that of the message itself. */
static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    const unsigned char *list;
    size_t len;
    int offered = (int)SSL_client_hello_get0_legacy_version(ssl);
    (void)alert;
    (void)arg;
    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &list, &len) == 1) {
        for (size_t i = 1; i + 1 < len; i += 2) {
            int version = list[i] << 8 | list[i + 1];
            /* Others are drafts, and noise that is to be passed over (RFC 8701). */
            if (version > offered && version <= TLS1_3_VERSION)
                offered = version;
        }
    }
    SSL_set_app_data(ssl, (void *)(intptr_t)offered);
    return SSL_CLIENT_HELLO_SUCCESS;
}

int session_tls_offered(const SSL *ssl)
{
    if (BIO_number_read(SSL_get_rbio(ssl)) == 0)
        return -1;
    return (int)(intptr_t)SSL_get_app_data(ssl);
}

/* Any client's certificate will do here: logins name the ones they trust, by fingerprint. */
static int on_client_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static void set_options(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
    /* Many mail clients close without close_notify; lines and dots frame what they sent. */
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
#ifdef SSL_OP_CLEANSE_PLAINTEXT
    SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT); /* passwords among it */
#endif
    /* Idle connections give their 2 x 16 KB of record buffers back. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

/* The system's policy (openssl.cnf) stands, but for the lowest version, and for what a legacy
 * listener asks for itself. */
static bool set_versions(SSL_CTX *ctx, int min_version, bool legacy)
{
    if (!legacy && min_version < TLS1_2_VERSION)
        min_version = TLS1_2_VERSION;
    if (legacy) {
        SSL_CTX_set_security_level(ctx, LEGACY_LEVEL);
        if (SSL_CTX_set_cipher_list(ctx, LEGACY_SUITES) != 1)
            return false;
    }
    return SSL_CTX_set_min_proto_version(ctx, min_version) == 1;
}

static bool set_up(struct session_tls *t, const struct config_tls *settings,
                   const struct config_listener *listener, struct error *e)
{
    int min_version =
        listener && listener->min_version ? listener->min_version : settings->min_version;
    t->legacy = listener && listener->legacy_tls;
    t->ctx = SSL_CTX_new(TLS_server_method());
    if (!t->ctx || !set_versions(t->ctx, min_version, t->legacy))
        return openssl_failed(e, "set up TLS");
    set_options(t->ctx);
    t->certificates = certificates_load(settings, t->legacy ? LEGACY_LEVEL : SYSTEM_LEVEL, e);
    if (!t->certificates)
        return false;
    if (t->legacy && !certificates_hold_rsa(t->certificates))
        return error_set(e, ERROR_LOCAL,
                         "clients that need legacy-tls need a certificate with an RSA key, and "
                         "there is none; add one to the lists certificate and private-key in tls");
    SSL_CTX_set_client_hello_cb(t->ctx, on_client_hello, NULL);
    SSL_CTX_set_cert_cb(t->ctx, on_certificate_needed, t);
    if (listener && listener->client_certificates) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_cert_verify_callback(t->ctx, on_client_certificate, NULL);
    }
    return true;
}

struct session_tls *session_tls_new(const struct config_tls *settings,
                                    const struct config_listener *listener, struct error *e)
{
    struct session_tls *t = xcalloc(1, sizeof *t);
    atomic_init(&t->refs, 1);
    ERR_clear_error();
    if (!set_up(t, settings, listener, e))
        session_tls_unref(&t);
    return t;
}

struct session_tls *session_tls_ref(struct session_tls *t)
{
    if (t)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

void session_tls_unref(struct session_tls **tls)
{
    struct session_tls *t = *tls;
    if (t && atomic_fetch_sub(&t->refs, 1) == 1) {
        SSL_CTX_free(t->ctx);
        certificates_free(&t->certificates);
        free(t);
    }
    *tls = NULL;
}

struct ssl_st *session_tls_accept(struct session_tls *t, int fd, struct error *e)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(t->ctx);
    if (!ssl || SSL_set_fd(ssl, fd) != 1) {
        openssl_failed(e, "start TLS");
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}

static const char *version_name(int version)
{
    switch (version) {
    case TLS1_VERSION:
        return "1.0";
    case TLS1_1_VERSION:
        return "1.1";
    case TLS1_2_VERSION:
        return "1.2";
    default:
        return "1.3";
    }
}

void session_tls_describe(const SSL *ssl, struct session_tls_facts *out)
{
    uint8_t digest[SHA256_SIZE];
    unsigned len = 0;
    X509 *client = SSL_get_peer_certificate(ssl);
    memset(out, 0, sizeof *out);
    out->number = SSL_version(ssl);
    out->version = version_name(out->number);
    out->cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl));
    if (client && X509_digest(client, EVP_sha256(), digest, &len) == 1)
        hex_encode(digest, len, out->fingerprint);
    X509_free(client);
}
