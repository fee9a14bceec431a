#include "throttle.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

static struct throttle_slot *slot_of(struct throttle *t, const char *user)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->slots[i].user, user) == 0)
            return &t->slots[i];
    }
    t->slots = xreallocarray(t->slots, t->count + 1, sizeof *t->slots);
    t->slots[t->count] = (struct throttle_slot){.user = xstrdup(user)};
    return &t->slots[t->count++];
}

bool throttle_enter(struct throttle *t, const struct settings *s, struct journal *j,
                    const char *user)
{
    struct throttle_slot *slot = slot_of(t, user);
    int64_t now = clock_mono_ms();
    if (slot->told_ms != CLOCK_NEVER && now >= slot->told_ms + s->retry_grace_ms &&
        now < slot->until_ms)
        journal_violation(j, "retry-after",
                          "a request for %s came %lld ms before Retry-After had passed", user,
                          (long long)(slot->until_ms - now));
    if (slot->in_flight + 1 > slot->max_in_flight)
        slot->max_in_flight = slot->in_flight + 1;
    if (slot->in_flight >= s->max_concurrent) {
        journal_violation(j, "mailbox-concurrency",
                          "request number %lld at once for %s, where %lld are allowed",
                          (long long)slot->in_flight + 1, user, (long long)s->max_concurrent);
        return false;
    }
    slot->in_flight++;
    return true;
}

void throttle_leave(struct throttle *t, const char *user)
{
    slot_of(t, user)->in_flight--;
}

void throttle_told(struct throttle *t, const char *user, const char *retry_after)
{
    struct throttle_slot *slot = slot_of(t, user);
    int64_t now = clock_mono_ms();
    int64_t until = now + (int64_t)(strtod(retry_after, NULL) * 1000);
    if (until > slot->until_ms) {
        slot->told_ms = CLOCK_NEVER;
        slot->until_ms = until;
    }
}

void throttle_sent(struct throttle *t, const char *user)
{
    struct throttle_slot *slot = slot_of(t, user);
    if (slot->told_ms == CLOCK_NEVER)
        slot->told_ms = clock_mono_ms();
}

struct json_object *throttle_maxima_json(const struct throttle *t)
{
    struct json_object *o = json_object_new_object();
    for (size_t i = 0; i < t->count; i++)
        json_object_object_add(o, t->slots[i].user,
                               json_object_new_int64(t->slots[i].max_in_flight));
    return o;
}

void throttle_clear_maxima(struct throttle *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->slots[i].max_in_flight = t->slots[i].in_flight;
}

void throttle_free(struct throttle *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->slots[i].user);
    free(t->slots);
    *t = (struct throttle){0};
}
