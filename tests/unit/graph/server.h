/*
 * A small HTTPS server on loopback for the tests of graph/: HTTP/1.1 with keep-alive, a thread a
 * connection, a certificate of its own authority made at start, answers from a function of the
 * test. Port chosen by the kernel.
 */
#ifndef POSTERN_TESTS_GRAPH_SERVER_H
#define POSTERN_TESTS_GRAPH_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct server;

struct server_request {
    char method[16];
    char target[8192];
    char headers[8192]; /* raw, CRLF lines */
    char body[16384];
    unsigned number; /* 1 for the first request of this server */
};

/* What the test answers. Strings must live for the test. */
struct server_reply {
    int status;          /* 0: close without an answer */
    const char *type;    /* NULL: no Content-Type */
    const char *headers; /* more lines, each with CRLF; NULL: none */
    const char *body;    /* NULL: none */
    size_t body_len;     /* 0: strlen(body) */
    size_t cut_to;       /* send so many body bytes, then close; 0: all */
    unsigned delay_ms;   /* before the answer */
    unsigned rest_ms;    /* between two pieces of the body */
    unsigned pieces;     /* 0 stands for two */
    bool close;          /* after the answer */
};

typedef struct server_reply server_fn(void *arg, const struct server_request *request);

/* Token requests are answered by the server itself (token "T1", "T2", …) unless `tokens` is
 * false; then `fn` sees them too. */
struct server *server_start(server_fn *fn, void *arg, bool tokens);
void server_stop(struct server **s);
const char *server_url(const struct server *s); /* "https://localhost:PORT" */
const char *server_ca(const struct server *s);  /* path of the authority's PEM */
unsigned server_most_abreast(struct server *s); /* the most requests seen at one time */
/* From now on an answer to Graph requests is held back until so many are there at one time, once;
 * not for longer than a machine that works could need. */
void server_gather(struct server *s, unsigned count);
unsigned server_count(struct server *s); /* requests in all, tokens aside */
unsigned server_token_count(struct server *s);
/* Connections that come from now on wait so long before their handshake. */
void server_slow_handshakes(struct server *s, unsigned ms);
/* Value of a header ("" if missing) into `out`. */
const char *server_header(const struct server_request *r, const char *name, char *out, size_t size);

#endif
