/*
 * The HTTP servers, on libmicrohttpd with one thread a connection: HTTPS for Graph and the sign-in
 * endpoints, HTTPS on another port for uploads and reports, plain HTTP for the metadata service and
 * the control port. Faults, latency and throttling happen here; what a request means is for
 * graph.h, entra.h, imds.h and control.h.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include "sandbox.h"
#include "tls.h"

#include <sys/socket.h>

struct http_server;

/* What a server is for: Graph and sign-ins, URLs that are their own credential (both HTTPS), the
 * metadata service, control. */
enum http_role { HTTP_GRAPH, HTTP_UPLOAD, HTTP_IMDS, HTTP_CONTROL };

/* `identity` NULL: plain HTTP; it must outlive the server. */
struct http_server *http_start(struct sandbox *s, enum http_role role,
                               const struct sockaddr *address, const struct tls_identity *identity,
                               struct error *e);
unsigned http_port(const struct http_server *h);
/* Cuts the connections and joins their threads; call sandbox_stop() first. NULL is fine. */
void http_stop(struct http_server *h);

#endif
