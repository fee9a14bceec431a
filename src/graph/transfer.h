/*
 * One HTTPS request on libcurl: its options, its callbacks, what came back.
 *
 * Made, run and freed by the upstream thread alone. TLS 1.2 is the least and certificates are
 * checked, always; nothing switches that off (the machine's own metadata service knows http only,
 * and sees no secret of ours). Redirects are not followed. The proxy variables of the environment
 * hold (libcurl's default), and the tenant's trust anchors for a proxy that is spoken to by TLS.
 */
#ifndef POSTERN_SRC_GRAPH_TRANSFER_H
#define POSTERN_SRC_GRAPH_TRANSFER_H

#include "error.h"

#include "postern/graph/client.h"

#include <curl/curl.h>

/* Trust anchors beside the system's: one PEM text with both. */
struct anchors {
    struct buf pem; /* empty: the system's alone */
};

struct transfer;

struct transfer_request {
    enum graph_method method;
    const char *url;  /* https, but for `metadata` */
    const char *body; /* NULL: none; must live as long as the transfer */
    size_t body_len;
    const char *content_type; /* of the body */
    const char *token;        /* bearer token, NULL: no Authorization */
    const char *prefer;       /* NULL: no Prefer */
    const char *range;        /* NULL: no Content-Range */
    const char *accept;
    bool metadata;                 /* the machine's metadata service: http, never by a proxy */
    const struct anchors *anchors; /* must live as long as the transfer */
    int64_t timeout_ms;            /* without progress */
    size_t max_body;               /* decoded bytes of a 2xx answer */
    /* Asked on a connection that is made, right before the request is sent; false ends the transfer
     * unsent, with `held`. NULL: it may always go. */
    bool (*may_go)(const struct transfer *t);
    bool once; /* libcurl must not send it a second time when a reused connection breaks */
    /* Takes the decoded bytes of a 2xx answer in place of `body`; false with `fault` filled ends
     * the transfer. NULL: they are kept. */
    bool (*take)(struct transfer *t, const char *data, size_t len);
    void (*ended)(struct transfer *t, CURLcode code);
    void *owner;
};

struct transfer {
    CURL *easy;
    struct curl_slist *headers;
    struct transfer_request request; /* pointers to short-lived strings are cleared */
    struct answer answer;            /* of the last response head */
    struct buf authenticate;         /* WWW-Authenticate of that head, joined by commas */
    struct buf body;                 /* a 2xx body that nobody takes, or an error body */
    struct error fault;              /* why a callback of ours ended it */
    int64_t progress_ms;             /* monotonic: when a byte last moved */
    curl_off_t moved;
    unsigned issued; /* times that the request was about to be sent */
    bool held;
    char detail[CURL_ERROR_SIZE];
    struct transfer *prev, *next; /* the upstream's list */
};

/* False: `e` says why (no memory for a handle, a URL that libcurl refuses). */
struct transfer *transfer_new(const struct transfer_request *request, struct error *e);
/* Wipes the token. The transfer must not be on a CURLM. */
void transfer_free(struct transfer **t);

/* How a transfer without a whole answer failed. `sent`: bytes of the request may have left. */
struct transfer_failure {
    bool sent;
    bool transient;
};
/* Fills `e` with cause and advice; `what` is "Graph" or "the sign-in server". */
struct transfer_failure transfer_explain(const struct transfer *t, CURLcode code, const char *what,
                                         struct error *e);

#endif
