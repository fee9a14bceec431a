#include "claims.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* A delta tells of what was made with some delay: so long a claim outlives the commands during
 * which it was made. */
#define KEEP_MS ((int64_t)15 * 60 * CLOCK_SECOND)

struct claim {
    struct claim *next; /* a later one */
    int64_t made_ms;
    char id[];
};

struct claims {
    pthread_mutex_t lock;
    struct table *ids; /* id → claim */
    struct claim *first, **end;
    struct claims_command *commands;
    struct claims_request *requests; /* under way */
    uint64_t last;                   /* number of the last one that was sent */
    struct wait_list waiters;        /* for requests to end */
};

struct claims *claims_new(void)
{
    struct claims *c = xcalloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->ids = table_new();
    c->end = &c->first;
    return c;
}

static void drop_first(struct claims *c)
{
    struct claim *old = c->first;
    table_remove(c->ids, old->id);
    c->first = old->next;
    if (!c->first)
        c->end = &c->first;
    free(old);
}

void claims_free(struct claims **c)
{
    if (!*c)
        return;
    while ((*c)->first)
        drop_first(*c);
    table_free(&(*c)->ids);
    wait_list_free(&(*c)->waiters);
    pthread_mutex_destroy(&(*c)->lock);
    free(*c);
    *c = NULL;
}

/* ---- commands ---- */

void claims_begin(struct claims *c, struct claims_command *command)
{
    pthread_mutex_lock(&c->lock);
    command->began_ms = clock_mono_ms();
    command->next = c->commands;
    c->commands = command;
    pthread_mutex_unlock(&c->lock);
}

void claims_end(struct claims *c, struct claims_command *command)
{
    pthread_mutex_lock(&c->lock);
    struct claims_command **at = &c->commands;
    while (*at != command)
        at = &(*at)->next;
    *at = command->next;
    pthread_mutex_unlock(&c->lock);
}

static void drop_old(struct claims *c)
{
    int64_t before = clock_mono_ms();
    for (const struct claims_command *command = c->commands; command; command = command->next)
        before = command->began_ms < before ? command->began_ms : before;
    while (c->first && c->first->made_ms < before - KEEP_MS)
        drop_first(c);
}

static bool put(struct claims *c, const char *id)
{
    if (table_get(c->ids, id))
        return false;
    drop_old(c);
    size_t size = strlen(id) + 1;
    struct claim *claim = xcalloc(1, sizeof *claim + size);
    claim->made_ms = clock_mono_ms();
    memcpy(claim->id, id, size);
    table_put(c->ids, id, claim);
    *c->end = claim;
    c->end = &claim->next;
    return true;
}

/* ---- requests ---- */

void claims_sent(struct claims *c, struct claims_request *r, const char *folder_id)
{
    pthread_mutex_lock(&c->lock);
    *r = (struct claims_request){.folder_id = folder_id, .number = ++c->last, .next = c->requests};
    c->requests = r;
    pthread_mutex_unlock(&c->lock);
}

void claims_answered(struct claims *c, struct claims_request *r, const char *id)
{
    pthread_mutex_lock(&c->lock);
    struct claims_request **at = &c->requests;
    while (*at && *at != r)
        at = &(*at)->next;
    if (*at)
        *at = r->next;
    r->folder_id = NULL;
    if (id)
        put(c, id);
    wait_list_notify_all(&c->waiters);
    pthread_mutex_unlock(&c->lock);
}

/* ---- looking ---- */

static bool is_under_way(const struct claims *c, const char *folder_id, uint64_t last)
{
    for (const struct claims_request *r = c->requests; r; r = r->next)
        if (r->number <= last && strcmp(r->folder_id, folder_id) == 0)
            return true;
    return false;
}

bool claims_settle(struct claims *c, const char *folder_id, struct wait *w, struct error *e)
{
    bool ok = true;
    pthread_mutex_lock(&c->lock);
    uint64_t last = c->last;
    wait_list_add(&c->waiters, w);
    while (ok && is_under_way(c, folder_id, last)) {
        pthread_mutex_unlock(&c->lock);
        ok = wait_sleep(w, e);
        pthread_mutex_lock(&c->lock);
    }
    wait_list_remove(&c->waiters, w);
    pthread_mutex_unlock(&c->lock);
    return ok;
}

bool claims_has(struct claims *c, const char *id)
{
    pthread_mutex_lock(&c->lock);
    bool has = table_get(c->ids, id) != NULL;
    pthread_mutex_unlock(&c->lock);
    return has;
}

bool claims_take(struct claims *c, const char *id)
{
    pthread_mutex_lock(&c->lock);
    bool taken = put(c, id);
    pthread_mutex_unlock(&c->lock);
    return taken;
}
