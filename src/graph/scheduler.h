/*
 * Who may start next. Decisions only: no threads, no clock of its own, no I/O; the caller locks
 * and says what time it is, so that tests drive it.
 *
 * A mailbox has `max` slots, of which an item may take several, whoever asks for it; a tenant may
 * have a cap on the items of all its mailboxes; what an identity without a token wants waits and is
 * in nobody's way. Interactive calls go before background ones; inside a mailbox slots go round
 * between the fair keys, each key first come, first served; mailboxes take turns too. A pause
 * (Retry-After) holds the whole mailbox.
 */
#ifndef POSTERN_SRC_GRAPH_SCHEDULER_H
#define POSTERN_SRC_GRAPH_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

struct sched_key; /* private: who was served when */

struct sched_tenant {
    unsigned max; /* 0: no cap */
    unsigned running;
};

/* An identity: on whose behalf items are started. */
struct sched_identity {
    unsigned waiting;
    bool blocked; /* no token at hand: nothing of it starts */
};

struct sched_item {
    struct sched_user *user;
    struct sched_identity *identity;
    const void *fair_key;
    bool background;
    unsigned slots;        /* of the mailbox that it takes, all if there are fewer; 0: one */
    int64_t not_before_ms; /* monotonic; 0: at once */
    int64_t deadline_ms;
    struct sched_key *key; /* the rest is the scheduler's */
    unsigned held;         /* slots */
    struct sched_item *prev, *next;
};

struct sched_user {
    struct sched_tenant *tenant;
    unsigned max;
    unsigned running;
    int64_t pause_until_ms; /* monotonic, 0: none */
    unsigned strikes;       /* throttled answers in a row; those to requests abreast are one */
    int64_t struck_ms;      /* when the last of them came, monotonic */
    struct sched_item *first, *last;
    struct sched_key *keys;
    uint64_t turn; /* counts grants and newcomers, orders the keys */
    struct sched_user *prev, *next;
};

struct sched {
    struct sched_user *first, *last; /* users with something waiting, longest unserved first */
};

/* Queues an item whose fields above `key` are set. */
void sched_put(struct sched *s, struct sched_item *item);
/* The next that may start now; it leaves the queue and holds its slots. NULL: none. One whose turn
 * it is and that needs more slots than are free keeps what comes behind it waiting. */
struct sched_item *sched_grant(struct sched *s, int64_t now_ms);
/* Gives the slots back. */
void sched_release(struct sched_item *item);
/* Takes an item out of the queue (not one that holds a slot). */
void sched_remove(struct sched *s, struct sched_item *item);
/* Takes out an item that can no longer start inside its deadline, NULL: none. */
struct sched_item *sched_expired(struct sched *s, int64_t now_ms);
/* Nothing of the mailbox starts before `until_ms`; a shorter pause does not shorten a longer. */
void sched_pause(struct sched_user *u, int64_t until_ms);
/* When sched_grant() or sched_expired() may next say something new by time alone;
 * CLOCK_NEVER: only an event can. */
int64_t sched_wake_at(const struct sched *s, int64_t now_ms);
/* Visits each queued item of a user, or of all with `u` NULL; the callback may remove it. */
void sched_each(struct sched *s, const struct sched_user *u,
                void (*fn)(void *arg, struct sched_item *item), void *arg);

#endif
