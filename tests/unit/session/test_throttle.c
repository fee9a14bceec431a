#include "../unit.h"

#include "success.h"
#include "throttle.h"

#include <string.h>

#define NEVER_TOO_LONG 1000000

static const struct throttle_policy serial = {
    .free = 2, .first_ms = 100, .cap_ms = 1000, .forget_ms = 10000, .most = 1000, .serial = true};
static const struct throttle_policy side_by_side = {
    .free = 2, .first_ms = 100, .cap_ms = 1000, .forget_ms = 10000, .most = 1000, .serial = false};

static void fail_times(struct throttle *t, const char *key, int times, int64_t now)
{
    for (int i = 0; i < times; i++)
        throttle_failed(t, key, now);
}

static void test_growth(void)
{
    static const int64_t delays[] = {0, 0, 0, 100, 200, 400, 800, 1000, 1000};
    struct throttle *t = throttle_new(&side_by_side);
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        CU_ASSERT_EQUAL(throttle_admit(t, "a", 0, NEVER_TOO_LONG), delays[i]);
        throttle_failed(t, "a", 0);
    }
    CU_ASSERT_EQUAL(throttle_admit(t, "b", 0, NEVER_TOO_LONG), 0);
    throttle_free(&t);
    CU_ASSERT_PTR_NULL(t);
}

static void test_fading(void)
{
    struct throttle *t = throttle_new(&side_by_side);
    fail_times(t, "a", 4, 5000);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 14999, NEVER_TOO_LONG), 200);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 15000, NEVER_TOO_LONG), 100);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 25000, NEVER_TOO_LONG), 0);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 1000000, NEVER_TOO_LONG), 0);
    fail_times(t, "a", 3, 1000000);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 1000000, NEVER_TOO_LONG), 100);
    throttle_forgive(t, "a", 1000000);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 1000000, NEVER_TOO_LONG), 0);
    throttle_free(&t);
}

/* Attempts at once get one place each; beyond the longest wait none is taken. */
static void test_queue(void)
{
    struct throttle *t = throttle_new(&serial);
    fail_times(t, "a", 3, 0);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 0, 250), 100);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 0, 250), 200);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 0, 250), 300);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 0, 250), 300);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 150, 250), 150);
    CU_ASSERT_EQUAL(throttle_admit(t, "a", 5000, 250), 100);
    throttle_free(&t);
}

/* A million addresses that fail once each do not push out one that failed often. */
static void test_flood(void)
{
    struct throttle *t = throttle_new(&side_by_side);
    fail_times(t, "guesser", 8, 0);
    for (int i = 0; i < 1000000; i++) {
        char key[32];
        snprintf(key, sizeof key, "%d", i);
        throttle_failed(t, key, 1);
    }
    CU_ASSERT_EQUAL(throttle_admit(t, "guesser", 2, NEVER_TOO_LONG), 1000);
    throttle_free(&t);
}

static void test_success(void)
{
    uint8_t a[SUCCESS_MAC], b[SUCCESS_MAC];
    struct success_cache *s = success_new(), *other = success_new();
    success_mac(s, "alice", "secret", "$y$x", a);
    success_mac(s, "alice", "secret", "$y$y", b); /* the stored password was changed */
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
    success_mac(s, "alices", "ecret", "$y$x", b);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
    success_mac(other, "alice", "secret", "$y$x", b);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, sizeof a), 0);
    CU_ASSERT_FALSE(success_known(s, a, 0));
    success_remember(s, a, 0);
    CU_ASSERT_FALSE(success_known(s, b, 0));
    CU_ASSERT_TRUE(success_known(s, a, SUCCESS_KEPT_MS - 1)); /* and from now on anew */
    CU_ASSERT_TRUE(success_known(s, a, 2 * SUCCESS_KEPT_MS - 2));
    CU_ASSERT_FALSE(success_known(s, a, 3 * SUCCESS_KEPT_MS));
    success_free(&s);
    success_free(&other);
}

const struct unit_test throttle_tests[] = {
    {"delays grow to a cap", test_growth},  {"failures fade", test_fading},
    {"attempts at once", test_queue},       {"a million addresses", test_flood},
    {"remembered successes", test_success}, {NULL, NULL},
};
