#include "../unit.h"

#include "guesses.h"

#include "postern/base/clock.h"

#define T0     1000000
#define MINUTE 60000

static const struct config_limits limits = {.lockout_failures = 5, .lockout_ms = 10 * MINUTE};
static const struct guess eve = {
    .address = "192.0.2.1", .name = "alice", .pair = "192.0.2.1 alice"};
static const struct guess bob = {.address = "192.0.2.2", .name = "bob", .pair = "192.0.2.2 bob"};

/* How many of so many failures began a lock-out. */
static unsigned fail(struct guesses *g, const struct guess *who, unsigned times,
                     const struct config_limits *l)
{
    unsigned told = 0;
    while (times--)
        told += guesses_failed(g, who, l);
    return told;
}

/* At the limit, not before; told once; over after its time; others go on. */
static void test_lockout(void)
{
    clock_test_set(T0, T0);
    struct guesses *g = guesses_new();
    CU_ASSERT_EQUAL(fail(g, &eve, 4, &limits), 0);
    CU_ASSERT_FALSE(guesses_locked(g, &eve));
    CU_ASSERT_EQUAL(fail(g, &eve, 1, &limits), 1);
    CU_ASSERT_TRUE(guesses_locked(g, &eve));
    CU_ASSERT_FALSE(guesses_locked(g, &bob));
    CU_ASSERT_EQUAL(fail(g, &eve, 3, &limits), 0); /* those that were on their way */
    clock_test_set(T0 + 10 * MINUTE - 1, T0);
    CU_ASSERT_TRUE(guesses_locked(g, &eve));
    clock_test_set(T0 + 10 * MINUTE, T0);
    CU_ASSERT_FALSE(guesses_locked(g, &eve));
    guesses_free(&g);
    CU_ASSERT_PTR_NULL(g);
    clock_test_off();
}

/* A script with an old password that comes once a minute does not lock its host out. */
static void test_once_a_minute(void)
{
    struct guesses *g = guesses_new();
    for (int64_t i = 0; i < 1000; i++) {
        clock_test_set(T0 + i * MINUTE, T0);
        CU_ASSERT_EQUAL(fail(g, &eve, 1, &limits), 0);
    }
    guesses_free(&g);
    clock_test_off();
}

/* Too many at a time count too, loopback and lockout-failures = 0 never do. */
static void test_what_counts(void)
{
    static const struct config_limits never = {.lockout_failures = 0, .lockout_ms = MINUTE};
    struct guess here = {
        .address = "127.0.0.1", .name = "a", .pair = "127.0.0.1 a", .loopback = true};
    clock_test_set(T0, T0);
    struct guesses *g = guesses_new();
    CU_ASSERT_EQUAL(fail(g, &here, 100, &limits), 0);
    CU_ASSERT_FALSE(guesses_locked(g, &here));
    CU_ASSERT_EQUAL(fail(g, &bob, 100, &never), 0);
    CU_ASSERT_FALSE(guesses_locked(g, &bob));
    for (int i = 0; i < 4; i++)
        CU_ASSERT_FALSE(guesses_too_many(g, &eve, &limits));
    CU_ASSERT_TRUE(guesses_too_many(g, &eve, &limits));
    CU_ASSERT_TRUE(guesses_locked(g, &eve));
    guesses_free(&g);
    clock_test_off();
}

/* Delays: none at first, then growing; those of the login count for every address; more than fit
 * into half a minute are turned away. */
static void test_delays(void)
{
    clock_test_set(T0, T0);
    struct guesses *g = guesses_new();
    CU_ASSERT_EQUAL(guesses_delay(g, &eve), 0);
    fail(g, &eve, 3, &limits);
    CU_ASSERT_EQUAL(guesses_delay(g, &eve), 0);
    fail(g, &eve, 1, &limits);
    CU_ASSERT_EQUAL(guesses_delay(g, &eve), 500);
    guesses_forgive(g, &eve);
    CU_ASSERT_EQUAL(guesses_delay(g, &eve), 0);
    CU_ASSERT_EQUAL(guesses_login_delay(g, &eve), 0);
    fail(g, &eve, 30, &limits);
    CU_ASSERT_EQUAL(guesses_login_delay(g, &eve), 5000);
    CU_ASSERT_EQUAL(guesses_delay(g, &eve), 15000);
    CU_ASSERT_EQUAL(guesses_delay(g, &eve), 30000);
    CU_ASSERT_EQUAL(guesses_delay(g, &eve), -1);
    CU_ASSERT_EQUAL(guesses_delay(g, &bob), 0);
    guesses_free(&g);
    clock_test_off();
}

const struct unit_test guesses_tests[] = {
    {"lock-out", test_lockout},
    {"once a minute", test_once_a_minute},
    {"what counts", test_what_counts},
    {"delays", test_delays},
    {NULL, NULL},
};
