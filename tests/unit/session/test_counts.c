#include "../unit.h"

#include "counts.h"

static void test_limits(void)
{
    const struct config_limits limits = {.max_connections = 3, .max_connections_per_address = 2};
    struct counts *c = counts_new();
    CU_ASSERT_PTR_NULL(counts_enter(c, &limits));
    CU_ASSERT_PTR_NULL(counts_enter_address(c, &limits, "192.0.2.7"));
    CU_ASSERT_PTR_NULL(counts_enter(c, &limits));
    CU_ASSERT_PTR_NULL(counts_enter_address(c, &limits, "192.0.2.7"));
    CU_ASSERT_PTR_NULL(counts_enter(c, &limits));
    CU_ASSERT_STRING_EQUAL(counts_enter_address(c, &limits, "192.0.2.7"),
                           "max-connections-per-address");
    CU_ASSERT_PTR_NULL(counts_enter_address(c, &limits, "192.0.2.8"));
    CU_ASSERT_STRING_EQUAL(counts_enter(c, &limits), "max-connections");
    CU_ASSERT_EQUAL(counts_total(c), 3);

    /* A place that becomes free is given again, in all and of the address. */
    counts_leave(c, "192.0.2.7");
    CU_ASSERT_PTR_NULL(counts_enter(c, &limits));
    CU_ASSERT_PTR_NULL(counts_enter_address(c, &limits, "192.0.2.7"));
    CU_ASSERT_PTR_NOT_NULL(counts_enter(c, &limits));
    counts_leave(c, "192.0.2.7");
    counts_leave(c, "192.0.2.7");
    counts_leave(c, "192.0.2.8");
    CU_ASSERT_EQUAL(counts_total(c), 0);

    /* One whose address was never counted takes none away. */
    CU_ASSERT_PTR_NULL(counts_enter(c, &limits));
    counts_leave(c, "");
    CU_ASSERT_EQUAL(counts_total(c), 0);
    counts_free(&c);
    CU_ASSERT_PTR_NULL(c);
    counts_free(&c);
}

const struct unit_test counts_tests[] = {
    {"limits", test_limits},
    {NULL, NULL},
};
