#include "throttle.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <stdlib.h>
#include <string.h>

#define SETS    4096 /* a power of two; with WAYS and 40 bytes each: 640 KB */
#define WAYS    4
#define KEY_MAX 1024 /* longer keys are told apart by their first bytes only */
#define SEED    16

struct slot {
    uint64_t tag;       /* of the key, 0: empty */
    int64_t since_ms;   /* from when failures fade */
    int64_t next_ms;    /* serial: when the next attempt may be made */
    int64_t blocked_ms; /* until when */
    unsigned failures;
};

struct throttle {
    const struct throttle_policy *policy;
    struct slot *slots;
    uint8_t seed[SEED]; /* so that nobody can aim at a set */
};

struct throttle *throttle_new(const struct throttle_policy *policy)
{
    struct throttle *t = xcalloc(1, sizeof *t);
    t->policy = policy;
    t->slots = xcalloc((size_t)SETS * WAYS, sizeof *t->slots);
    random_bytes(t->seed, sizeof t->seed);
    return t;
}

void throttle_free(struct throttle **t)
{
    if (*t)
        free((*t)->slots);
    free(*t);
    *t = NULL;
}

static uint64_t tag_of(const struct throttle *t, const char *key)
{
    uint8_t text[SEED + KEY_MAX], digest[SHA256_SIZE];
    size_t len = strnlen(key, KEY_MAX);
    uint64_t tag;
    memcpy(text, t->seed, SEED);
    memcpy(text + SEED, key, len);
    sha256(text, SEED + len, digest);
    memcpy(&tag, digest, sizeof tag);
    return tag ? tag : 1;
}

static void fade(const struct throttle *t, struct slot *s, int64_t now)
{
    int64_t forgotten = (now - s->since_ms) / t->policy->forget_ms;
    if (forgotten <= 0)
        return;
    s->failures = forgotten >= s->failures ? 0 : s->failures - (unsigned)forgotten;
    s->since_ms += forgotten * t->policy->forget_ms;
}

static struct slot *find(const struct throttle *t, uint64_t tag, int64_t now)
{
    struct slot *set = &t->slots[(tag & (SETS - 1)) * WAYS];
    for (int i = 0; i < WAYS; i++) {
        if (set[i].tag == tag) {
            fade(t, &set[i], now);
            return &set[i];
        }
    }
    return NULL;
}

/* The slot of a new key: an empty one, else that of whoever failed least. */
static struct slot *claim(const struct throttle *t, uint64_t tag, int64_t now)
{
    struct slot *set = &t->slots[(tag & (SETS - 1)) * WAYS];
    struct slot *least = &set[0];
    for (int i = 0; i < WAYS; i++) {
        fade(t, &set[i], now);
        if (set[i].failures < least->failures)
            least = &set[i];
    }
    *least = (struct slot){.tag = tag, .since_ms = now};
    return least;
}

static int64_t delay_of(const struct throttle_policy *p, unsigned failures)
{
    int64_t delay = p->first_ms;
    if (failures <= p->free)
        return 0;
    for (unsigned n = failures - p->free; n > 1 && delay < p->cap_ms; n--)
        delay *= 2;
    return delay < p->cap_ms ? delay : p->cap_ms;
}

int64_t throttle_admit(struct throttle *t, const char *key, int64_t now, int64_t most_ms)
{
    struct slot *s = find(t, tag_of(t, key), now);
    int64_t delay = s ? delay_of(t->policy, s->failures) : 0;
    if (delay == 0 || !t->policy->serial)
        return delay;
    int64_t due = (s->next_ms > now ? s->next_ms : now) + delay;
    if (due - now <= most_ms)
        s->next_ms = due;
    return due - now;
}

void throttle_failed(struct throttle *t, const char *key, int64_t now)
{
    uint64_t tag = tag_of(t, key);
    struct slot *s = find(t, tag, now);
    if (!s)
        s = claim(t, tag, now);
    if (s->failures == 0)
        s->since_ms = now;
    if (s->failures < t->policy->most)
        s->failures++;
}

unsigned throttle_failures(struct throttle *t, const char *key, int64_t now)
{
    const struct slot *s = find(t, tag_of(t, key), now);
    return s ? s->failures : 0;
}

void throttle_block(struct throttle *t, const char *key, int64_t now, int64_t until_ms)
{
    struct slot *s = find(t, tag_of(t, key), now);
    if (s)
        s->blocked_ms = until_ms;
}

bool throttle_blocked(struct throttle *t, const char *key, int64_t now)
{
    const struct slot *s = find(t, tag_of(t, key), now);
    return s && s->blocked_ms > now;
}

void throttle_forgive(struct throttle *t, const char *key, int64_t now)
{
    struct slot *s = find(t, tag_of(t, key), now);
    if (s)
        memset(s, 0, sizeof *s);
}
