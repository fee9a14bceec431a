#include "../unit.h"

#include "door.h"
#include "hasher.h"

#include "postern/base/clock.h"
#include "postern/base/thread.h"

#include <crypt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define CROWD 40

struct guess {
    struct hasher *hasher;
    const char *group;
    const char *password;
    enum hasher_result result;
    pthread_t thread;
};

static void *guess(void *arg)
{
    struct guess *g = arg;
    struct error e = ERROR_INIT;
    struct wait w;
    if (!wait_init(&w, &e))
        abort();
    g->result = hasher_check(g->hasher, g->group, g->password, DOOR_HASH, &w);
    wait_close(&w);
    return NULL;
}

static void test_check(void)
{
    struct hasher *h = hasher_new(1);
    struct guess good = {.hasher = h, .group = "alice", .password = "secret"};
    struct guess bad = {.hasher = h, .group = "alice", .password = "Secret"};
    guess(&good);
    guess(&bad);
    CU_ASSERT_EQUAL(good.result, HASHER_MATCH);
    CU_ASSERT_EQUAL(bad.result, HASHER_MISMATCH);
    hasher_free(&h);
}

/* One place, a crowd of two groups: everybody gets an answer, and at most the bounded queue of a
 * group is worked through. */
static void test_crowd(void)
{
    struct hasher *h = hasher_new(1);
    struct guess crowd[CROWD];
    struct error e = ERROR_INIT;
    unsigned answered = 0;
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct guess){
            .hasher = h, .group = i % 2 ? "alice" : "bob", .password = i % 2 ? "secret" : "guess"};
        if (!thread_start(&crowd[i].thread, "guess", THREAD_STACK_SESSION, guess, &crowd[i], &e))
            abort();
    }
    for (int i = 0; i < CROWD; i++) {
        pthread_join(crowd[i].thread, NULL);
        CU_ASSERT_NOT_EQUAL(crowd[i].result, HASHER_ENDED);
        CU_ASSERT_NOT_EQUAL(crowd[i].result, i % 2 ? HASHER_MISMATCH : HASHER_MATCH);
        answered += crowd[i].result != HASHER_BUSY;
    }
    CU_ASSERT_TRUE(answered >= 2);
    hasher_free(&h);
}

/* A waiter that has ended leaves the queue without an answer. */
static void test_ended(void)
{
    struct hasher *h = hasher_new(1);
    struct error e = ERROR_INIT;
    atomic_bool stop = true;
    struct wait w;
    if (!wait_init(&w, &e))
        abort();
    w.stop = &stop;
    /* Granted at once where nobody is before it, and then it is worked out. */
    CU_ASSERT_EQUAL(hasher_check(h, "alice", "secret", DOOR_HASH, &w), HASHER_MATCH);
    wait_close(&w);
    hasher_free(&h);
}

/* Whatever the method of the real hashes, the dummy makes crypt(3) work as hard. */
static void test_dummy(void)
{
    static const char *const likes[] = {DOOR_HASH,
                                        "$y$j9T$abcdefghijklmnop$xxI14acrF4kcY59GsyqJ1Dqdh",
                                        "$2b$04$abcdefghijklmnopqrstuuWkpQ",
                                        "$6$salt$abc",
                                        "$6$rounds=1000$salt$abc",
                                        "nonsense",
                                        NULL};
    for (size_t i = 0; i < sizeof likes / sizeof *likes; i++) {
        char setting[HASHER_SETTING_SIZE], again[HASHER_SETTING_SIZE];
        struct crypt_data data = {0};
        CU_ASSERT_TRUE(hasher_dummy(likes[i], setting));
        CU_ASSERT_TRUE(hasher_dummy(likes[i], again));
        CU_ASSERT_STRING_NOT_EQUAL(setting, again);
        const char *got = crypt_r("guess", setting, &data);
        CU_ASSERT_PTR_NOT_NULL_FATAL(got);
        CU_ASSERT_NOT_EQUAL(got[0], '*');
        if (got[0] == '*')
            fprintf(stderr, "crypt(3) refuses %s\n", setting);
        CU_ASSERT_TRUE(!likes[i] || likes[i][0] != '$' || strncmp(got, likes[i], 3) == 0);
    }
}

const struct unit_test hasher_tests[] = {
    {"right and wrong", test_check},
    {"a crowd", test_crowd},
    {"ended", test_ended},
    {"dummy settings", test_dummy},
    {NULL, NULL},
};
