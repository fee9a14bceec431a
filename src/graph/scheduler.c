#include "scheduler.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>

struct sched_key {
    const void *key;
    uint64_t served; /* the user's turn when it last got a slot or joined */
    unsigned items;  /* waiting and running; the last one takes the record along */
    struct sched_key *next;
};

/* A newcomer joins behind the keys that wait already: as if it had just been served. */
static struct sched_key *key_get(struct sched_user *u, const void *key)
{
    struct sched_key *k = u->keys;
    while (k && k->key != key)
        k = k->next;
    if (!k) {
        k = xcalloc(1, sizeof *k);
        k->key = key;
        k->served = ++u->turn;
        k->next = u->keys;
        u->keys = k;
    }
    k->items++;
    return k;
}

static void key_put(struct sched_user *u, struct sched_key *key)
{
    if (--key->items)
        return;
    struct sched_key **p = &u->keys;
    while (*p != key)
        p = &(*p)->next;
    *p = key->next;
    free(key);
}

static void user_link(struct sched *s, struct sched_user *u)
{
    u->prev = s->last;
    u->next = NULL;
    if (s->last)
        s->last->next = u;
    else
        s->first = u;
    s->last = u;
}

static void user_unlink(struct sched *s, struct sched_user *u)
{
    if (u->prev)
        u->prev->next = u->next;
    else
        s->first = u->next;
    if (u->next)
        u->next->prev = u->prev;
    else
        s->last = u->prev;
    u->prev = u->next = NULL;
}

void sched_put(struct sched *s, struct sched_item *item)
{
    struct sched_user *u = item->user;
    if (!u->first)
        user_link(s, u);
    item->key = key_get(u, item->fair_key);
    item->prev = u->last;
    item->next = NULL;
    if (u->last)
        u->last->next = item;
    else
        u->first = item;
    u->last = item;
    item->identity->waiting++;
}

/* Out of the queue, its key still counted. */
static void item_unlink(struct sched *s, struct sched_item *item)
{
    struct sched_user *u = item->user;
    if (item->prev)
        item->prev->next = item->next;
    else
        u->first = item->next;
    if (item->next)
        item->next->prev = item->prev;
    else
        u->last = item->prev;
    item->prev = item->next = NULL;
    item->identity->waiting--;
    if (!u->first)
        user_unlink(s, u);
}

void sched_remove(struct sched *s, struct sched_item *item)
{
    item_unlink(s, item);
    key_put(item->user, item->key);
    item->key = NULL;
}

static bool user_open(const struct sched_user *u, int64_t now_ms)
{
    const struct sched_tenant *t = u->tenant;
    return u->running < u->max && u->pause_until_ms <= now_ms && (!t->max || t->running < t->max);
}

/* An item that wants more slots than there ever are takes all of them. */
static unsigned slots_of(const struct sched_item *i)
{
    unsigned slots = i->slots ? i->slots : 1;
    return slots < i->user->max ? slots : i->user->max;
}

static struct sched_item *pick(const struct sched_user *u, bool background, int64_t now_ms)
{
    struct sched_item *best = NULL;
    for (struct sched_item *i = u->first; i; i = i->next) {
        if (i->background == background && i->not_before_ms <= now_ms && !i->identity->blocked &&
            (!best || i->key->served < best->key->served))
            best = i;
    }
    return best;
}

static struct sched_item *pick_any(const struct sched *s, bool background, int64_t now_ms)
{
    for (struct sched_user *u = s->first; u; u = u->next) {
        if (!user_open(u, now_ms))
            continue;
        /* What is interactive and has no room yet is not overtaken by background work. */
        struct sched_item *item = pick(u, false, now_ms);
        if (background && !item)
            item = pick(u, true, now_ms);
        if (item && u->running + slots_of(item) <= u->max)
            return item;
    }
    return NULL;
}

struct sched_item *sched_grant(struct sched *s, int64_t now_ms)
{
    struct sched_item *item = pick_any(s, false, now_ms);
    if (!item)
        item = pick_any(s, true, now_ms);
    if (!item)
        return NULL;
    struct sched_user *u = item->user;
    item->key->served = ++u->turn;
    item_unlink(s, item);
    if (u->first) {
        user_unlink(s, u);
        user_link(s, u);
    }
    item->held = slots_of(item);
    u->running += item->held;
    u->tenant->running++;
    return item;
}

void sched_release(struct sched_item *item)
{
    item->user->running -= item->held;
    item->user->tenant->running--;
    key_put(item->user, item->key);
    item->key = NULL;
}

/* The first moment at which time alone lets it start. */
static int64_t may_start_ms(const struct sched_item *i)
{
    int64_t pause = i->user->pause_until_ms;
    return i->not_before_ms > pause ? i->not_before_ms : pause;
}

struct sched_item *sched_expired(struct sched *s, int64_t now_ms)
{
    for (struct sched_user *u = s->first; u; u = u->next) {
        for (struct sched_item *i = u->first; i; i = i->next) {
            if (i->deadline_ms <= now_ms || may_start_ms(i) >= i->deadline_ms) {
                sched_remove(s, i);
                return i;
            }
        }
    }
    return NULL;
}

void sched_pause(struct sched_user *u, int64_t until_ms)
{
    if (u->pause_until_ms < until_ms)
        u->pause_until_ms = until_ms;
}

int64_t sched_wake_at(const struct sched *s, int64_t now_ms)
{
    int64_t at = CLOCK_NEVER;
    for (const struct sched_user *u = s->first; u; u = u->next) {
        for (const struct sched_item *i = u->first; i; i = i->next) {
            int64_t start = may_start_ms(i);
            if (start > now_ms && start < at)
                at = start;
            if (i->deadline_ms < at)
                at = i->deadline_ms;
        }
    }
    return at;
}

void sched_each(struct sched *s, const struct sched_user *only,
                void (*fn)(void *arg, struct sched_item *item), void *arg)
{
    struct sched_user *after;
    for (struct sched_user *u = s->first; u; u = after) {
        after = u->next;
        if (only && u != only)
            continue;
        struct sched_item *next;
        for (struct sched_item *i = u->first; i; i = next) {
            next = i->next;
            fn(arg, i);
        }
    }
}
