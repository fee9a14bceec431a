/*
 * The insides of a client, from the bottom: call_end.c (how a call ends), tenant.c (settings),
 * identity.c (on whose behalf, the tokens), renewal.c (how a token comes), call.c (a call's
 * attempts), call_cut.c (ending calls from outside), exchange.c (single requests of sign_in.c),
 * dispatch.c (the upstream thread), user.c and client.c (what other threads call).
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
#include "postern/graph/sign_in.h"

#include <pthread.h>
#include <stdatomic.h>

/* A token, and what became of the last attempt to get one. */
struct token {
    char *value; /* NULL: none; secret */
    int64_t born_ms, expires_ms;
    uint64_t generation; /* counts tokens, so that a late 401 blames the right one */
    bool forced;         /* asked for after a 401 … */
    bool proven;         /* … and Graph took it once */
    bool force_next;
    char *refused;     /* by Graph: not to be taken from the vault again; NULL; secret */
    char *challenge;   /* claims that Graph wants, NULL: none */
    bool renew;        /* asked for though nothing waits */
    unsigned failures; /* in a row */
    bool final;        /* a person must act, or trying again has not helped for long */
    int64_t next_try_ms;
    int64_t ask_again_ms; /* the server, though what is shown to it is what it refused */
    bool watched;         /* that is in the vault or a file, in this version */
    uint64_t shown;
    struct error error; /* of the last failure */
};

/* On whose behalf Graph is asked: the application of a tenant itself, a person whose sign-in is
 * stored, or a client that brought its own token. */
struct graph_identity {
    struct graph_tenant *tenant;
    char *key;
    char *account; /* NULL: not a person's stored sign-in */
    char *subject; /* NULL: no client's own token */
    unsigned users;
    struct sched_identity sched;
    struct token token;
    enum graph_identity_state state;
    struct renewal *renewal; /* under way, NULL: none */
    char *refresh_token;     /* newer than the vault's, which could not be written (then the version
                                that it had is `refresh_over`), or that of no vault; secret */
    uint64_t refresh_over;
    struct graph_identity *next;
};

struct graph_tenant {
    struct graph_client *client;
    char *name;
    bool gone;         /* not in the configuration */
    char *fingerprint; /* of what tokens depend on: a change drops them */
    char *graph_url;
    char *tenant_id; /* GUID or domain; NULL: that of a managed identity */
    const struct anchors *anchors;
    struct oauth_provider *provider;
    unsigned max_concurrent;
    struct sched_tenant sched;
    struct graph_tenant *next;
};

/* The slots of a mailbox, shared by all identities that open it. */
struct graph_box {
    char *key;
    struct graph_tenant *tenant;
    unsigned users;
    struct sched_user sched;
};

struct graph_user {
    struct graph_client *client;
    struct graph_tenant *tenant;
    struct graph_identity *identity;
    struct graph_box *box;
    char *key;
    char *mailbox;
    unsigned refs;
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
    struct graph_identity *identities;
    const struct sign_in_vault *vault; /* NULL: none */
    struct table *users; /* live as long as the client: their pauses outlive a session */
    struct table *boxes;
    struct exchange *exchanges;
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

/* user.c; under the lock. */
void user_free_all(struct graph_client *c);
/* The caller had a reference. */
void user_release(struct graph_user *u);

/* tenant.c; all under the lock but for one. */
struct graph_tenant *tenant_get(struct graph_client *c, const char *name);
/* Without the lock, which it takes once the files are read. */
bool tenant_configure(struct graph_client *c, const struct config *config, struct error *e);
void tenant_free_all(struct graph_client *c);

/* identity.c; all under the lock. */
struct graph_identity *identity_get(struct graph_client *c, const struct principal *who);
/* The token of a client's own. */
void identity_bring(struct graph_identity *i, const char *bearer);
void identity_free(struct graph_identity *i);
void identity_free_all(struct graph_client *c);
/* The tenant was set up anew: `changed` drops its tokens, else what failed is tried again. */
void identity_reconfigure(struct graph_tenant *t, bool changed);
/* Starts and ends what is due, and says which identities may start calls. */
void identity_step(struct graph_client *c, int64_t now_ms);
/* When identity_step() has something to do by time alone. */
int64_t identity_wake_at(const struct graph_client *c, int64_t now_ms);
/* A 401 for a call that used this generation, with a claims challenge or NULL. True: try again with
 * another token; else `e` may be replaced by what to say. */
bool identity_refused(struct graph_identity *i, uint64_t generation, const char *challenge,
                      int64_t now_ms, struct error *e);
void identity_accepted(struct graph_identity *i, uint64_t generation);
/* Marks the tokens that have less than a third of their life left. */
void identity_renew_early(struct graph_client *c, int64_t now_ms);
/* The service stops: takes the token requests off. */
void identity_cut_all(struct graph_client *c);

/* Outcomes of a renewal, told by renewal.c. */
void identity_granted(struct graph_identity *i, const char *access, int64_t lifetime_ms,
                      bool asked);
struct refusal {
    struct error error;
    bool transient;   /* trying again can help */
    bool patient;     /* more often than usual */
    bool ended;       /* only a new version of what is shown can */
    int64_t retry_ms; /* not sooner; 0: nothing said */
    bool watched;     /* what was shown stands on the disk, in this version */
    uint64_t shown;
};
void identity_failed(struct graph_identity *i, const struct refusal *r);
/* Nothing new: what was refused would be shown again. */
void identity_unchanged(struct graph_identity *i);
/* Not now: another process is at it. */
void identity_postponed(struct graph_identity *i);

/* renewal.c: one attempt of an identity to get a token; all under the lock. */
void renewal_start(struct graph_identity *i);
/* Goes on where the disk worker has come back. */
void renewal_step(struct renewal *r);
/* The tenant was set up anew: what comes out is not taken. */
void renewal_outdate(struct renewal *r);
/* Takes its request off; what must be written is written by the disk worker. */
void renewal_cut(struct renewal *r);
/* Once the disk worker has stopped. */
void renewal_free(struct renewal *r);

/* exchange.c: a request of a thread that waits for it; under the lock. */
void exchange_step(struct graph_client *c);
void exchange_cut_all(struct graph_client *c);

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
