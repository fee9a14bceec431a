#include "../unit.h"

#include "door.h"

#include "postern/base/clock.h"
#include "postern/base/thread.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define CONFIG(logins) "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER logins

static struct session_credentials password_of(const char *name, const char *password)
{
    return (struct session_credentials){
        .mechanism = "PASS", .proof = SESSION_PROOF_PASSWORD, .name = name, .secret = password};
}

/* One attempt from an address; the ticket is let go at once. */
static enum session_login attempt_at(struct session_gate *gate, const char *address,
                                     const char *name, const char *password)
{
    struct door_options options = {.address = address, .gate = gate};
    struct session_ticket *ticket = NULL;
    struct door d;
    door_open(&d, &options);
    const struct session_credentials given = password_of(name, password);
    enum session_login result = session_login_check(d.conn, PROTOCOL_POP3, &given, &ticket);
    CU_ASSERT_EQUAL(ticket != NULL, result == SESSION_LOGIN_OK);
    session_ticket_release(&ticket);
    door_close(&d);
    return result;
}

static struct session_gate *gate_of(const char *text)
{
    struct session_gate *gate = session_gate_new(NULL);
    struct config *config = door_config(text);
    session_gate_configure(gate, config);
    config_unref(&config);
    return gate;
}

static void test_policy(void)
{
    struct session_gate *gate = gate_of(CONFIG(DOOR_LOGIN("alice", "") DOOR_LOGIN(
        "imap", "protocols = { imap }") DOOR_LOGIN("far", "networks = { \"192.0.2.0/24\" }")));
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "alice", "secret"), SESSION_LOGIN_OK);
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "alice", "Secret"), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "alice", ""), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "Alice", "secret"), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "", "secret"), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "imap", "secret"), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "far", "secret"), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(attempt_at(gate, "192.0.2.255", "far", "secret"), SESSION_LOGIN_OK);
    CU_ASSERT_EQUAL(attempt_at(gate, "192.0.3.0", "far", "secret"), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(attempt_at(gate, "192.0.2.255", "alice", "secret"), SESSION_LOGIN_REFUSED);
    session_gate_free(&gate);
}

/* New logins see the new config at once, a remembered success does not outlive its password, and
 * a session keeps the config it signed in with. */
static void test_reload(void)
{
    const struct session_credentials right = password_of("alice", "secret");
    struct session_gate *gate = gate_of(CONFIG(DOOR_LOGIN("alice", "read-only = yes")));
    struct door_options options = {.gate = gate};
    struct session_ticket *ticket = NULL;
    struct door d;
    door_open(&d, &options);
    CU_ASSERT_EQUAL(session_login_check(d.conn, PROTOCOL_POP3, &right, &ticket), SESSION_LOGIN_OK);
    struct config *other = door_config(CONFIG(DOOR_LOGIN("bob", "")));
    session_gate_configure(gate, other);
    config_unref(&other);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ticket);
    CU_ASSERT_STRING_EQUAL(session_ticket_login(ticket)->name, "alice");
    CU_ASSERT_TRUE(session_ticket_login(ticket)->read_only);
    CU_ASSERT_EQUAL(session_ticket_config(ticket)->login_count, 1);
    session_ticket_release(&ticket);
    CU_ASSERT_PTR_NULL(ticket);
    door_close(&d);
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "alice", "secret"), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "bob", "secret"), SESSION_LOGIN_OK);
    session_gate_free(&gate);
}

static void test_session_limit(void)
{
    const struct session_credentials right = password_of("alice", "secret");
    struct session_gate *gate =
        gate_of(CONFIG("limits {\n max-connections-per-login = 1\n}\n" DOOR_LOGIN("alice", "")));
    struct door_options options = {.gate = gate};
    struct session_ticket *ticket = NULL, *second = NULL;
    struct door d;
    door_open(&d, &options);
    CU_ASSERT_EQUAL(session_login_check(d.conn, PROTOCOL_POP3, &right, &ticket), SESSION_LOGIN_OK);
    CU_ASSERT_EQUAL(session_login_check(d.conn, PROTOCOL_POP3, &right, &second),
                    SESSION_LOGIN_BUSY);
    CU_ASSERT_PTR_NULL(second);
    session_ticket_release(&ticket);
    CU_ASSERT_EQUAL(session_login_check(d.conn, PROTOCOL_POP3, &right, &ticket), SESSION_LOGIN_OK);
    session_ticket_release(&ticket);
    door_close(&d);
    session_gate_free(&gate);
}

/* Wrong guesses slow down whoever makes them. Others are not slowed, nor is the owner of the
 * login who signed in a while ago. */
static void test_delays(void)
{
    struct session_gate *gate =
        gate_of(CONFIG(DOOR_LOGIN("alice", "networks = { \"0.0.0.0/0\" }")));
    CU_ASSERT_EQUAL(attempt_at(gate, "192.0.2.1", "alice", "secret"), SESSION_LOGIN_OK);
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(attempt_at(gate, "192.0.2.2", "alice", "guess"), SESSION_LOGIN_REFUSED);
    int64_t start = clock_mono_ms();
    CU_ASSERT_EQUAL(attempt_at(gate, "192.0.2.2", "alice", "guess"), SESSION_LOGIN_REFUSED);
    CU_ASSERT_TRUE(clock_mono_ms() - start >= 990);
    start = clock_mono_ms();
    CU_ASSERT_EQUAL(attempt_at(gate, "192.0.2.1", "alice", "secret"), SESSION_LOGIN_OK);
    CU_ASSERT_EQUAL(attempt_at(gate, "192.0.2.3", "alice", "secret"), SESSION_LOGIN_OK);
    CU_ASSERT_TRUE(clock_mono_ms() - start < 900);
    session_gate_free(&gate);
}

/* A client that hangs up while its delay runs ends the wait. */
static void test_gone_while_waiting(void)
{
    const struct session_credentials wrong = password_of("alice", "guess");
    struct session_gate *gate = gate_of(CONFIG(DOOR_LOGIN("alice", "")));
    struct door_options options = {.gate = gate};
    struct session_ticket *ticket = NULL;
    struct door d;
    for (int i = 0; i < 5; i++)
        attempt_at(gate, NULL, "alice", "guess");
    door_open(&d, &options);
    close(d.client);
    d.client = -1;
    int64_t start = clock_mono_ms();
    CU_ASSERT_EQUAL(session_login_check(d.conn, PROTOCOL_POP3, &wrong, &ticket),
                    SESSION_LOGIN_ENDED);
    CU_ASSERT_TRUE(clock_mono_ms() - start < 900);
    door_close(&d);
    session_gate_free(&gate);
}

/* One host that tries many names is slowed down, except on loopback, where the others are. */
static void test_spraying(void)
{
    static const char config[] = CONFIG(DOOR_LOGIN("alice", "networks = { \"0.0.0.0/0\" }"));
    static const char *const addresses[] = {"127.0.0.1", "192.0.2.2"};
    for (size_t i = 0; i < 2; i++) {
        struct session_gate *gate = gate_of(config);
        for (int n = 0; n < 33; n++) {
            char name[32];
            snprintf(name, sizeof name, "nobody%d", n);
            attempt_at(gate, addresses[i], name, "guess");
        }
        int64_t start = clock_mono_ms();
        CU_ASSERT_EQUAL(attempt_at(gate, addresses[i], "alice", "secret"), SESSION_LOGIN_OK);
        bool slow = clock_mono_ms() - start >= 900;
        CU_ASSERT_EQUAL(slow, i == 1);
        session_gate_free(&gate);
    }
}

#define CROWD 300

struct guesser {
    struct session_gate *gate;
    int number;
    enum session_login result;
    pthread_t thread;
};

static void *guess(void *arg)
{
    struct guesser *g = arg;
    char address[32], name[32];
    snprintf(address, sizeof address, "192.0.2.%d", g->number % 250);
    snprintf(name, sizeof name, g->number % 2 ? "alice" : "nobody%d", g->number);
    g->result = attempt_at(g->gate, address, name, "guess");
    return NULL;
}

/* Many guesses at once: none gets in, few are worked out, and a login of somebody else goes
 * through meanwhile. */
static void test_crowd(void)
{
    struct session_gate *gate =
        gate_of(CONFIG(DOOR_LOGIN("alice", "networks = { \"0.0.0.0/0\" }") DOOR_LOGIN("bob", "")));
    static struct guesser crowd[CROWD];
    struct error e = ERROR_INIT;
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct guesser){.gate = gate, .number = i};
        if (!thread_start(&crowd[i].thread, "guess", THREAD_STACK_SESSION, guess, &crowd[i], &e))
            abort();
    }
    CU_ASSERT_EQUAL(attempt_at(gate, NULL, "bob", "secret"), SESSION_LOGIN_OK);
    for (int i = 0; i < CROWD; i++) {
        pthread_join(crowd[i].thread, NULL);
        CU_ASSERT_TRUE(crowd[i].result == SESSION_LOGIN_REFUSED ||
                       crowd[i].result == SESSION_LOGIN_BUSY);
    }
    session_gate_free(&gate);
}

const struct unit_test login_tests[] = {
    {"policy", test_policy},
    {"reload", test_reload},
    {"sessions of a login", test_session_limit},
    {"delays", test_delays},
    {"gone while waiting", test_gone_while_waiting},
    {"many names", test_spraying},
    {"a crowd of guesses", test_crowd},
    {NULL, NULL},
};
