/* Whose is what was made. */
#include "../../../src/mailbox/change/claims.h"
#include "../unit.h"

#include "postern/base/clock.h"

#include <pthread.h>

extern const struct unit_test claims_tests[];

#define MINUTE ((int64_t)60 * CLOCK_SECOND)

static struct claims *claims;

static void test_once(void)
{
    claims = claims_new();
    struct claims_request r = {0};
    CU_ASSERT(!claims_has(claims, "a"));
    CU_ASSERT(claims_take(claims, "a"));
    CU_ASSERT(claims_has(claims, "a"));
    CU_ASSERT(!claims_take(claims, "a"));
    claims_sent(claims, &r, "folder");
    claims_answered(claims, &r, "b");
    CU_ASSERT(!claims_take(claims, "b"));
    claims_sent(claims, &r, "folder");
    claims_answered(claims, &r, NULL);
    CU_ASSERT(claims_take(claims, "c"));
    claims_free(&claims);
    CU_ASSERT_PTR_NULL(claims);
}

static void test_kept(void)
{
    struct claims_command command;
    clock_test_set(100 * MINUTE, 0);
    claims = claims_new();
    CU_ASSERT(claims_take(claims, "old"));
    clock_test_set(115 * MINUTE, 0);
    CU_ASSERT(claims_take(claims, "a"));
    CU_ASSERT(claims_has(claims, "old"));
    claims_begin(claims, &command);
    clock_test_set(115 * MINUTE + 1, 0);
    CU_ASSERT(claims_take(claims, "b"));
    CU_ASSERT(claims_has(claims, "old")); /* the command may look for it */
    clock_test_set(200 * MINUTE, 0);
    CU_ASSERT(claims_take(claims, "c"));
    CU_ASSERT(claims_has(claims, "a"));
    claims_end(claims, &command);
    CU_ASSERT(claims_take(claims, "d"));
    CU_ASSERT(!claims_has(claims, "old"));
    CU_ASSERT(!claims_has(claims, "b"));
    CU_ASSERT(claims_has(claims, "c"));
    claims_free(&claims);
    clock_test_off();
}

/* Settles while "here" and "there" are under way. */
static void *look(void *arg)
{
    struct wait w;
    struct error e = ERROR_INIT;
    bool *taken = arg;
    CU_ASSERT(wait_init(&w, &e));
    CU_ASSERT(claims_settle(claims, "elsewhere", &w, &e));
    CU_ASSERT(claims_settle(claims, "here", &w, &e));
    *taken = claims_take(claims, "a");
    wait_close(&w);
    return NULL;
}

static void test_settled(void)
{
    pthread_t thread;
    bool taken = true;
    struct claims_request here = {0}, later = {0}, there = {0};
    claims = claims_new();
    claims_sent(claims, &there, "there");
    claims_sent(claims, &here, "here");
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, look, &taken), 0);
    claims_answered(claims, &here, "a");
    claims_sent(claims, &later, "there");
    pthread_join(thread, NULL);
    CU_ASSERT(!taken);
    claims_answered(claims, &later, NULL);
    claims_answered(claims, &there, NULL);
    claims_free(&claims);
}

static void test_settle_ends(void)
{
    struct wait w;
    struct error e = ERROR_INIT;
    struct claims_request r = {0};
    claims = claims_new();
    CU_ASSERT(wait_init(&w, &e));
    w.deadline_ms = clock_mono_ms() + 10;
    claims_sent(claims, &r, "here");
    CU_ASSERT(!claims_settle(claims, "here", &w, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TIMEOUT);
    claims_answered(claims, &r, NULL);
    wait_close(&w);
    claims_free(&claims);
}

const struct unit_test claims_tests[] = {
    {"each is claimed once", test_once},
    {"kept as long as somebody may look", test_kept},
    {"those under way are waited for", test_settled},
    {"the wait for them ends", test_settle_ends},
    {NULL, NULL},
};
