#include "gate.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_CHECKS_MAX 64

struct session_gate {
    struct mailbox_registry *mailboxes;
    struct guesses *guesses;
    struct hasher *hasher;
    pthread_mutex_t lock; /* guards what follows */
    struct config *config;
    struct success_cache *successes; /* but for its key */
    struct table *sessions;          /* whose they are → struct session_count */
    unsigned token_checks;
    char dummy[HASHER_SETTING_SIZE];
};

struct session_count {
    unsigned sessions;
};

struct session_gate *session_gate_new(struct mailbox_registry *mailboxes)
{
    struct session_gate *g = xcalloc(1, sizeof *g);
    pthread_mutex_init(&g->lock, NULL);
    g->mailboxes = mailboxes;
    g->guesses = guesses_new();
    g->successes = success_new();
    g->sessions = table_new();
    g->hasher = hasher_new(0);
    return g;
}

void session_gate_free(struct session_gate **gate)
{
    struct session_gate *g = *gate;
    if (!g)
        return;
    config_unref(&g->config);
    guesses_free(&g->guesses);
    success_free(&g->successes);
    table_free(&g->sessions);
    hasher_free(&g->hasher);
    pthread_mutex_destroy(&g->lock);
    free(g);
    *gate = NULL;
}

void session_gate_configure(struct session_gate *g, struct config *config)
{
    char dummy[HASHER_SETTING_SIZE];
    const char *like = NULL;
    for (size_t i = 0; !like && i < config->login_count; i++)
        like = config->logins[i].password;
    hasher_dummy(like, dummy);
    pthread_mutex_lock(&g->lock);
    struct config *old = g->config;
    g->config = config_ref(config);
    memcpy(g->dummy, dummy, sizeof g->dummy);
    pthread_mutex_unlock(&g->lock);
    config_unref(&old);
}

struct mailbox_registry *gate_mailboxes(const struct session_gate *g)
{
    return g->mailboxes;
}

struct guesses *gate_guesses(const struct session_gate *g)
{
    return g->guesses;
}

struct hasher *gate_hasher(const struct session_gate *g)
{
    return g->hasher;
}

const struct success_cache *gate_successes(const struct session_gate *g)
{
    return g->successes;
}

struct config *gate_config(struct session_gate *g)
{
    pthread_mutex_lock(&g->lock);
    struct config *config = config_ref(g->config);
    pthread_mutex_unlock(&g->lock);
    return config;
}

void gate_dummy(struct session_gate *g, char out[HASHER_SETTING_SIZE])
{
    pthread_mutex_lock(&g->lock);
    memcpy(out, g->dummy, HASHER_SETTING_SIZE);
    pthread_mutex_unlock(&g->lock);
}

bool gate_remembers(struct session_gate *g, const uint8_t mac[SUCCESS_MAC])
{
    pthread_mutex_lock(&g->lock);
    bool known = success_known(g->successes, mac, clock_mono_ms());
    pthread_mutex_unlock(&g->lock);
    return known;
}

void gate_remember(struct session_gate *g, const uint8_t mac[SUCCESS_MAC])
{
    pthread_mutex_lock(&g->lock);
    success_remember(g->successes, mac, clock_mono_ms());
    pthread_mutex_unlock(&g->lock);
}

bool gate_begin_token_check(struct session_gate *g)
{
    pthread_mutex_lock(&g->lock);
    bool room = g->token_checks < TOKEN_CHECKS_MAX;
    g->token_checks += room;
    pthread_mutex_unlock(&g->lock);
    return room;
}

void gate_end_token_check(struct session_gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->token_checks--;
    pthread_mutex_unlock(&g->lock);
}

bool gate_count_in(struct session_gate *g, const char *who, unsigned max)
{
    pthread_mutex_lock(&g->lock);
    struct session_count *n = table_get(g->sessions, who);
    bool room = !max || !n || n->sessions < max;
    if (room && !n) {
        n = xcalloc(1, sizeof *n);
        table_put(g->sessions, who, n);
    }
    if (room)
        n->sessions++;
    pthread_mutex_unlock(&g->lock);
    return room;
}

void gate_count_out(struct session_gate *g, const char *who)
{
    pthread_mutex_lock(&g->lock);
    struct session_count *n = table_get(g->sessions, who);
    if (--n->sessions == 0) {
        table_remove(g->sessions, who);
        free(n);
    }
    pthread_mutex_unlock(&g->lock);
}
