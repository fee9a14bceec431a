#include "postern/base/table.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    void *value;
    uint64_t hash;
    char key[];
};

struct table {
    struct entry **slots;
    size_t slot_count; /* a power of two */
    size_t count;
    uint64_t seed;
};

struct table *table_new(void)
{
    struct table *t = xcalloc(1, sizeof *t);
    t->slot_count = 16;
    t->slots = xcalloc(t->slot_count, sizeof *t->slots);
    random_bytes(&t->seed, sizeof t->seed);
    return t;
}

void table_free(struct table **t)
{
    if (!*t)
        return;
    for (size_t i = 0; i < (*t)->slot_count; i++) {
        for (struct entry *e = (*t)->slots[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    }
    free((*t)->slots);
    free(*t);
    *t = NULL;
}

/* FNV-1a from a random start, mixed at the end so that low bits depend on all of them. */
static uint64_t hash_key(const struct table *t, const char *key)
{
    uint64_t h = 0xcbf29ce484222325u ^ t->seed;
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

static struct entry **find(const struct table *t, const char *key, uint64_t hash)
{
    struct entry **p = &t->slots[hash & (t->slot_count - 1)];
    while (*p && ((*p)->hash != hash || strcmp((*p)->key, key) != 0))
        p = &(*p)->next;
    return p;
}

static void grow(struct table *t)
{
    struct entry **old = t->slots;
    size_t old_count = t->slot_count;
    t->slot_count *= 2;
    t->slots = xcalloc(t->slot_count, sizeof *t->slots);
    for (size_t i = 0; i < old_count; i++) {
        for (struct entry *e = old[i], *next; e; e = next) {
            struct entry **slot = &t->slots[e->hash & (t->slot_count - 1)];
            next = e->next;
            e->next = *slot;
            *slot = e;
        }
    }
    free(old);
}

void *table_get(const struct table *t, const char *key)
{
    struct entry *e = *find(t, key, hash_key(t, key));
    return e ? e->value : NULL;
}

void *table_put(struct table *t, const char *key, void *value)
{
    uint64_t hash = hash_key(t, key);
    struct entry **slot = find(t, key, hash);
    if (*slot) {
        void *old = (*slot)->value;
        (*slot)->value = value;
        return old;
    }
    size_t len = strlen(key);
    struct entry *e = xmalloc(sizeof *e + len + 1);
    e->next = NULL;
    e->value = value;
    e->hash = hash;
    memcpy(e->key, key, len + 1);
    *slot = e;
    if (++t->count > t->slot_count)
        grow(t);
    return NULL;
}

void *table_remove(struct table *t, const char *key)
{
    struct entry **slot = find(t, key, hash_key(t, key));
    struct entry *e = *slot;
    if (!e)
        return NULL;
    void *value = e->value;
    *slot = e->next;
    free(e);
    t->count--;
    return value;
}

size_t table_count(const struct table *t)
{
    return t->count;
}

void table_each(const struct table *t, bool (*fn)(void *arg, const char *key, void *value),
                void *arg)
{
    for (size_t i = 0; i < t->slot_count; i++) {
        for (struct entry *e = t->slots[i]; e; e = e->next) {
            if (!fn(arg, e->key, e->value))
                return;
        }
    }
}
