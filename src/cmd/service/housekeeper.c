#include "housekeeper.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define TURN_SECONDS 1
#define NOTE_TURNS   600 /* a session may last for weeks, and a machine may fail */

struct housekeeper {
    struct graph_client *graph;
    struct mailbox_registry *mailboxes;
    struct inventory *inventory;
    struct session_server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool stop;
};

/* Sleeps until the next turn; false when the service stops. */
static bool next_turn(struct housekeeper *h)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += TURN_SECONDS;
    pthread_mutex_lock(&h->lock);
    while (!h->stop && pthread_cond_timedwait(&h->woken, &h->lock, &until) == 0)
        continue;
    bool stop = h->stop;
    pthread_mutex_unlock(&h->lock);
    return !stop;
}

static void *run(void *arg)
{
    struct housekeeper *h = arg;
    for (unsigned turn = 1; next_turn(h); turn++) {
        mailbox_registry_tick(h->mailboxes);
        graph_client_renew_tokens(h->graph);
        inventory_tick(h->inventory);
        if (turn % NOTE_TURNS == 0)
            session_server_note_clients(h->server);
    }
    return NULL;
}

struct housekeeper *housekeeper_start(struct graph_client *graph,
                                      struct mailbox_registry *mailboxes,
                                      struct inventory *inventory, struct session_server *server,
                                      struct error *e)
{
    struct housekeeper *h = xcalloc(1, sizeof *h);
    pthread_condattr_t monotonic;
    h->graph = graph;
    h->mailboxes = mailboxes;
    h->inventory = inventory;
    h->server = server;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (thread_start(&h->thread, "housekeeper", THREAD_STACK_WORKER, run, h, e))
        return h;
    pthread_cond_destroy(&h->woken);
    pthread_mutex_destroy(&h->lock);
    free(h);
    return NULL;
}

void housekeeper_stop(struct housekeeper **keeper)
{
    struct housekeeper *h = *keeper;
    *keeper = NULL;
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->woken);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->woken);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
