#include "server.h"

#include "keys.h"

#include "postern/base/alloc.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GATHER_MAX_S    10
#define CONNECTIONS_MAX 64
#define IDLE_MS         20000

struct server {
    server_fn *fn;
    void *arg;
    bool tokens;
    SSL_CTX *ctx;
    int listener;
    char url[64];
    char ca[64];
    pthread_t thread;
    pthread_mutex_t lock;
    bool stopping;
    int fds[CONNECTIONS_MAX];
    pthread_t threads[CONNECTIONS_MAX];
    unsigned connections, count, token_count, abreast, most;
    unsigned handshake_delay_ms;
    unsigned gather; /* requests to wait for, 0: none */
    pthread_cond_t gathered;
};

struct connection {
    struct server *server;
    int fd;
};

void server_slow_handshakes(struct server *s, unsigned ms)
{
    pthread_mutex_lock(&s->lock);
    s->handshake_delay_ms = ms;
    pthread_mutex_unlock(&s->lock);
}

const char *server_header(const struct server_request *r, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);
    out[0] = '\0';
    for (const char *p = r->headers; p && *p; p = strstr(p, "\r\n"), p = p ? p + 2 : NULL) {
        if (strncasecmp(p, name, n) == 0 && p[n] == ':')
            snprintf(out, size, "%.*s", (int)strcspn(p + n + 2, "\r"), p + n + 2);
    }
    return out;
}

static bool read_head(SSL *ssl, char *head, size_t size)
{
    size_t len = 0;
    while (len + 1 < size && SSL_read(ssl, head + len, 1) == 1) {
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

static bool read_request(SSL *ssl, struct server_request *r)
{
    char head[16384], length[32];
    memset(r, 0, sizeof *r);
    if (!read_head(ssl, head, sizeof head) ||
        sscanf(head, "%15s %8191s", r->method, r->target) != 2)
        return false;
    snprintf(r->headers, sizeof r->headers, "%s", strstr(head, "\r\n") + 2);
    size_t want = strtoul(server_header(r, "Content-Length", length, sizeof length), NULL, 10);
    if (want >= sizeof r->body)
        return false;
    for (size_t have = 0; have < want;) {
        int n = SSL_read(ssl, r->body + have, (int)(want - have));
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

static struct server_reply answer(struct server *s, struct server_request *r, char *token,
                                  size_t size)
{
    bool is_token = strstr(r->target, "/oauth2/v2.0/token") != NULL;
    pthread_mutex_lock(&s->lock);
    r->number = is_token ? ++s->token_count : ++s->count;
    if (!is_token && ++s->abreast > s->most)
        s->most = s->abreast;
    pthread_mutex_unlock(&s->lock);
    if (!is_token || !s->tokens)
        return s->fn(s->arg, r);
    snprintf(token, size,
             "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"T%u\"}", r->number);
    return (struct server_reply){.status = 200, .type = "application/json", .body = token};
}

void server_gather(struct server *s, unsigned count)
{
    pthread_mutex_lock(&s->lock);
    s->gather = count;
    pthread_mutex_unlock(&s->lock);
}

/* The others may come while one that came before them is held back. */
static void gather(struct server *s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += GATHER_MAX_S;
    pthread_mutex_lock(&s->lock);
    if (s->abreast >= s->gather)
        s->gather = 0;
    pthread_cond_broadcast(&s->gathered);
    while (s->gather && pthread_cond_timedwait(&s->gathered, &s->lock, &until) == 0)
        continue;
    s->gather = 0;
    pthread_mutex_unlock(&s->lock);
}

static void pause_ms(unsigned ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    if (ms)
        nanosleep(&t, NULL);
}

static bool send_all(SSL *ssl, const char *data, size_t len)
{
    return len == 0 || SSL_write(ssl, data, (int)len) == (int)len;
}

/* True: the connection stays open. */
static bool send_reply(SSL *ssl, const struct server_reply *reply)
{
    char head[4096];
    size_t len = reply->body_len ? reply->body_len : reply->body ? strlen(reply->body) : 0;
    size_t sent = reply->cut_to && reply->cut_to < len ? reply->cut_to : len;
    if (reply->status == 0)
        return false;
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s%s%s%s\r\n",
                     reply->status, len, reply->type ? "Content-Type: " : "",
                     reply->type ? reply->type : "", reply->type ? "\r\n" : "",
                     reply->headers ? reply->headers : "");
    if (reply->status == 204)
        n = snprintf(head, sizeof head, "HTTP/1.1 204 No Content\r\n\r\n");
    size_t pieces = !reply->rest_ms ? 1 : reply->pieces ? reply->pieces : 2, at = 0;
    bool ok = send_all(ssl, head, (size_t)n);
    for (size_t i = 1; ok && i <= pieces; i++) {
        size_t end = sent * i / pieces;
        ok = send_all(ssl, reply->body + at, end - at);
        at = end;
        if (i < pieces)
            pause_ms(reply->rest_ms);
    }
    return ok && sent == len && !reply->close;
}

static void *serve_connection(void *arg)
{
    struct connection *c = arg;
    struct server *s = c->server;
    struct server_request *r = xmalloc(sizeof *r);
    SSL *ssl = SSL_new(s->ctx);
    pthread_mutex_lock(&s->lock);
    unsigned delay_ms = s->handshake_delay_ms;
    pthread_mutex_unlock(&s->lock);
    pause_ms(delay_ms);
    bool open = SSL_set_fd(ssl, c->fd) == 1 && SSL_accept(ssl) == 1;
    while (open && read_request(ssl, r)) {
        char token[128];
        bool graph = !strstr(r->target, "/oauth2/v2.0/token");
        struct server_reply reply = answer(s, r, token, sizeof token);
        if (graph)
            gather(s);
        pause_ms(reply.delay_ms);
        pthread_mutex_lock(&s->lock);
        s->abreast -= graph;
        pthread_mutex_unlock(&s->lock);
        open = send_reply(ssl, &reply);
    }
    SSL_free(ssl);
    shutdown(c->fd, SHUT_RDWR);
    free(r);
    free(c);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct server *s = arg;
    for (;;) {
        int fd = accept(s->listener, NULL, NULL);
        pthread_mutex_lock(&s->lock);
        if (s->stopping || fd < 0 || s->connections == CONNECTIONS_MAX) {
            pthread_mutex_unlock(&s->lock);
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        int yes = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct timeval idle = {.tv_sec = IDLE_MS / 1000};
        int at_once = 1; /* head and body are written apart: no delayed ACK between them */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle);
        struct connection *c = xcalloc(1, sizeof *c);
        c->server = s;
        c->fd = fd;
        s->fds[s->connections] = fd;
        pthread_create(&s->threads[s->connections++], NULL, serve_connection, c);
        pthread_mutex_unlock(&s->lock);
    }
}

static void listen_on_loopback(struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->listener, (struct sockaddr *)&a, len) != 0 || listen(s->listener, 64) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&a, &len) != 0)
        abort();
    snprintf(s->url, sizeof s->url, "https://localhost:%u", ntohs(a.sin_port));
}

struct server *server_start(server_fn *fn, void *arg, bool tokens)
{
    struct server *s = xcalloc(1, sizeof *s);
    s->fn = fn;
    s->arg = arg;
    s->tokens = tokens;
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->gathered, NULL);
    /* One key for all servers of the program: making one takes longer than a test. */
    static EVP_PKEY *key;
    if (!key)
        key = EVP_RSA_gen(2048);
    X509 *cert = key_certificate(key, "localhost");
    s->ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(s->ctx, cert);
    SSL_CTX_use_PrivateKey(s->ctx, key);
    key_write_certificate(cert, s->ca, sizeof s->ca);
    X509_free(cert);
    listen_on_loopback(s);
    if (pthread_create(&s->thread, NULL, accept_all, s) != 0)
        abort();
    return s;
}

void server_stop(struct server **server)
{
    struct server *s = *server;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_mutex_unlock(&s->lock);
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    for (unsigned i = 0; i < s->connections; i++) {
        shutdown(s->fds[i], SHUT_RDWR);
        pthread_join(s->threads[i], NULL);
        close(s->fds[i]);
    }
    unlink(s->ca);
    SSL_CTX_free(s->ctx);
    pthread_cond_destroy(&s->gathered);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *server = NULL;
}

const char *server_url(const struct server *s)
{
    return s->url;
}

const char *server_ca(const struct server *s)
{
    return s->ca;
}

static unsigned read_count(struct server *s, const unsigned *count)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = *count;
    pthread_mutex_unlock(&s->lock);
    return n;
}

unsigned server_most_abreast(struct server *s)
{
    return read_count(s, &s->most);
}

unsigned server_count(struct server *s)
{
    return read_count(s, &s->count);
}

unsigned server_token_count(struct server *s)
{
    return read_count(s, &s->token_count);
}
