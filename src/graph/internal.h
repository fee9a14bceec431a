/*
 * The insides of a client, from the bottom: call_end.c (how a call ends), tenant.c (tenants and
 * tokens), call.c (a call's attempts), call_cut.c (ending calls from outside), dispatch.c (the
 * upstream thread), client.c (what other threads call).
 *
 * One mutex, `lock`, guards everything here but what is marked; it is never held over I/O, except
 * that curl_multi_add_handle() and _remove_handle() run under it, which do not block. Order of
 * locks: the client's, then the disk worker's.
 */
#ifndef POSTERN_SRC_GRAPH_INTERNAL_H
#define POSTERN_SRC_GRAPH_INTERNAL_H

#include "disk.h"
#include "gate.h"
#include "oauth.h"
#include "scheduler.h"
#include "upstream.h"

#include "postern/base/table.h"
#include "postern/graph/client.h"

#include <pthread.h>
#include <stdatomic.h>

struct token {
    char *value; /* NULL: none; secret */
    int64_t born_ms, expires_ms;
    uint64_t generation; /* counts tokens, so that a late 401 blames the right one */
    bool forced;         /* got after a 401 … */
    bool proven;         /* … and Graph took it once */
    bool force_next;
    bool renew;              /* asked for though nothing waits */
    struct transfer *flight; /* the one request under way */
    bool stale;              /* the tenant was set up anew under the flight */
    struct oauth_request request;
    unsigned failures; /* in a row */
    bool final;        /* a person must act, or trying again has not helped for long */
    int64_t next_try_ms;
    struct error error; /* of the last failure */
};

struct graph_tenant {
    struct graph_client *client;
    char *name;
    bool gone;         /* not in the configuration */
    char *fingerprint; /* of what tokens depend on: a change drops them */
    char *graph_url;
    const struct anchors *anchors;
    struct oauth_provider *provider;
    unsigned max_concurrent;
    struct sched_tenant sched;
    struct token token;
    struct graph_tenant *next;
};

struct graph_user {
    struct graph_client *client;
    struct graph_tenant *tenant;
    char *mailbox;
    unsigned refs;
    struct sched_user sched;
};

enum call_state { CALL_QUEUED, CALL_RUNNING, CALL_ENDING, CALL_ENDED };

struct graph_call {
    struct sched_item item; /* first: the scheduler hands it back */
    struct graph_client *client;
    struct graph_user *user;
    struct graph_request request; /* its strings are `path`, … below */
    char *path, *link, *upload, *payload, *payload_type, *range, *prefer;
    size_t payload_len;
    struct graph_sink sink;
    enum call_state state;
    unsigned refs;           /* the owner's, and the machinery's until it ended */
    atomic_bool abandoned;   /* the owner freed it */
    atomic_bool sink_failed; /* sink_error says why */
    struct error sink_error;
    bool canceled;    /* by graph_client_cancel_all() */
    bool in_callback; /* the disk worker is inside sink or done */
    bool renewed;     /* a token was renewed for it once */
    unsigned tries;
    int64_t began_ms; /* the attempt under way, monotonic */
    uint64_t token_generation;
    struct error last;    /* of the attempt before */
    struct error outcome; /* kind NONE: a 2xx answer */
    int status;
    struct buf body;
    struct wait_list waiters;
    struct graph_call *prev, *next; /* the client's list of calls */
    /* Of the upstream thread alone: */
    struct transfer *transfer;
    struct buf head;  /* first bytes of a message, held back by the gate */
    bool passed;      /* the gate let it through */
    size_t delivered; /* bytes of this attempt behind the gate */
};

struct graph_client {
    struct graph_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t callback_left;
    pthread_t thread;
    struct upstream upstream; /* the upstream thread's, but for upstream_wake() */
    struct disk *disk;
    struct sched sched;
    struct graph_tenant *tenants;
    const struct sign_in_vault *vault; /* NULL: none */
    struct table *users; /* live as long as the client: their pauses outlive a session */
    struct graph_call *calls;
    struct anchors **anchors; /* every PEM text in use since the start: transfers point into it */
    size_t anchors_count;
    bool canceled;
    bool stopping;
    _Atomic uint64_t requests, tokens, throttled, retries;
};

/* call_end.c; all under the lock. */
void call_unref(struct graph_call *call);
/* Queues bytes for the sink; has it start anew before the next ones. */
void call_deliver(struct graph_call *call, const void *data, size_t len);
void call_restart(struct graph_call *call);
/* Ends a call that is in no queue, holds no slot and has no transfer; `e` NULL: success. */
void call_end(struct graph_call *call, const struct error *e);
/* The same for a write that was sent and whose answer is lost. */
void call_end_unknown(struct graph_call *call, const struct error *cause);
/* The same as canceled. */
void call_refuse(struct graph_call *call, const char *why);
/* What to say of a call that could not start inside its deadline. */
void call_expire(struct graph_call *call, int64_t now_ms);

/* tenant.c; all under the lock but for one. */
struct graph_tenant *tenant_get(struct graph_client *c, const char *name);
/* Without the lock, which it takes once the files are read. */
bool tenant_configure(struct graph_client *c, const struct config *config, struct error *e);
void tenant_free_all(struct graph_client *c);
/* Starts the token requests that are due and says which tenants may start calls. */
void tenant_step(struct graph_client *c, int64_t now_ms);
/* When tenant_step() has something to do by time alone. */
int64_t tenant_wake_at(const struct graph_client *c, int64_t now_ms);
/* A 401 for a call that used this generation. True: try again with another token. */
bool tenant_token_refused(struct graph_tenant *t, uint64_t generation, int64_t now_ms);
void tenant_token_accepted(struct graph_tenant *t, uint64_t generation);
/* Marks the tokens that have less than a third of their life left. */
void tenant_renew_early(struct graph_client *c, int64_t now_ms);
/* The service stops: takes the token requests off. */
void tenant_cut_all(struct graph_client *c);

/* Ids that outlive moves, on every request (Graph page: Outlook immutable ids). */
#define GRAPH_PREFER_IMMUTABLE "IdType=\"ImmutableId\""

/* call.c; all under the lock but for the last. */
/* Does a link lead to the configured Graph? Else ERROR_ANSWER, logged. */
bool call_check_link(const struct graph_call *call, const char *link, struct error *e);
/* Sends a call that holds a slot on its way. */
void call_begin(struct graph_call *call);
/* Part of the call's answer says that the mailbox is throttled for so long. Without the lock. */
void call_pause_mailbox(struct graph_call *call, int64_t ms);

/* call_cut.c; all under the lock. */
/* Ends what is queued; running reads are cut, running writes go on to their end. */
void call_cancel_all(struct graph_client *c);
/* Cuts the running calls that are over their deadline or canceled. */
void call_cut_overdue(struct graph_client *c, int64_t now_ms);
/* The earliest deadline of a running call. */
int64_t call_next_deadline(const struct graph_client *c);
/* The service stops: takes every transfer off, ends everything. */
void call_cut_all(struct graph_client *c);

/* dispatch.c */
void *dispatch_main(void *client);

#endif
