/*
 * Whether and when a call that failed is tried again. Pure; any thread.
 *
 * Graph throttling guidance: obey Retry-After (Microsoft's own sample is fractional), without
 * one back off exponentially; RFC 9110 section 10.2.3 also allows a date.
 */
#ifndef POSTERN_SRC_GRAPH_RETRY_H
#define POSTERN_SRC_GRAPH_RETRY_H

#include "postern/graph/client.h"

#define RETRY_BASE_MS         500
#define RETRY_CAP_MS          30000
#define RETRY_TRIES_MAX       7 /* attempts at a server that fails */
#define RETRY_TRIES_ONCE      2 /* the same under GRAPH_REPEAT_ONCE */
#define RETRY_TRIES_UNREACHED 4 /* attempts at a server that cannot be reached: DNS, no route */
/* The server's clock and ours do not tick together: come a little late, never early. */
#define RETRY_AFTER_MARGIN_MS 100
/* A longer Retry-After counts as this; it is past any patience anyway. */
#define RETRY_AFTER_MAX_MS ((int64_t)24 * 3600 * 1000)

/* Milliseconds to wait, margin included: "120", "2.128", or an HTTP date against `wall_now_ms`.
 * False: there is none, or it cannot be read. */
bool retry_after_parse(const char *value, int64_t wall_now_ms, int64_t *ms);
/* The wait after the `failures`th failure in a row (1 …): RETRY_BASE_MS doubled each time up to
 * RETRY_CAP_MS, of which `random` takes away up to a half. */
int64_t retry_backoff_ms(unsigned failures, uint32_t random);

/* How an attempt ended without the answer that was wanted. */
struct retry_case {
    enum graph_repeat repeat;
    int status;             /* of a whole answer; 0: none came */
    bool sent;              /* bytes of the request may have left */
    bool transient;         /* for status 0: trying again can help (a bad certificate: no) */
    int64_t retry_after_ms; /* -1: none */
    unsigned tries;         /* attempts so far, this one included */
};

enum retry_verdict {
    RETRY_END,     /* the failure is the outcome */
    RETRY_UNKNOWN, /* ends as ERROR_UNKNOWN_WRITE: it may have been done */
    RETRY_CALL,    /* again after a wait of this call */
    RETRY_MAILBOX  /* again after a wait of the whole mailbox */
};
enum retry_verdict retry_judge(const struct retry_case *c);

#endif
