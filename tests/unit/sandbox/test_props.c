#include "../unit.h"

#include "props.h"

#include <string.h>

static const char *echoed(const char *text)
{
    static char out[PROP_ID_SIZE];
    struct prop_id id;
    if (!prop_id_parse(text, &id))
        return "";
    prop_id_format(&id, out);
    return out;
}

static void test_spelling(void)
{
    CU_ASSERT_STRING_EQUAL(echoed("Integer 0x0E08"), "Integer 0xe08");
    CU_ASSERT_STRING_EQUAL(echoed("String 0x007D"), "String 0x7d");
    CU_ASSERT_STRING_EQUAL(echoed("Integer {00062008-0000-0000-C000-000000000046} Id 0x8570"),
                           "Integer {00062008-0000-0000-c000-000000000046} Id 0x8570");
    CU_ASSERT_STRING_EQUAL(echoed("String {8f0f7d1a-5f0e-4c47-9a35-5c3a2f6f9b61} Name A b"),
                           "String {8f0f7d1a-5f0e-4c47-9a35-5c3a2f6f9b61} Name A b");
}

static void test_refused(void)
{
    static const char *const bad[] = {"",
                                      "Integer",
                                      "Integer 0E08",
                                      "Integer 0x",
                                      "Integer 0x10000",
                                      "Integer 0x0E08 ",
                                      "Thing 0x0E08",
                                      "String {8f0f7d1a-5f0e-4c47-9a35-5c3a2f6f9b61} Name ",
                                      "String {8f0f7d1a-5f0e-4c47-9a35} Name x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_STRING_EQUAL(echoed(bad[i]), "");
}

static void test_values(void)
{
    CU_ASSERT(prop_value_fits(PROP_INTEGER, "-5"));
    CU_ASSERT(prop_value_fits(PROP_INTEGER, "2147483647"));
    CU_ASSERT(!prop_value_fits(PROP_INTEGER, "2147483648"));
    CU_ASSERT(prop_value_fits(PROP_LONG, "2147483648"));
    CU_ASSERT(!prop_value_fits(PROP_INTEGER, "5x"));
    CU_ASSERT(prop_value_fits(PROP_BOOLEAN, "true"));
    CU_ASSERT(!prop_value_fits(PROP_BOOLEAN, "1"));
    CU_ASSERT(prop_value_fits(PROP_SYSTEMTIME, "2026-06-01T10:00:00Z"));
    CU_ASSERT(!prop_value_fits(PROP_SYSTEMTIME, "yesterday"));
}

static void test_set(void)
{
    struct prop_set set = {0}, copy = {0};
    struct prop_id integer, same, other;
    prop_id_parse("Integer 0x1081", &integer);
    prop_id_parse("Long 0x1081", &same);
    prop_id_parse("Integer 0x1082", &other);
    prop_put(&set, &integer, "102");
    prop_put(&set, &same, "104");
    CU_ASSERT_EQUAL(set.count, 1);
    CU_ASSERT_STRING_EQUAL(prop_get(&set, &integer), "104");
    CU_ASSERT_PTR_NULL(prop_get(&set, &other));
    prop_copy(&copy, &set);
    CU_ASSERT_STRING_EQUAL(prop_get(&copy, &integer), "104");
    prop_free(&set);
    prop_free(&copy);
}

extern const struct unit_test props_tests[];
const struct unit_test props_tests[] = {
    {"Graph's spelling", test_spelling},
    {"ids that are refused", test_refused},
    {"values and types", test_values},
    {"a set", test_set},
    {NULL, NULL},
};
