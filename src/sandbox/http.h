/*
 * The two HTTP servers, on libmicrohttpd with one thread a connection: HTTPS for Graph and the
 * token endpoint, plain HTTP for the control port. Faults, latency and throttling happen here;
 * what a request means is for graph.h, token.h and control.h.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include "sandbox.h"
#include "tls.h"

#include <sys/socket.h>

struct http_server;

/* `identity` NULL: the control port. The identity must outlive the server. */
struct http_server *http_start(struct sandbox *s, const struct sockaddr *address,
                               const struct tls_identity *identity, struct error *e);
unsigned http_port(const struct http_server *h);
/* Cuts the connections and joins their threads; call sandbox_stop() first. NULL is fine. */
void http_stop(struct http_server *h);

#endif
