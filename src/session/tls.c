#include "postern/session/tls.h"

#include "postern/base/alloc.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>

struct session_tls {
    SSL_CTX *ctx;
    atomic_uint refs;
};

static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text ? text : "unknown cause";
}

static bool load_certificate(SSL_CTX *ctx, const struct config_tls *settings, struct error *e)
{
    const char *certificate = settings->certificates[0], *key = settings->private_keys[0];
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return error_set(e, ERROR_LOCAL,
                         "cannot use the certificate %s: %s; it must be a PEM chain, the "
                         "server's own certificate first",
                         certificate, reason());
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return error_set(e, ERROR_LOCAL,
                         "cannot use the private key %s: %s; it must be the PEM key of %s, "
                         "without a passphrase",
                         key, reason(), certificate);
    return true;
}

/* A passphrase prompt on the terminal would hang a service. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return 0;
}

static bool set_up(SSL_CTX *ctx, int min_version)
{
    if (min_version < TLS1_2_VERSION)
        min_version = TLS1_2_VERSION;
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
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
    /* Resumption is by tickets, which the clients keep; a cache here would only grow. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(ctx, min_version) == 1;
}

struct session_tls *session_tls_new(const struct config_tls *settings, int min_version,
                                    struct error *e)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx || !set_up(ctx, min_version ? min_version : settings->min_version)) {
        error_set(e, ERROR_LOCAL, "cannot set up TLS: %s", reason());
        SSL_CTX_free(ctx);
        return NULL;
    }
    if (!load_certificate(ctx, settings, e)) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    struct session_tls *t = xcalloc(1, sizeof *t);
    t->ctx = ctx;
    atomic_init(&t->refs, 1);
    return t;
}

struct session_tls *session_tls_ref(struct session_tls *t)
{
    if (t)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

void session_tls_unref(struct session_tls **t)
{
    if (*t && atomic_fetch_sub(&(*t)->refs, 1) == 1) {
        SSL_CTX_free((*t)->ctx);
        free(*t);
    }
    *t = NULL;
}

struct ssl_st *session_tls_accept(struct session_tls *t, int fd, struct error *e)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(t->ctx);
    if (!ssl || SSL_set_fd(ssl, fd) != 1) {
        error_set(e, ERROR_LOCAL, "cannot start TLS: %s", reason());
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}
