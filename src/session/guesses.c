#include "guesses.h"

#include "throttle.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <pthread.h>
#include <stdlib.h>

#define DELAY_MAX_MS 30000 /* a longer one is not begun */
#define REMEMBERED   1000
#define LOCKOUT_MOST 1000000 /* of the setting lockout-failures */

/* One address that tries one login: a script with an old password slows only itself. */
static const struct throttle_policy pair_policy = {.free = 3,
                                                   .first_ms = 500,
                                                   .cap_ms = 15000,
                                                   .forget_ms = 60000,
                                                   .most = REMEMBERED,
                                                   .serial = true};
/* One address that tries many logins. Lenient: behind it may be a host full of scripts. */
static const struct throttle_policy address_policy = {.free = 30,
                                                      .first_ms = 250,
                                                      .cap_ms = 15000,
                                                      .forget_ms = 10000,
                                                      .most = REMEMBERED,
                                                      .serial = true};
/* One login tried from many addresses. Side by side: its owner must not queue behind them. */
static const struct throttle_policy login_policy = {
    .free = 20, .first_ms = 250, .cap_ms = 5000, .forget_ms = 20000, .most = REMEMBERED};
/* An address on its way to a lock-out. A failure a minute is forgotten as fast as it comes: a
 * broken script that polls each minute does not lock out the other scripts of its host. */
static const struct throttle_policy lockout_policy = {.forget_ms = 60000, .most = LOCKOUT_MOST};

struct guesses {
    pthread_mutex_t lock;
    struct throttle *pairs, *addresses, *logins, *lockouts;
};

struct guesses *guesses_new(void)
{
    struct guesses *g = xcalloc(1, sizeof *g);
    pthread_mutex_init(&g->lock, NULL);
    g->pairs = throttle_new(&pair_policy);
    g->addresses = throttle_new(&address_policy);
    g->logins = throttle_new(&login_policy);
    g->lockouts = throttle_new(&lockout_policy);
    return g;
}

void guesses_free(struct guesses **guesses)
{
    struct guesses *g = *guesses;
    *guesses = NULL;
    if (!g)
        return;
    throttle_free(&g->pairs);
    throttle_free(&g->addresses);
    throttle_free(&g->logins);
    throttle_free(&g->lockouts);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

bool guesses_locked(struct guesses *g, const struct guess *who)
{
    pthread_mutex_lock(&g->lock);
    bool locked = throttle_blocked(g->lockouts, who->address, clock_mono_ms());
    pthread_mutex_unlock(&g->lock);
    return locked;
}

int64_t guesses_delay(struct guesses *g, const struct guess *who)
{
    int64_t now = clock_mono_ms(), pair = 0;
    pthread_mutex_lock(&g->lock);
    int64_t ms = who->loopback ? 0 : throttle_admit(g->addresses, who->address, now, DELAY_MAX_MS);
    if (ms <= DELAY_MAX_MS)
        pair = throttle_admit(g->pairs, who->pair, now, DELAY_MAX_MS);
    pthread_mutex_unlock(&g->lock);
    if (pair > ms)
        ms = pair;
    return ms > DELAY_MAX_MS ? -1 : ms;
}

int64_t guesses_login_delay(struct guesses *g, const struct guess *who)
{
    pthread_mutex_lock(&g->lock);
    int64_t ms = throttle_admit(g->logins, who->name, clock_mono_ms(), DELAY_MAX_MS);
    pthread_mutex_unlock(&g->lock);
    return ms;
}

static bool count_locked(struct guesses *g, const struct guess *who,
                         const struct config_limits *limits, int64_t now)
{
    if (who->loopback || !limits->lockout_failures)
        return false;
    throttle_failed(g->lockouts, who->address, now);
    if (throttle_failures(g->lockouts, who->address, now) < limits->lockout_failures ||
        throttle_blocked(g->lockouts, who->address, now))
        return false;
    throttle_block(g->lockouts, who->address, now, now + limits->lockout_ms);
    return true;
}

bool guesses_failed(struct guesses *g, const struct guess *who, const struct config_limits *limits)
{
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&g->lock);
    if (!who->loopback)
        throttle_failed(g->addresses, who->address, now);
    throttle_failed(g->pairs, who->pair, now);
    throttle_failed(g->logins, who->name, now);
    bool locked = count_locked(g, who, limits, now);
    pthread_mutex_unlock(&g->lock);
    return locked;
}

bool guesses_too_many(struct guesses *g, const struct guess *who,
                      const struct config_limits *limits)
{
    pthread_mutex_lock(&g->lock);
    bool locked = count_locked(g, who, limits, clock_mono_ms());
    pthread_mutex_unlock(&g->lock);
    return locked;
}

void guesses_forgive(struct guesses *g, const struct guess *who)
{
    pthread_mutex_lock(&g->lock);
    throttle_forgive(g->pairs, who->pair, clock_mono_ms());
    pthread_mutex_unlock(&g->lock);
}
