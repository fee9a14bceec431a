/*
 * Exchange's limits per app and mailbox (Graph: throttling limits of the Outlook service): so many
 * requests at once, and nothing before Retry-After has passed. Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_THROTTLE_H
#define SANDBOX_THROTTLE_H

#include "journal.h"
#include "settings.h"

#include <stdint.h>

struct throttle_slot {
    char *user;
    int64_t in_flight;
    int64_t max_in_flight; /* also counts those that were refused */
    int64_t told_ms;  /* when Retry-After was last told, monotonic; CLOCK_NEVER: it is not out */
    int64_t until_ms; /* and until when it holds */
};

struct throttle {
    struct throttle_slot *slots;
    size_t count;
};

/* False: over the limit; nothing was entered. Records violations. */
bool throttle_enter(struct throttle *t, const struct settings *s, struct journal *j,
                    const char *user);
void throttle_leave(struct throttle *t, const char *user);
/* An answer to this mailbox bears Retry-After (seconds, perhaps with a fraction). */
void throttle_told(struct throttle *t, const char *user, const char *retry_after);
/* … and that answer is out: from now on the client may know. */
void throttle_sent(struct throttle *t, const char *user);
struct json_object *throttle_maxima_json(const struct throttle *t);
/* Forgets the maxima, not what is in flight. */
void throttle_clear_maxima(struct throttle *t);
void throttle_free(struct throttle *t);

#endif
