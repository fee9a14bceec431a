/*
 * The road to Microsoft Graph: one upstream thread that owns the CURLM and moves bytes, a
 * scheduler that gives each mailbox its slots, a token for each principal (an identity).
 *
 * A call is started (it does not block), waited for, and freed by the thread that asked; that
 * thread also decodes the JSON. The scheduler attaches the token, retries what is safe to repeat
 * (see enum graph_repeat), obeys Retry-After for the whole mailbox, and ends with an answer or an
 * error. Sources: Graph throttling guidance, RFC 9110 section 10.2.3; graph pages are named at
 * the calls in graph/mail.h.
 */
#ifndef POSTERN_GRAPH_CLIENT_H
#define POSTERN_GRAPH_CLIENT_H

#include "postern/base/buf.h"
#include "postern/base/config.h"
#include "postern/base/error.h"
#include "postern/base/principal.h"
#include "postern/base/wait.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph_client; /* the process's one: upstream thread, connections, tenants */
struct graph_user;   /* one mailbox as Graph addresses it, /users/{upn}; reference-counted */
struct graph_call;   /* one request under way */

struct graph_settings {
    int64_t request_timeout_ms; /* no progress for this long ends a transfer */
    int64_t patience_ms;        /* a call for a client: no new attempt begins after so long */
    int64_t background_ms;      /* the same for a background call */
    size_t max_json;            /* cap of a JSON answer */
    size_t max_message;         /* cap of a message body */
};

/* Starts the upstream thread. */
struct graph_client *graph_client_start(const struct graph_settings *settings, struct error *e);
/* Cancels what is under way and joins the thread. Every user and call must be gone. */
void graph_client_stop(struct graph_client **client);
/* Takes over the tenants of a config (at start and at SIGHUP): secrets and certificates anew,
 * cached tokens of changed tenants dropped. Users keep working; a tenant that is gone fails its
 * calls with ERROR_SIGN_IN. False: a certificate or key cannot be read (`e` says which). */
bool graph_client_configure(struct graph_client *client, const struct config *config,
                            struct error *e);
/* The service stops: calls that were not sent yet, reads under way and calls started from now on
 * end with ERROR_CANCELED; writes that were sent run to their end. */
void graph_client_cancel_all(struct graph_client *client);

/* Where sign-ins of persons are kept; before the first configure. Without one every delegated flow
 * is "needs login". The table must outlive the client. */
struct sign_in_vault;
void graph_client_set_vault(struct graph_client *client, const struct sign_in_vault *vault);

/* For the housekeeper: renews every token that has less than a third of its life left. */
void graph_client_renew_tokens(struct graph_client *client);

/* The same principal and mailbox give the same user; the slots are those of tenant and mailbox,
 * whoever asks. With `who->bearer` the principal's calls use that token from now on. */
struct graph_user *graph_user_get(struct graph_client *client, const struct principal *who,
                                  const char *mailbox);
void graph_user_unref(struct graph_user **u);

enum graph_method { GRAPH_GET, GRAPH_POST, GRAPH_PATCH, GRAPH_PUT, GRAPH_DELETE };

enum graph_repeat {
    GRAPH_REPEAT_SAFE, /* reads, PATCH of fixed values: again after any transient failure */
    GRAPH_REPEAT_ONCE, /* the same where the caller can do without: a server that fails is asked
                          only once more */
    GRAPH_REPEAT_NEVER /* POST, DELETE: again only if the answer (429, 503 with Retry-After) or the
                          failure (not connected) proves that nothing was done; an answer that was
                          lost is ERROR_UNKNOWN_WRITE */
};

/* Takes a message body as it arrives (on the disk worker, in order, one at a time). False with
 * `e` filled ends the call. After a retry `restart` is called before the first byte comes again. */
struct graph_sink {
    bool (*write)(void *arg, const void *data, size_t len, struct error *e);
    bool (*restart)(void *arg, struct error *e);
    void *arg;
};

struct graph_request {
    enum graph_method method;
    const char *path;   /* below /v1.0/users/{upn}, already escaped, starts with '/' */
    bool at_root;       /* `path` is below /v1.0 itself ("/$batch") */
    const char *link;   /* or a nextLink or deltaLink; one that leads to another origin than the
                           configured Graph is ERROR_RESYNC */
    const char *upload; /* or an address that is its own permission (PUT: an upload session, GET: a
                           report): https to whatever host, and never with our token */
    const char *json;   /* body, NULL: none */
    const void *data;   /* or a body that is no JSON, with its type */
    size_t data_len;
    const char *data_type;
    const char *range;  /* Content-Range, NULL: none */
    const char *prefer; /* extra Prefer values, NULL; the immutable id one is always sent */
    enum graph_repeat repeat;
    unsigned slots;       /* of the mailbox that it takes, 0: one (a $batch: its items) */
    bool background;      /* yields to interactive calls */
    const void *fair_key; /* who asks (a session): slots go round between the keys; NULL: shared */
    bool mime;            /* the answer is a message: content type and cap differ */
    bool redirect;        /* a redirect is the success: its https address becomes the body */
    const struct graph_sink *sink; /* NULL: the body is kept in the answer */
    /* Called once, on the disk worker, when the call has ended; must not free the call. */
    void (*done)(void *arg, struct graph_call *call);
    void *done_arg;
};

/* Copies the request. Never fails: what is wrong shows in the outcome. */
struct graph_call *graph_call_start(struct graph_user *u, const struct graph_request *request);
/* Waits until it ended. True: a 2xx answer is there. False: `e` says why; ERROR_CANCELED and
 * ERROR_TIMEOUT may also come from the wait itself, then the call is still under way. */
bool graph_call_wait(struct graph_call *call, struct wait *w, struct error *e);
/* Waits until at least one of them has ended (NULLs are skipped). */
bool graph_call_wait_any(struct graph_call *const *calls, size_t count, struct wait *w,
                         struct error *e);
/* Somebody waits for a call that was started as background work: it counts as interactive now. */
void graph_call_promote(struct graph_call *call);
bool graph_call_ended(struct graph_call *call);
/* Copies the outcome of an ended call: true for a 2xx answer. */
bool graph_call_outcome(struct graph_call *call, struct error *e);
/* Answer of an ended call: the status, 0 if none came, and the body. */
int graph_call_status(const struct graph_call *call);
const struct buf *graph_call_body(const struct graph_call *call);
/* Cancels what is under way and frees; clears *call. After it neither sink nor done is called;
 * one that runs just now is waited for, so hold no lock that they take. A write already sent runs
 * on unseen, a read keeps its slot until it is answered, at most 2 s (Graph works on it anyway). */
void graph_call_free(struct graph_call **call);

/* What the tests and metrics count. */
struct graph_counters {
    uint64_t requests;  /* HTTP requests to Graph, retries included */
    uint64_t tokens;    /* requests to the token endpoint */
    uint64_t throttled; /* 429 and 503 answers */
    uint64_t retries;
};
void graph_client_counters(struct graph_client *client, struct graph_counters *out);

#endif
