#include "../unit.h"

#include "scheduler.h"

#include "postern/base/clock.h"

#include <string.h>

#define NOW      1000
#define DEADLINE 60000

static struct sched sched;
static struct sched_tenant tenant;
static struct sched_identity app, person;
static struct sched_user alice, bob;
static struct sched_item items[40];
static int key_a, key_b, key_c;

static void setup(void)
{
    memset(&sched, 0, sizeof sched);
    memset(&tenant, 0, sizeof tenant);
    app = person = (struct sched_identity){0};
    memset(items, 0, sizeof items);
    alice = (struct sched_user){.tenant = &tenant, .max = 4};
    bob = (struct sched_user){.tenant = &tenant, .max = 4};
}

static struct sched_item *put(size_t i, struct sched_user *u, const void *key, bool background)
{
    items[i] = (struct sched_item){.user = u,
                                   .identity = &app,
                                   .fair_key = key,
                                   .background = background,
                                   .deadline_ms = DEADLINE};
    sched_put(&sched, &items[i]);
    return &items[i];
}

/* Grants and gives back all that is left, so that nothing leaks. */
static void drain(void)
{
    struct sched_item *i;
    app.blocked = false;
    tenant.max = 0;
    alice.pause_until_ms = bob.pause_until_ms = 0;
    while ((i = sched_grant(&sched, DEADLINE)))
        sched_release(i);
    CU_ASSERT_PTR_NULL(sched.first);
    CU_ASSERT_PTR_NULL(alice.keys);
    CU_ASSERT_EQUAL(tenant.running, 0);
    CU_ASSERT_EQUAL(app.waiting, 0);
}

static void test_slots(void)
{
    setup();
    for (size_t i = 0; i < 6; i++)
        put(i, &alice, &key_a, false);
    put(6, &bob, &key_a, false);
    struct sched_item *granted[5];
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_PTR_NOT_NULL_FATAL(granted[i] = sched_grant(&sched, NOW));
    CU_ASSERT_PTR_NULL(sched_grant(&sched, NOW));
    CU_ASSERT_EQUAL(alice.running, 4);
    CU_ASSERT_EQUAL(bob.running, 1);
    sched_release(granted[0]);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), &items[4]);
    for (size_t i = 1; i < 5; i++)
        sched_release(granted[i]);
    sched_release(&items[4]);
    drain();
}

static void test_tenant_cap(void)
{
    setup();
    tenant.max = 1;
    put(0, &alice, &key_a, true);
    put(1, &alice, &key_a, true);
    put(2, &bob, &key_a, false);
    struct sched_item *first = sched_grant(&sched, NOW);
    CU_ASSERT_PTR_EQUAL(first, &items[2]);
    CU_ASSERT_PTR_NULL(sched_grant(&sched, NOW));
    sched_release(first);
    drain();
}

static void test_interactive_first(void)
{
    setup();
    put(0, &alice, &key_a, true);
    put(1, &alice, &key_b, false);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), &items[1]);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), &items[0]);
    sched_release(&items[0]);
    sched_release(&items[1]);
    drain();
}

static void test_fair(void)
{
    setup();
    alice.max = 1;
    for (size_t i = 0; i < 6; i++)
        put(i, &alice, &key_a, false);
    put(6, &alice, &key_b, false);
    put(7, &alice, &key_b, false);
    put(8, &alice, &key_c, false);
    static const size_t order[] = {0, 6, 8, 1, 7, 2, 3, 4, 5};
    for (size_t i = 0; i < 9; i++) {
        struct sched_item *item = sched_grant(&sched, NOW);
        CU_ASSERT_PTR_EQUAL_FATAL(item, &items[order[i]]);
        sched_release(item);
    }
    drain();
}

/* A key that comes back again and again does not overtake the ones that wait. */
static void test_newcomer(void)
{
    setup();
    alice.max = 1;
    for (size_t i = 0; i < 3; i++) {
        put(i, &alice, &key_a, false);
        put(10 + i, &alice, &key_b, false);
    }
    unsigned mine = 0;
    for (size_t i = 0; i < 6; i++) {
        put(20 + i, &alice, &key_c, false);
        struct sched_item *item = sched_grant(&sched, NOW);
        mine += item->fair_key == &key_c;
        sched_release(item);
    }
    CU_ASSERT_EQUAL(mine, 2);
    drain();
}

static void test_pause(void)
{
    setup();
    put(0, &alice, &key_a, false);
    put(1, &bob, &key_a, false);
    sched_pause(&alice, NOW + 500);
    sched_pause(&alice, NOW + 100);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), &items[1]);
    CU_ASSERT_PTR_NULL(sched_grant(&sched, NOW + 499));
    CU_ASSERT_EQUAL(sched_wake_at(&sched, NOW), NOW + 500);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW + 500), &items[0]);
    CU_ASSERT_EQUAL(sched_wake_at(&sched, NOW), CLOCK_NEVER);
    sched_release(&items[0]);
    sched_release(&items[1]);
    drain();
}

static void test_not_before(void)
{
    setup();
    put(0, &alice, &key_a, false);
    items[0].not_before_ms = NOW + 50;
    put(1, &alice, &key_a, false);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), &items[1]);
    CU_ASSERT_PTR_NULL(sched_grant(&sched, NOW + 49));
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW + 50), &items[0]);
    sched_release(&items[0]);
    sched_release(&items[1]);
    drain();
}

static void test_deadline(void)
{
    setup();
    put(0, &alice, &key_a, false);
    put(1, &bob, &key_a, false);
    CU_ASSERT_PTR_NULL(sched_expired(&sched, DEADLINE - 1));
    CU_ASSERT_EQUAL(sched_wake_at(&sched, NOW), DEADLINE);
    sched_pause(&alice, DEADLINE);
    CU_ASSERT_PTR_EQUAL(sched_expired(&sched, NOW), &items[0]);
    CU_ASSERT_PTR_NULL(sched_expired(&sched, NOW));
    CU_ASSERT_PTR_EQUAL(sched_expired(&sched, DEADLINE), &items[1]);
    drain();
}

static void test_blocked(void)
{
    setup();
    put(0, &alice, &key_a, false);
    app.blocked = true;
    CU_ASSERT_EQUAL(app.waiting, 1);
    CU_ASSERT_PTR_NULL(sched_grant(&sched, NOW));
    sched_remove(&sched, &items[0]);
    CU_ASSERT_EQUAL(app.waiting, 0);
    drain();
}

/* A batch takes the slots of what is in it, waits for them, and is not overtaken meanwhile. */
static void test_several_slots(void)
{
    setup();
    struct sched_item *one = put(0, &alice, &key_a, false);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), one);
    struct sched_item *batch = put(1, &alice, &key_b, false), *late = put(2, &alice, &key_c, false);
    put(3, &alice, &key_c, true);
    batch->slots = 4;
    struct sched_item *other = put(4, &bob, &key_a, false);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), other);
    CU_ASSERT_PTR_NULL(sched_grant(&sched, NOW));
    sched_release(one);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), batch);
    CU_ASSERT_EQUAL(alice.running, 4);
    CU_ASSERT_PTR_NULL(sched_grant(&sched, NOW));
    alice.max = 2; /* reloaded meanwhile */
    sched_release(batch);
    CU_ASSERT_EQUAL(alice.running, 0);
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), late);
    sched_release(late);
    sched_release(other);
    /* More than there are: all of them. */
    put(1, &alice, &key_b, false)->slots = 4;
    CU_ASSERT_PTR_EQUAL(sched_grant(&sched, NOW), batch);
    CU_ASSERT_EQUAL(alice.running, 2);
    sched_release(batch);
    drain();
}

extern const struct unit_test scheduler_tests[];
const struct unit_test scheduler_tests[] = {
    {"four slots a mailbox", test_slots},
    {"several slots for one", test_several_slots},
    {"a cap over all mailboxes", test_tenant_cap},
    {"interactive before background", test_interactive_first},
    {"slots go round between keys", test_fair},
    {"a newcomer waits its turn", test_newcomer},
    {"a pause holds one mailbox", test_pause},
    {"a retry waits alone", test_not_before},
    {"hopeless calls end early", test_deadline},
    {"no token, no start", test_blocked},
    {NULL, NULL},
};
