#include "postern/session/login.h"

#include "address.h"
#include "hasher.h"
#include "success.h"
#include "throttle.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/base/table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DELAY_MAX_MS  30000 /* a longer one is refused at once as busy: */
#define BUSY_DELAY_MS 2000  /* after this pause, so that asking again is not cheaper */
#define NAME_LOGGED   64

/* One address that tries one login: a script with an old password slows only itself. */
static const struct throttle_policy pair_policy = {
    .free = 3, .first_ms = 500, .cap_ms = 15000, .forget_ms = 60000, .serial = true};
/* One address that tries many logins. Lenient: behind it may be a host full of scripts. Loopback is
 * exempt: there an address says nothing of who is who, and one broken script must not keep the
 * others of its host waiting. */
static const struct throttle_policy address_policy = {
    .free = 30, .first_ms = 250, .cap_ms = 15000, .forget_ms = 10000, .serial = true};
/* One login tried from many addresses. Side by side: its owner must not queue behind them. */
static const struct throttle_policy login_policy = {
    .free = 20, .first_ms = 250, .cap_ms = 5000, .forget_ms = 20000, .serial = false};

struct session_gate {
    pthread_mutex_t lock;
    struct config *config;
    struct throttle *pairs;
    struct throttle *addresses;
    struct throttle *logins;
    struct success_cache *successes;
    struct table *sessions; /* login name → struct session_count */
    struct hasher *hasher;
    char dummy[HASHER_SETTING_SIZE];
};

struct session_count {
    unsigned sessions;
};

struct session_ticket {
    struct session_gate *gate;
    struct config *config;
    const struct config_login *login; /* inside config */
    struct principal principal;
};

/* One attempt on its way through the checks. */
struct attempt {
    struct session_conn *conn;
    struct session_gate *gate;
    struct config *config;
    const struct config_login *login; /* NULL: no such login */
    const char *name;
    const char *password;
    enum config_protocol protocol;
    const char *refusal; /* for the log: why policy says no; NULL: it does not */
    char address[ADDRESS_SIZE];
    bool loopback;
    char *pair;
};

struct session_gate *session_gate_new(void)
{
    struct session_gate *g = xcalloc(1, sizeof *g);
    pthread_mutex_init(&g->lock, NULL);
    g->pairs = throttle_new(&pair_policy);
    g->addresses = throttle_new(&address_policy);
    g->logins = throttle_new(&login_policy);
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
    throttle_free(&g->pairs);
    throttle_free(&g->addresses);
    throttle_free(&g->logins);
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
    hasher_dummy(config->login_count ? config->logins[0].password : NULL, dummy);
    pthread_mutex_lock(&g->lock);
    struct config *old = g->config;
    g->config = config_ref(config);
    memcpy(g->dummy, dummy, sizeof g->dummy);
    pthread_mutex_unlock(&g->lock);
    config_unref(&old);
}

/* ---- delays ---- */

/* Sleeps for `ms`. False: the client is gone or the service stops. */
static bool pause_for(struct session_conn *c, int64_t ms)
{
    struct wait *w = session_conn_wait(c);
    struct error e = ERROR_INIT;
    w->deadline_ms = clock_mono_ms() + ms;
    while (!session_conn_stopping(c) && wait_sleep(w, &e))
        continue;
    w->deadline_ms = CLOCK_NEVER;
    return e.kind == ERROR_TIMEOUT;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Waits for the delays that count for every attempt, remembered or not. */
static enum session_login wait_for_address(const struct attempt *a)
{
    struct session_gate *g = a->gate;
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&g->lock);
    int64_t ms = a->loopback ? 0 : throttle_admit(g->addresses, a->address, now, DELAY_MAX_MS);
    if (ms <= DELAY_MAX_MS)
        ms = longer(ms, throttle_admit(g->pairs, a->pair, now, DELAY_MAX_MS));
    pthread_mutex_unlock(&g->lock);
    if (ms > DELAY_MAX_MS)
        return SESSION_LOGIN_BUSY;
    return ms == 0 || pause_for(a->conn, ms) ? SESSION_LOGIN_OK : SESSION_LOGIN_ENDED;
}

/* The delay that guesses from anywhere have earned this login. */
static enum session_login wait_for_login(const struct attempt *a)
{
    pthread_mutex_lock(&a->gate->lock);
    int64_t ms = throttle_admit(a->gate->logins, a->name, clock_mono_ms(), DELAY_MAX_MS);
    pthread_mutex_unlock(&a->gate->lock);
    return ms == 0 || pause_for(a->conn, ms) ? SESSION_LOGIN_OK : SESSION_LOGIN_ENDED;
}

static void count_failure(const struct attempt *a)
{
    struct session_gate *g = a->gate;
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&g->lock);
    if (!a->loopback)
        throttle_failed(g->addresses, a->address, now);
    throttle_failed(g->pairs, a->pair, now);
    throttle_failed(g->logins, a->name, now);
    pthread_mutex_unlock(&g->lock);
}

/* ---- the checks ---- */

static const char *policy_refusal(const struct attempt *a)
{
    const struct config_login *l = a->login;
    if (!l)
        return "no such login";
    if (!(l->protocols & (unsigned)a->protocol))
        return "this login's `protocols` do not name this one";
    if (!config_network_match(l->networks, l->network_count, session_conn_sockaddr(a->conn)))
        return "the address is in none of this login's `networks`";
    return NULL;
}

static bool remembered(const struct attempt *a, const uint8_t mac[SUCCESS_MAC])
{
    struct session_gate *g = a->gate;
    pthread_mutex_lock(&g->lock);
    bool known = success_known(g->successes, mac, clock_mono_ms());
    pthread_mutex_unlock(&g->lock);
    return known;
}

static void note_success(const struct attempt *a, const uint8_t mac[SUCCESS_MAC])
{
    struct session_gate *g = a->gate;
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&g->lock);
    success_remember(g->successes, mac, now);
    throttle_forgive(g->pairs, a->pair, now);
    pthread_mutex_unlock(&g->lock);
}

static enum session_login refuse(const struct attempt *a, const char *why)
{
    count_failure(a);
    log_warning("login refused: name \"%.*s\" from %s: %s", NAME_LOGGED, a->name,
                session_conn_address(a->conn), why);
    return SESSION_LOGIN_REFUSED;
}

/* Hashes the password whatever the policy said, so that every refusal takes the same work. */
static enum session_login check_by_hash(const struct attempt *a, const uint8_t mac[SUCCESS_MAC],
                                        const char *dummy)
{
    enum session_login waited = wait_for_login(a);
    if (waited != SESSION_LOGIN_OK)
        return waited;
    const char *hash = a->login ? a->login->password : dummy;
    const char *group = a->login ? a->login->name : "";
    switch (hasher_check(a->gate->hasher, group, a->password, hash, session_conn_wait(a->conn))) {
    case HASHER_MATCH:
        if (a->refusal)
            break;
        note_success(a, mac);
        return SESSION_LOGIN_OK;
    case HASHER_MISMATCH:
        return refuse(a, a->refusal ? a->refusal : "wrong password");
    case HASHER_BUSY:
        return SESSION_LOGIN_BUSY;
    case HASHER_ENDED:
        count_failure(a); /* asked and ran: it could tell from the silence that it was wrong */
        return SESSION_LOGIN_ENDED;
    }
    return refuse(a, a->refusal);
}

static enum session_login check(const struct attempt *a, const char *dummy)
{
    uint8_t mac[SUCCESS_MAC];
    enum session_login result = wait_for_address(a);
    if (result != SESSION_LOGIN_OK)
        return result;
    success_mac(a->gate->successes, a->name, a->password, a->login ? a->login->password : "", mac);
    /* Only where policy allows it: a quick refusal would tell that the password is right. */
    if (a->refusal || !remembered(a, mac))
        result = check_by_hash(a, mac, dummy);
    explicit_bzero(mac, sizeof mac);
    return result;
}

/* ---- sessions of a login ---- */

static bool count_session(const struct attempt *a)
{
    struct session_gate *g = a->gate;
    unsigned max = a->login->max_connections ? a->login->max_connections
                                             : a->config->limits.max_connections_per_login;
    pthread_mutex_lock(&g->lock);
    struct session_count *n = table_get(g->sessions, a->name);
    bool room = !max || !n || n->sessions < max;
    if (room && !n) {
        n = xcalloc(1, sizeof *n);
        table_put(g->sessions, a->name, n);
    }
    if (room)
        n->sessions++;
    pthread_mutex_unlock(&g->lock);
    return room;
}

static enum session_login admit(const struct attempt *a, struct session_ticket **ticket)
{
    if (!count_session(a)) {
        log_warning("login refused: \"%s\" from %s: it has too many sessions; end some or raise "
                    "max-connections",
                    a->name, session_conn_address(a->conn));
        return SESSION_LOGIN_BUSY;
    }
    struct session_ticket *t = xcalloc(1, sizeof *t);
    t->gate = a->gate;
    t->config = config_ref(a->config);
    t->login = a->login;
    t->principal = config_login_principal(a->login);
    *ticket = t;
    log_set_login(a->login->name);
    log_set_mailbox(a->login->mailbox);
    log_info("login accepted: from %s%s", session_conn_address(a->conn),
             session_conn_tls_active(a->conn) ? " by TLS" : "");
    return SESSION_LOGIN_OK;
}

enum session_login session_login_check(struct session_conn *c, enum config_protocol protocol,
                                       const char *name, const char *password,
                                       struct session_ticket **ticket)
{
    struct attempt a = {.conn = c,
                        .gate = session_conn_gate(c),
                        .name = name,
                        .password = password,
                        .protocol = protocol};
    char dummy[HASHER_SETTING_SIZE];
    pthread_mutex_lock(&a.gate->lock);
    a.config = config_ref(a.gate->config);
    memcpy(dummy, a.gate->dummy, sizeof dummy);
    pthread_mutex_unlock(&a.gate->lock);
    a.login = config_find_login(a.config, name);
    a.refusal = policy_refusal(&a);
    address_key(session_conn_sockaddr(c), a.address);
    a.loopback = address_loopback(session_conn_sockaddr(c));
    a.pair = xasprintf("%s %s", a.address, name);

    enum session_login result = check(&a, dummy);
    if (result == SESSION_LOGIN_OK) {
        result = admit(&a, ticket);
    } else if (result == SESSION_LOGIN_BUSY) {
        log_warning("login refused: name \"%.*s\" from %s: too many guesses are waiting",
                    NAME_LOGGED, name, session_conn_address(c));
        if (!pause_for(c, BUSY_DELAY_MS))
            result = SESSION_LOGIN_ENDED;
    }
    free(a.pair);
    config_unref(&a.config);
    return result;
}

const struct config_login *session_ticket_login(const struct session_ticket *t)
{
    return t->login;
}

const char *session_ticket_mailbox(const struct session_ticket *t)
{
    return t->login->mailbox;
}

const struct principal *session_ticket_principal(const struct session_ticket *t)
{
    return &t->principal;
}

const struct config *session_ticket_config(const struct session_ticket *t)
{
    return t->config;
}

void session_ticket_release(struct session_ticket **ticket)
{
    struct session_ticket *t = *ticket;
    if (!t)
        return;
    struct session_gate *g = t->gate;
    pthread_mutex_lock(&g->lock);
    struct session_count *n = table_get(g->sessions, t->login->name);
    if (--n->sessions == 0) {
        table_remove(g->sessions, t->login->name);
        free(n);
    }
    pthread_mutex_unlock(&g->lock);
    log_set_login(NULL);
    log_set_mailbox(NULL);
    config_unref(&t->config);
    free(t);
    *ticket = NULL;
}
