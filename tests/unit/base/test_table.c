#include "../unit.h"

#include "postern/base/table.h"

#include <stdint.h>

#define MANY 5000

static bool count_up_to(void *arg, const char *key, void *value)
{
    int *left = arg;
    (void)key;
    (void)value;
    return --*left > 0;
}

static void test_many(void)
{
    struct table *t = table_new();
    char key[32];
    for (intptr_t i = 1; i <= MANY; i++) {
        snprintf(key, sizeof key, "key-%d", (int)i);
        CU_ASSERT_PTR_NULL(table_put(t, key, (void *)i));
    }
    CU_ASSERT_EQUAL(table_count(t), MANY);
    for (intptr_t i = 1; i <= MANY; i += 2) {
        snprintf(key, sizeof key, "key-%d", (int)i);
        CU_ASSERT_EQUAL((intptr_t)table_remove(t, key), i);
        CU_ASSERT_PTR_NULL(table_remove(t, key));
    }
    for (intptr_t i = 1; i <= MANY; i++) {
        snprintf(key, sizeof key, "key-%d", (int)i);
        CU_ASSERT_EQUAL((intptr_t)table_get(t, key), i % 2 ? 0 : i);
    }
    int left = 10;
    table_each(t, count_up_to, &left);
    CU_ASSERT_EQUAL(left, 0);
    table_free(&t);
    CU_ASSERT_PTR_NULL(t);
    table_free(&t);
}

static void test_replace(void)
{
    struct table *t = table_new();
    int a, b;
    CU_ASSERT_PTR_NULL(table_put(t, "", &a));
    CU_ASSERT_PTR_EQUAL(table_put(t, "", &b), &a);
    CU_ASSERT_PTR_EQUAL(table_get(t, ""), &b);
    CU_ASSERT_EQUAL(table_count(t), 1);
    table_free(&t);
}

extern const struct unit_test table_tests[];
const struct unit_test table_tests[] = {
    {"many keys", test_many},
    {"replace", test_replace},
    {NULL, NULL},
};
