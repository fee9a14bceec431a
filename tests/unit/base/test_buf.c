#include "../unit.h"

#include "postern/base/buf.h"

#include <string.h>

static void test_cap_on_both_sides(void)
{
    struct buf b = BUF_INIT(10);
    CU_ASSERT(buf_append(&b, "0123456789", 10));
    CU_ASSERT(!buf_putc(&b, 'x'));
    CU_ASSERT(b.overflow);
    CU_ASSERT_STRING_EQUAL(buf_str(&b), "0123456789");
    buf_clear(&b);
    CU_ASSERT(!b.overflow);
    CU_ASSERT(!buf_append(&b, "0123456789a", 11));
    CU_ASSERT_EQUAL(b.len, 0);
    buf_free(&b);
}

static void test_consume_and_printf(void)
{
    struct buf b = BUF_INIT(1000);
    CU_ASSERT(buf_printf(&b, "%s-%d", "abc", 42));
    buf_consume(&b, 4);
    CU_ASSERT_STRING_EQUAL(buf_str(&b), "42");
    buf_consume(&b, 99);
    CU_ASSERT_STRING_EQUAL(buf_str(&b), "");
    buf_free(&b);
    CU_ASSERT_STRING_EQUAL(buf_str(&b), "");
}

static void test_steal(void)
{
    struct buf b = BUF_INIT(100);
    char *empty = buf_steal(&b);
    CU_ASSERT_STRING_EQUAL(empty, "");
    free(empty);
    buf_puts(&b, "x");
    char *s = buf_steal(&b);
    CU_ASSERT_STRING_EQUAL(s, "x");
    CU_ASSERT_EQUAL(b.len, 0);
    free(s);
}

extern const struct unit_test buf_tests[];
const struct unit_test buf_tests[] = {
    {"a cap holds on both sides", test_cap_on_both_sides},
    {"consume and printf", test_consume_and_printf},
    {"steal leaves it empty", test_steal},
    {NULL, NULL},
};
