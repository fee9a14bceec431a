/*
 * The way to a server of Microsoft, looked at step by step, for `postern doctor`: name, connection,
 * TLS, certificate, clock. By the same rules as every other request (proxy variables, trust
 * anchors, TLS 1.2), so that what is seen here is what serving meets.
 */
#ifndef POSTERN_GRAPH_ROUTE_H
#define POSTERN_GRAPH_ROUTE_H

#include "postern/graph/client.h"

/* The addresses of a host, "192.0.2.1, 2001:db8::1", appended to `out`. Ends after `timeout_ms`
 * whatever the resolver does. `url`: https, an address in it is taken as it is. */
bool graph_route_resolve(const char *url, int64_t timeout_ms, struct buf *out, struct error *e);

struct graph_sight {
    char tls[16];      /* "TLSv1.3"; "" if no handshake ended */
    char issuer[256];  /* who signed the server's certificate, as it says; "" if none was seen */
    bool distrusted;   /* its chain ends at no trust anchor of ours */
    int status;        /* HTTP status, 0 if none was asked for or none came */
    int64_t date_ms;   /* the server's clock (wall), INT64_MIN if it did not tell */
    int64_t asked_ms;  /* ours at that moment */
    struct error body; /* what an answer of 400 and above says; ERROR_NONE: nothing */
};

/* Connects to the host of `url` with the trust anchors of the tenant (which must be configured)
 * and, with `get`, asks for it without any token. True: the connection is good; `out` is filled as
 * far as it went in any case. Blocks at most `timeout_ms`; any thread. */
bool graph_route_look(struct graph_client *client, const char *tenant, const char *url, bool get,
                      int64_t timeout_ms, struct graph_sight *out, struct error *e);

#endif
