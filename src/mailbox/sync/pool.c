#include "pool.h"

#include "postern/base/alloc.h"
#include "postern/base/table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct interned {
    atomic_uint refs;
    char text[];
};

static const char nothing[] = "";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table *strings; /* guarded by `lock`; NULL while it is empty */

static struct interned *of_text(const char *text)
{
    return (struct interned *)(void *)((char *)text - offsetof(struct interned, text));
}

const char *pool_intern(const char *text)
{
    if (!*text)
        return nothing;
    pthread_mutex_lock(&lock);
    if (!strings)
        strings = table_new();
    struct interned *s = table_get(strings, text);
    if (s) {
        atomic_fetch_add(&s->refs, 1);
    } else {
        size_t size = strlen(text) + 1;
        s = xmalloc(sizeof *s + size);
        atomic_init(&s->refs, 1);
        memcpy(s->text, text, size);
        table_put(strings, text, s);
    }
    pthread_mutex_unlock(&lock);
    return s->text;
}

const char *pool_ref(const char *interned)
{
    if (interned != nothing)
        atomic_fetch_add(&of_text(interned)->refs, 1);
    return interned;
}

/* The last reference goes under the lock, so that pool_intern() never finds a string that is about
 * to be freed. */
static void drop_last(struct interned *s)
{
    pthread_mutex_lock(&lock);
    if (atomic_fetch_sub(&s->refs, 1) == 1) {
        table_remove(strings, s->text);
        free(s);
        if (table_count(strings) == 0)
            table_free(&strings);
    }
    pthread_mutex_unlock(&lock);
}

void pool_unref(const char *interned)
{
    if (interned == nothing)
        return;
    struct interned *s = of_text(interned);
    unsigned refs = atomic_load(&s->refs);
    while (refs > 1)
        if (atomic_compare_exchange_weak(&s->refs, &refs, refs - 1))
            return;
    drop_last(s);
}
