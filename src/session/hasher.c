#include "hasher.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <crypt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#define QUEUE_MAX   256
#define GROUP_MAX   32 /* waiting of one group: a host whose scripts all begin at once */
#define GROUP_SIZE  128
#define METHOD_MAX  64
#define DEFAULT_KDF "$y$" /* yescrypt, what `postern passwd` makes */

struct turn {
    struct turn *next;
    char group[GROUP_SIZE];
    struct wait *wait;
    bool granted;
};

struct hasher {
    pthread_mutex_t lock;
    unsigned slots;
    unsigned waiting_count;
    struct turn *waiting; /* oldest first */
    struct turn *running;
    unsigned running_count;
    char last[GROUP_SIZE]; /* the group served last, so that on one core they take turns */
};

struct hasher *hasher_new(unsigned slots)
{
    struct hasher *h = xcalloc(1, sizeof *h);
    int cores = get_nprocs();
    pthread_mutex_init(&h->lock, NULL);
    h->slots = slots ? slots : cores > 0 ? (unsigned)cores : 1;
    return h;
}

void hasher_free(struct hasher **h)
{
    if (*h)
        pthread_mutex_destroy(&(*h)->lock);
    free(*h);
    *h = NULL;
}

static void append(struct turn **list, struct turn *t)
{
    while (*list)
        list = &(*list)->next;
    t->next = NULL;
    *list = t;
}

static void take_out(struct turn **list, const struct turn *t)
{
    while (*list != t)
        list = &(*list)->next;
    *list = t->next;
}

static unsigned count_group(const struct turn *list, const char *group)
{
    unsigned n = 0;
    for (; list; list = list->next)
        n += strcmp(list->group, group) == 0;
    return n;
}

/* The oldest whose group is not running, of another group than the last if there is one. */
static struct turn *choose(const struct hasher *h)
{
    struct turn *same = NULL;
    for (struct turn *t = h->waiting; t; t = t->next) {
        if (count_group(h->running, t->group))
            continue;
        if (strcmp(t->group, h->last) != 0)
            return t;
        if (!same)
            same = t;
    }
    return same;
}

static void grant(struct hasher *h)
{
    struct turn *t;
    while (h->running_count < h->slots && (t = choose(h))) {
        take_out(&h->waiting, t);
        h->waiting_count--;
        append(&h->running, t);
        h->running_count++;
        memcpy(h->last, t->group, sizeof h->last);
        t->granted = true;
        wait_notify(t->wait);
    }
}

static bool enter(struct hasher *h, struct turn *t)
{
    pthread_mutex_lock(&h->lock);
    bool room = h->waiting_count < QUEUE_MAX && count_group(h->waiting, t->group) < GROUP_MAX;
    if (room) {
        append(&h->waiting, t);
        h->waiting_count++;
        grant(h);
    }
    pthread_mutex_unlock(&h->lock);
    return room;
}

/* Leaves the queue, or gives the place back. */
static void leave(struct hasher *h, struct turn *t)
{
    pthread_mutex_lock(&h->lock);
    if (t->granted) {
        take_out(&h->running, t);
        h->running_count--;
    } else {
        take_out(&h->waiting, t);
        h->waiting_count--;
    }
    grant(h);
    pthread_mutex_unlock(&h->lock);
}

static bool await(struct hasher *h, struct turn *t)
{
    for (;;) {
        struct error ended = ERROR_INIT;
        pthread_mutex_lock(&h->lock);
        bool granted = t->granted;
        pthread_mutex_unlock(&h->lock);
        if (granted)
            return true;
        if (!wait_sleep(t->wait, &ended))
            return false;
    }
}

/* crypt(3) with its 32 KB of state on the heap: session threads have small stacks. */
static bool matches(const char *password, const char *hash)
{
    struct crypt_data *data = xcalloc(1, sizeof *data);
    const char *got = crypt_r(password, hash, data);
    bool ok = got && got[0] != '*' && secret_equal(got, strlen(got), hash, strlen(hash));
    explicit_bzero(data, sizeof *data);
    free(data);
    return ok;
}

enum hasher_result hasher_check(struct hasher *h, const char *group, const char *password,
                                const char *hash, struct wait *w)
{
    struct turn t = {.wait = w};
    snprintf(t.group, sizeof t.group, "%s", group);
    if (!enter(h, &t))
        return HASHER_BUSY;
    enum hasher_result result = HASHER_ENDED;
    if (await(h, &t))
        result = matches(password, hash) ? HASHER_MATCH : HASHER_MISMATCH;
    leave(h, &t);
    return result;
}

/* Length of the part of a hash that says method and cost: "$y$j9T$", "$6$rounds=5000$". */
static size_t method_length(const char *hash)
{
    const char *id = hash[0] == '$' ? strchr(hash + 1, '$') : NULL;
    if (!id)
        return 0;
    bool has_cost = strncmp(hash, "$y$", 3) == 0 || strncmp(hash, "$gy$", 4) == 0 ||
                    strncmp(hash, "$2", 2) == 0 || strncmp(id, "$rounds=", 8) == 0;
    const char *cost = has_cost ? strchr(id + 1, '$') : NULL;
    return (size_t)((cost ? cost : id) - hash) + 1;
}

bool hasher_dummy(const char *like, char out[HASHER_SETTING_SIZE])
{
    uint8_t bytes[16];
    size_t method = like ? method_length(like) : 0;
    char *made;
    /* 22 characters of salt, as bcrypt needs; the other methods take as many or fewer. The last
     * one is '.', since bcrypt and yescrypt allow only some there. */
    random_bytes(bytes, sizeof bytes);
    if (method && method < METHOD_MAX) {
        hex_encode(bytes, sizeof bytes, out);
        made = xasprintf("%.*s%.21s.$", (int)method, like, out);
    } else {
        char *setting = crypt_gensalt_ra(DEFAULT_KDF, 0, NULL, 0);
        made = setting ? xstrdup(setting) : xstrdup("");
        free(setting);
    }
    snprintf(out, HASHER_SETTING_SIZE, "%s", made);
    free(made);
    return out[0] != '\0';
}
