#include "postern/session/login.h"

#include "address.h"
#include "digest.h"
#include "gate.h"
#include "ticket.h"
#include "token.h"
#include "user_name.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mailbox/bearer.h"
#include "postern/session/inventory.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BUSY_DELAY_MS 2000 /* before "busy", so that asking again is not cheaper */
#define NAME_LOGGED   64

/* One attempt on its way through the checks. */
struct attempt {
    struct session_conn *conn;
    struct session_gate *gate;
    struct config *config;
    enum config_protocol protocol;
    const struct session_credentials *given;
    const struct config_login *login;   /* NULL: no such login */
    const char *mailbox;                /* that was asked for; NULL with a token: its owner's */
    const struct config_tenant *tenant; /* of a token; NULL: none */
    const char *refusal;                /* for the log: why policy says no; NULL: it does not */
    struct guess guess;
    char address[ADDRESS_SIZE];
    char dummy[HASHER_SETTING_SIZE];
    char *subject, *user; /* what Graph said of a token */
};

/* ---- policy ---- */

/* Why the login is not for this protocol or address; NULL: it is. */
static const char *elsewhere(const struct config_login *l, const struct session_conn *c,
                             enum config_protocol protocol)
{
    if (!(l->protocols & (unsigned)protocol))
        return "this login's `protocols` do not name this one";
    if (!config_network_match(l->networks, l->network_count, session_conn_sockaddr(c)))
        return "the address is in none of this login's `networks`";
    return NULL;
}

unsigned session_login_proofs(struct session_conn *c, enum config_protocol protocol)
{
    struct config *config = gate_config(session_conn_gate(c));
    unsigned proofs = 1u << SESSION_PROOF_PASSWORD;
    for (size_t i = 0; i < config->login_count; i++) {
        const struct config_login *l = &config->logins[i];
        if (elsewhere(l, c, protocol))
            continue;
        if (l->device_secret)
            proofs |= 1u << SESSION_PROOF_CRAM_MD5 | 1u << SESSION_PROOF_APOP;
        if (l->fingerprint_count && session_conn_client_fingerprint(c))
            proofs |= 1u << SESSION_PROOF_CERTIFICATE;
    }
    if (token_any_tenant(config) && token_may_cross(c))
        proofs |= 1u << SESSION_PROOF_TOKEN;
    config_unref(&config);
    return proofs;
}

/* A client's own token needs no login section; without one it is as good as one with the defaults,
 * but that the networks of its listener are those of such sessions too. */
static const char *token_refusal(const struct attempt *a)
{
    if (!a->tenant)
        return a->login ? "the tenant of this login does not say allow-client-tokens = yes"
                        : "no tenant that allows clients' own tokens fits the name";
    if (!token_may_cross(a->conn))
        return "a token may come by TLS 1.2 or from this machine only";
    if (a->login)
        return elsewhere(a->login, a->conn, a->protocol);
    return session_conn_listed(a->conn) ? NULL : elsewhere(a->tenant->guest, a->conn, a->protocol);
}

static const char *policy_refusal(const struct attempt *a)
{
    if (a->given->proof == SESSION_PROOF_TOKEN)
        return token_refusal(a);
    if (!a->login && a->given->proof == SESSION_PROOF_CERTIFICATE && !a->given->name[0])
        return "no login, or more than one, has this certificate";
    if (!a->login)
        return "no such login, or no such mailbox of it";
    return elsewhere(a->login, a->conn, a->protocol);
}

static bool has_certificate(const struct config_login *l, const char *fingerprint)
{
    for (size_t i = 0; i < l->fingerprint_count; i++) {
        if (strcmp(l->fingerprints[i], fingerprint) == 0)
            return true;
    }
    return false;
}

/* The only login that has the client's certificate. */
static const struct config_login *certificate_login(const struct attempt *a)
{
    const char *fingerprint = session_conn_client_fingerprint(a->conn);
    const struct config_login *found = NULL;
    for (size_t i = 0; fingerprint && i < a->config->login_count; i++) {
        const struct config_login *l = &a->config->logins[i];
        if (!has_certificate(l, fingerprint))
            continue;
        if (found)
            return NULL;
        found = l;
    }
    return found;
}

/* Who is meant by the name. */
static void identify(struct attempt *a)
{
    const char *name = a->given->name;
    if (!name[0] && a->given->proof == SESSION_PROOF_CERTIFICATE) {
        a->login = certificate_login(a);
        a->mailbox = a->login ? a->login->mailbox : NULL;
    } else {
        a->login = user_name_find(a->config, name, &a->mailbox);
    }
    if (a->given->proof == SESSION_PROOF_TOKEN) {
        if (!a->login)
            a->mailbox = name[0] ? user_name_mailbox(name) : NULL;
        a->tenant = token_tenant(a->config, a->login, a->mailbox ? a->mailbox : "");
    }
    a->refusal = policy_refusal(a);
}

/* ---- refusals and delays ---- */

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

/* What contrib/fail2ban looks for. The address stands before anything that the client wrote. */
static void tell_lockout(const struct attempt *a)
{
    log_warning("address locked out: %s, %u refused logins, for %lld s",
                session_conn_address(a->conn), a->config->limits.lockout_failures,
                (long long)(a->config->limits.lockout_ms / CLOCK_SECOND));
}

/* `what`: "refused" for a guess, "turned away" for what may have been right. */
static void tell(const struct attempt *a, const char *what, const char *why)
{
    log_warning("login %s: from %s, name \"%.*s\", by %s: %s", what, session_conn_address(a->conn),
                NAME_LOGGED, a->given->name, a->given->mechanism, why);
    inventory_refused(session_conn_client(a->conn), a->given->mechanism,
                      a->login ? a->login->name : NULL, why);
}

static void count_failure(const struct attempt *a)
{
    if (guesses_failed(gate_guesses(a->gate), &a->guess, &a->config->limits))
        tell_lockout(a);
}

static enum session_login refuse(const struct attempt *a, const char *why)
{
    tell(a, "refused", a->refusal ? a->refusal : why);
    count_failure(a);
    return SESSION_LOGIN_REFUSED;
}

static enum session_login busy(const struct attempt *a, const char *why)
{
    tell(a, "turned away", why);
    return pause_for(a->conn, BUSY_DELAY_MS) ? SESSION_LOGIN_BUSY : SESSION_LOGIN_ENDED;
}

/* The lock-out, and the delays that count for every attempt, remembered or not. */
static enum session_login wait_for_address(const struct attempt *a)
{
    /* Told once, when it began: a line for each attempt would be the flood's own log. */
    if (guesses_locked(gate_guesses(a->gate), &a->guess))
        return pause_for(a->conn, BUSY_DELAY_MS) ? SESSION_LOGIN_BUSY : SESSION_LOGIN_ENDED;
    int64_t ms = guesses_delay(gate_guesses(a->gate), &a->guess);
    if (ms < 0) {
        if (guesses_too_many(gate_guesses(a->gate), &a->guess, &a->config->limits))
            tell_lockout(a);
        return busy(a, "too many guesses of this address are waiting");
    }
    return ms == 0 || pause_for(a->conn, ms) ? SESSION_LOGIN_OK : SESSION_LOGIN_ENDED;
}

static enum session_login wait_for_login(const struct attempt *a)
{
    int64_t ms = guesses_login_delay(gate_guesses(a->gate), &a->guess);
    return ms == 0 || pause_for(a->conn, ms) ? SESSION_LOGIN_OK : SESSION_LOGIN_ENDED;
}

/* ---- proofs ---- */

/* Computes a hash whatever the policy said and whether the login has a password or not, so that
 * every refusal takes the same work. */
static enum session_login check_by_hash(const struct attempt *a)
{
    enum session_login waited = wait_for_login(a);
    if (waited != SESSION_LOGIN_OK)
        return waited;
    const char *hash = a->login && a->login->password ? a->login->password : a->dummy;
    const char *group = a->login ? a->login->name : "";
    switch (hasher_check(gate_hasher(a->gate), group, a->given->secret, hash,
                         session_conn_wait(a->conn))) {
    case HASHER_MATCH:
        return a->refusal ? refuse(a, NULL) : SESSION_LOGIN_OK;
    case HASHER_MISMATCH:
        return refuse(a, "wrong password");
    case HASHER_BUSY:
        return busy(a, "too many guesses are waiting");
    case HASHER_ENDED:
        count_failure(a); /* asked and ran: it could tell from the silence that it was wrong */
        break;
    }
    return SESSION_LOGIN_ENDED;
}

static enum session_login check_password(const struct attempt *a)
{
    uint8_t mac[SUCCESS_MAC];
    bool has = a->login && a->login->password;
    success_mac(gate_successes(a->gate), has ? a->login->name : a->given->name, a->given->secret,
                has ? a->login->password : "", mac);
    bool known = gate_remembers(a->gate, mac);
    /* Only where policy allows it: a quick refusal would tell that the password is right. */
    enum session_login result = known && !a->refusal ? SESSION_LOGIN_OK : check_by_hash(a);
    if (result == SESSION_LOGIN_OK)
        gate_remember(a->gate, mac);
    explicit_bzero(mac, sizeof mac);
    return result;
}

static enum session_login check_digest(const struct attempt *a)
{
    enum session_login waited = wait_for_login(a);
    if (waited != SESSION_LOGIN_OK)
        return waited;
    bool has = a->login && a->login->device_secret;
    bool right = digest_matches(a->given, has ? a->login->device_secret : a->dummy);
    if (right && has && !a->refusal)
        return SESSION_LOGIN_OK;
    return refuse(a, a->login && !has ? "this login has no device-secret, so it needs its password "
                                        "by another mechanism, such as PLAIN"
                                      : "wrong digest");
}

/* TLS has proved that the client has the key. */
static enum session_login check_certificate(const struct attempt *a)
{
    const char *fingerprint = session_conn_client_fingerprint(a->conn);
    if (a->login && !a->refusal && fingerprint && has_certificate(a->login, fingerprint))
        return SESSION_LOGIN_OK;
    return refuse(a, "the client's certificate is not one of this login's");
}

/* What it means that Graph did not say yes. */
static enum session_login judge(const struct attempt *a, const struct error *e)
{
    switch (e->kind) {
    case ERROR_SIGN_IN:
    case ERROR_DENIED:
    case ERROR_MAILBOX_GONE:
    case ERROR_FOLDER_GONE:
    case ERROR_GONE:
        return refuse(a, e->text);
    case ERROR_CANCELED:
        return SESSION_LOGIN_ENDED;
    default:
        log_error_value(LOG_LEVEL_WARNING, e, "login from %s: cannot ask Graph about its token",
                        session_conn_address(a->conn));
        return SESSION_LOGIN_UNAVAILABLE;
    }
}

/* A section that bears the owner's name is the policy, whatever name the client gave: no other
 * spelling of it gets around. */
static void hold_to_section(struct attempt *a)
{
    for (size_t i = 0; i < a->config->login_count; i++) {
        const struct config_login *l = &a->config->logins[i];
        if (l->tenant != a->tenant || strcasecmp(l->name, a->user) != 0)
            continue;
        a->login = l;
        a->refusal = policy_refusal(a);
        if (!user_name_opens(l, a->mailbox ? a->mailbox : a->user))
            a->refusal = "the section of the token's owner does not name this mailbox";
        return;
    }
}

/* Graph is asked each time, and before policy is looked at. */
static enum session_login check_token(struct attempt *a)
{
    struct wait *w = session_conn_wait(a->conn);
    struct error e = ERROR_INIT;
    if (!a->tenant || !token_may_cross(a->conn))
        return refuse(a, NULL);
    if (!gate_begin_token_check(a->gate))
        return busy(a, "too many tokens are being checked");
    w->deadline_ms = clock_mono_ms() + a->config->limits.request_timeout_ms;
    bool proved = mailbox_bearer_prove(gate_mailboxes(a->gate), a->tenant->name, a->given->secret,
                                       a->mailbox, &a->subject, &a->user, w, &e);
    w->deadline_ms = CLOCK_NEVER;
    gate_end_token_check(a->gate);
    if (!proved)
        return judge(a, &e);
    if (!a->login)
        hold_to_section(a);
    return a->refusal ? refuse(a, NULL) : SESSION_LOGIN_OK;
}

static enum session_login check(struct attempt *a)
{
    enum session_login waited = wait_for_address(a);
    if (waited != SESSION_LOGIN_OK)
        return waited;
    switch (a->given->proof) {
    case SESSION_PROOF_PASSWORD:
        return check_password(a);
    case SESSION_PROOF_CRAM_MD5:
    case SESSION_PROOF_APOP:
        return check_digest(a);
    case SESSION_PROOF_TOKEN:
        return check_token(a);
    case SESSION_PROOF_CERTIFICATE:
        return check_certificate(a);
    }
    return refuse(a, "no such proof");
}

/* ---- one login ---- */

static enum session_login admit(struct attempt *a, struct session_ticket **ticket)
{
    const struct ticket_facts facts = {.gate = a->gate,
                                       .config = a->config,
                                       .login = a->login,
                                       .mailbox = a->mailbox ? a->mailbox : a->user,
                                       .tenant = a->tenant,
                                       .subject = a->subject,
                                       .user = a->user,
                                       .bearer = a->given->secret};
    *ticket = ticket_open(&facts);
    if (!*ticket) {
        tell(a, "turned away", "it has too many sessions; end some or raise max-connections");
        return SESSION_LOGIN_BUSY;
    }
    const struct config_login *l = session_ticket_login(*ticket);
    guesses_forgive(gate_guesses(a->gate), &a->guess);
    log_set_login(l->name);
    log_set_mailbox(session_ticket_mailbox(*ticket));
    inventory_accepted(session_conn_client(a->conn), a->given->mechanism, l->name);
    log_info("login accepted: from %s by %s%s", session_conn_address(a->conn), a->given->mechanism,
             session_conn_tls_active(a->conn) ? ", TLS" : "");
    return SESSION_LOGIN_OK;
}

enum session_login session_login_check(struct session_conn *c, enum config_protocol protocol,
                                       const struct session_credentials *credentials,
                                       struct session_ticket **ticket)
{
    struct attempt a = {
        .conn = c, .gate = session_conn_gate(c), .protocol = protocol, .given = credentials};
    a.config = gate_config(a.gate);
    gate_dummy(a.gate, a.dummy);
    identify(&a);
    address_key(session_conn_sockaddr(c), a.address);
    char *key = user_name_key(credentials->name), *pair = xasprintf("%s %s", a.address, key);
    a.guess = (struct guess){.address = a.address,
                             .name = key,
                             .pair = pair,
                             .loopback = address_loopback(session_conn_sockaddr(c))};
    enum session_login result = check(&a);
    if (result == SESSION_LOGIN_OK)
        result = admit(&a, ticket);
    free(a.subject);
    free(a.user);
    free(pair);
    free(key);
    config_unref(&a.config);
    return result;
}
