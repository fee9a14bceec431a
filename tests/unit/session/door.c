#include "door.h"

#include "postern/base/clock.h"
#include "postern/base/file.h"
#include "postern/base/thread.h"
#include "postern/session/inventory.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static void on_fault(void *arg, const char *file, int line, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
}

struct config *door_config(const char *text)
{
    struct config *c = config_parse("door.conf", text, on_fault, NULL, NULL);
    if (!c)
        abort();
    return c;
}

void door_open(struct door *d, const struct door_options *o)
{
    static const char usual[] =
        "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN("alice", "");
    struct sockaddr_in peer = {.sin_family = AF_INET};
    struct error e = ERROR_INIT;
    int pair[2];
    memset(d, 0, sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        abort();
    inet_pton(AF_INET, o->address ? o->address : "127.0.0.1", &peer.sin_addr);
    d->config = door_config(o->config ? o->config : usual);
    d->own_gate = !o->gate;
    d->gate = o->gate ? o->gate : session_gate_new(NULL);
    if (d->own_gate)
        session_gate_configure(d->gate, d->config);
    struct session_conn_settings settings = {
        .id = "p3-1",
        .address = (struct sockaddr *)&peer,
        .address_len = sizeof peer,
        .tls_mode = o->tls ? TLS_STARTTLS : TLS_NONE,
        .tls = o->tls,
        .plaintext_login = !o->no_plaintext_login,
        .gate = d->gate,
        .client =
            inventory_client_new(o->inventory, &d->config->listeners[0], (struct sockaddr *)&peer),
        .stop = &d->stop,
        .handshake_timeout_ms = o->timeout_ms ? o->timeout_ms : 5 * CLOCK_SECOND,
        .write_timeout_ms = o->timeout_ms ? o->timeout_ms : 5 * CLOCK_SECOND};
    d->conn = session_conn_new(pair[0], &settings, &e);
    d->client = pair[1];
    if (!d->conn)
        abort();
}

static void *door_thread(void *arg)
{
    struct door *d = arg;
    d->run(d->conn, NULL, d->config);
    pthread_mutex_lock(&d->lock);
    session_conn_free(&d->conn);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

void door_start(struct door *d, session_run_fn *run)
{
    struct error e = ERROR_INIT;
    d->run = run;
    if (!thread_start(&d->thread, "door", THREAD_STACK_SESSION, door_thread, d, &e))
        abort();
}

void door_stop(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    atomic_store(&d->stop.asked, true);
    if (d->conn)
        wait_notify(session_conn_wait(d->conn));
    pthread_mutex_unlock(&d->lock);
}

void door_close(struct door *d)
{
    if (d->client >= 0)
        close(d->client);
    d->client = -1;
    if (d->run)
        pthread_join(d->thread, NULL);
    d->run = NULL;
    session_conn_free(&d->conn);
    pthread_mutex_destroy(&d->lock);
    if (d->own_gate)
        session_gate_free(&d->gate);
    config_unref(&d->config);
}

void door_send(struct door *d, const char *text, size_t len)
{
    while (len) {
        ssize_t n = send(d->client, text, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the other side has closed, which is for the test to find out by reading */
        text += n;
        len -= (size_t)n;
    }
}

void door_say(struct door *d, const char *text)
{
    door_send(d, text, strlen(text));
}

static bool ends_with(const struct buf *b, const char *end)
{
    size_t len = strlen(end);
    return len && b->len >= len && memcmp(b->data + b->len - len, end, len) == 0;
}

const char *door_hear(struct door *d, const char *end, struct buf *heard)
{
    char piece[4096];
    buf_clear(heard);
    /* The patience is poll()'s own: a test may drive the clock meanwhile. */
    while (!ends_with(heard, end)) {
        struct pollfd fd = {.fd = d->client, .events = POLLIN};
        if (poll(&fd, 1, PATIENCE_MS) <= 0)
            break;
        ssize_t n = recv(d->client, piece, sizeof piece, 0);
        if (n <= 0)
            break;
        buf_append(heard, piece, (size_t)n);
    }
    return buf_str(heard);
}

static void sign(X509 *x, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(x);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(x, name);
    X509_sign(x, key, EVP_sha256());
}

void door_certificate_make(struct door_certificate *c)
{
    snprintf(c->dir, sizeof c->dir, "/tmp/postern-door-XXXXXX");
    if (!mkdtemp(c->dir))
        abort();
    snprintf(c->certificate, sizeof c->certificate, "%s/tls.pem", c->dir);
    snprintf(c->key, sizeof c->key, "%s/tls.key", c->dir);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    sign(x, key);
    FILE *cert_file = fopen(c->certificate, "w"), *key_file = fopen(c->key, "w");
    if (!cert_file || !key_file || !PEM_write_X509(cert_file, x) ||
        !PEM_write_PrivateKey(key_file, key, NULL, NULL, 0, NULL, NULL))
        abort();
    fclose(cert_file);
    fclose(key_file);
    X509_free(x);
    EVP_PKEY_free(key);
}

void door_certificate_remove(struct door_certificate *c)
{
    unlink(c->certificate);
    unlink(c->key);
    rmdir(c->dir);
}

struct session_tls *door_tls(const struct door_certificate *c)
{
    struct error e = ERROR_INIT;
    char *certificate = (char *)c->certificate, *key = (char *)c->key;
    struct config_tls settings = {&certificate, 1, &key, 1, 0};
    struct session_tls *t = session_tls_new(&settings, NULL, &e);
    if (!t) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    return t;
}
