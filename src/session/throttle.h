/*
 * Growing delays against guessing, in fixed memory.
 *
 * Each key (an address, a login, both together) has a count of failures, which fade with time.
 * Above what is free, each further attempt waits twice as long as the one before, up to a cap. A
 * key may also be blocked for a while.
 * The table never grows: where millions of addresses come, those with the fewest failures are
 * forgotten first. Time is passed in. Not locked.
 */
#ifndef SESSION_THROTTLE_H
#define SESSION_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

struct throttle_policy {
    unsigned free;     /* failures without any delay */
    int64_t first_ms;  /* the first delay */
    int64_t cap_ms;    /* the longest */
    int64_t forget_ms; /* one failure is forgotten in this time */
    unsigned most;     /* failures that are remembered of a key */
    bool serial;       /* attempts wait one behind the other, not side by side */
};

struct throttle;

/* `policy` must outlive it. */
struct throttle *throttle_new(const struct throttle_policy *policy);
void throttle_free(struct throttle **t);
/* How long an attempt that comes now must wait, in milliseconds; a serial one has taken its place
 * in the queue. A wait above `most_ms` is told without taking a place. */
int64_t throttle_admit(struct throttle *t, const char *key, int64_t now, int64_t most_ms);
void throttle_failed(struct throttle *t, const char *key, int64_t now);
/* Those that are not forgotten yet. */
unsigned throttle_failures(struct throttle *t, const char *key, int64_t now);
/* Blocks a key that has failed. */
void throttle_block(struct throttle *t, const char *key, int64_t now, int64_t until_ms);
bool throttle_blocked(struct throttle *t, const char *key, int64_t now);
/* The key has proved itself: its failures are forgotten. */
void throttle_forgive(struct throttle *t, const char *key, int64_t now);

#endif
