#include "../unit.h"

#include "postern/base/clock.h"

#include <string.h>

static int64_t parsed(const char *s)
{
    int64_t ms = -1;
    return clock_parse_iso(s, strlen(s), &ms) ? ms : -1;
}

static void test_parse(void)
{
    CU_ASSERT_EQUAL(parsed("1970-01-01T00:00:00Z"), 0);
    CU_ASSERT_EQUAL(parsed("2026-06-01T10:00:00Z"), 1780308000000);
    CU_ASSERT_EQUAL(parsed("2026-06-01T12:00:00.1234567+02:00"), 1780308000123);
    CU_ASSERT_EQUAL(parsed("2024-02-29T00:00:00Z"), 1709164800000);
    CU_ASSERT_EQUAL(parsed("2019-05-24T10:16:21"), 1558692981000);
    CU_ASSERT_EQUAL(parsed("2026-02-29T00:00:00Z"), -1);
    CU_ASSERT_EQUAL(parsed("2026-13-01T00:00:00Z"), -1);
    CU_ASSERT_EQUAL(parsed("2026-01-01"), -1);
    CU_ASSERT_EQUAL(parsed("2026-01-01T00:00:00Zx"), -1);
    CU_ASSERT_EQUAL(parsed(""), -1);
}

static void test_format(void)
{
    char out[CLOCK_ISO_SIZE];
    clock_format_iso(1780308000123, out);
    CU_ASSERT_STRING_EQUAL(out, "2026-06-01T10:00:00Z");
    clock_format_iso(-1, out);
    CU_ASSERT_STRING_EQUAL(out, "1969-12-31T23:59:59Z");
}

static void test_day(void)
{
    int64_t ms;
    CU_ASSERT(clock_parse_day("2026-01-01", &ms));
    CU_ASSERT_EQUAL(ms, 1767225600000);
    CU_ASSERT(!clock_parse_day("2026-1-1", &ms));
    CU_ASSERT(!clock_parse_day("2026-01-01 ", &ms));
}

static void test_driven(void)
{
    clock_test_set(5, 7);
    CU_ASSERT_EQUAL(clock_mono_ms(), 5);
    CU_ASSERT_EQUAL(clock_wall_ms(), 7);
    clock_test_off();
    CU_ASSERT(clock_wall_ms() > 1700000000000);
}

extern const struct unit_test clock_tests[];
const struct unit_test clock_tests[] = {
    {"dates of Graph", test_parse},
    {"dates for Graph", test_format},
    {"days of settings", test_day},
    {"a driven clock", test_driven},
    {NULL, NULL},
};
