#include "postern/base/text.h"

#include "../unit.h"

#include "postern/base/error.h"

#include <string.h>

static void expect(const char *text, size_t size, const char *want)
{
    char out[64];
    memset(out, 'x', sizeof out);
    text_clean(text, out, size);
    CU_ASSERT_STRING_EQUAL(out, want);
    CU_ASSERT_EQUAL(out[size], 'x');
}

static void test_clean(void)
{
    expect("plain", 32, "plain");
    expect("", 32, "");
    expect("a\r\nb\tc\x7f"
           "d\x1b[2J",
           32,
           "a?"
           "?b?c?d?[2J");
    expect("gr\xc3\xbc\xc3\x9f", 32, "gr\xc3\xbc\xc3\x9f");
    expect("C1 \xc2\x9b, bidi \xe2\x80\xae, line \xe2\x80\xa8", 40, "C1 ?, bidi ?, line ?");
    expect("cut \xc3", 32, "cut ?");
    expect("\xff\xfe\xc0\xaf", 32,
           "?"
           "?"
           "?"
           "?");
    expect("\xf0\x9f\x93\xa0", 32, "\xf0\x9f\x93\xa0");
}

static void test_limits(void)
{
    expect("abcdef", 7, "abcdef");
    expect("abcdef", 6, "abcde");
    expect("abc\xc3\xbc", 6, "abc\xc3\xbc");
    expect("abc\xc3\xbc", 5, "abc"); /* no half characters */
    expect("abc", 1, "");
}

static void test_lengths(void)
{
    CU_ASSERT_EQUAL(text_utf8_len("a"), 1);
    CU_ASSERT_EQUAL(text_utf8_len("\xc3\xbc"), 2);
    CU_ASSERT_EQUAL(text_utf8_len("\xe2\x82\xac"), 3);
    CU_ASSERT_EQUAL(text_utf8_len("\xf4\x8f\xbf\xbf"), 4);
    CU_ASSERT_EQUAL(text_utf8_len("\xf4\x90\x80\x80"), 0);
    CU_ASSERT_EQUAL(text_utf8_len("\xc1\xbf"), 0);
    CU_ASSERT_EQUAL(text_utf8_len("\xe0\x9f\xbf"), 0);
    CU_ASSERT_EQUAL(text_utf8_len("\x80"), 0);
}

/* The text of an error holds words of servers and ends up in logs and on terminals. */
static void test_errors(void)
{
    struct error e = ERROR_INIT;
    error_set(&e, ERROR_LOCAL, "a\r\nb\x1b[2J\xc2\x9b\x31m\xe2\x80\xae gr\xc3\xbc\xc3\x9f \xff");
    CU_ASSERT_STRING_EQUAL(e.text, "a  b [2J  1m    gr\xc3\xbc\xc3\x9f \xff");
    error_prefix(&e, "x\n");
    CU_ASSERT_EQUAL(strncmp(e.text, "x a  b", 6), 0);
}

extern const struct unit_test text_tests[];
const struct unit_test text_tests[] = {
    {"what is shown is clean", test_clean},
    {"whole characters are cut off", test_limits},
    {"lengths of sequences", test_lengths},
    {"texts of errors", test_errors},
    {NULL, NULL},
};
