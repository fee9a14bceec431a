#include "counts.h"

#include "postern/base/alloc.h"
#include "postern/base/table.h"

#include <pthread.h>
#include <stdlib.h>

struct address_count {
    unsigned connections;
};

struct counts {
    pthread_mutex_t lock;
    unsigned total;
    struct table *addresses; /* address key → struct address_count */
};

struct counts *counts_new(void)
{
    struct counts *c = xcalloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->addresses = table_new();
    return c;
}

void counts_free(struct counts **c)
{
    if (!*c)
        return;
    table_free(&(*c)->addresses);
    pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

const char *counts_enter(struct counts *c, const struct config_limits *limits)
{
    pthread_mutex_lock(&c->lock);
    bool room = !limits->max_connections || c->total < limits->max_connections;
    if (room)
        c->total++;
    pthread_mutex_unlock(&c->lock);
    return room ? NULL : "max-connections";
}

const char *counts_enter_address(struct counts *c, const struct config_limits *limits,
                                 const char *key)
{
    unsigned max = limits->max_connections_per_address;
    pthread_mutex_lock(&c->lock);
    struct address_count *n = table_get(c->addresses, key);
    bool room = !max || !n || n->connections < max;
    if (room && !n) {
        n = xcalloc(1, sizeof *n);
        table_put(c->addresses, key, n);
    }
    if (room)
        n->connections++;
    pthread_mutex_unlock(&c->lock);
    return room ? NULL : "max-connections-per-address";
}

void counts_leave(struct counts *c, const char *key)
{
    pthread_mutex_lock(&c->lock);
    struct address_count *n = *key ? table_get(c->addresses, key) : NULL;
    if (n && --n->connections == 0) {
        table_remove(c->addresses, key);
        free(n);
    }
    c->total--;
    pthread_mutex_unlock(&c->lock);
}

unsigned counts_total(struct counts *c)
{
    pthread_mutex_lock(&c->lock);
    unsigned total = c->total;
    pthread_mutex_unlock(&c->lock);
    return total;
}
