#include "../unit.h"

#include "oracle.h"
#include "postern/mime/word.h"

#include <string.h>

#define R "\xef\xbf\xbd" /* U+FFFD */

static void check(const char *in, const char *want)
{
    struct buf out = BUF_INIT(1000);
    CU_ASSERT(mime_text_decode(in, strlen(in), &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
    if (strcmp(buf_str(&out), want) != 0)
        printf("\n\"%s\" gave \"%s\", not \"%s\"\n", in, buf_str(&out), want);
    buf_free(&out);
}

static void test_as_python(void)
{
    for (size_t i = 0; i < sizeof oracle_words / sizeof *oracle_words; i++)
        check(oracle_words[i].in, oracle_words[i].out);
}

static void test_folding(void)
{
    check(" one\r\n two\n\tthree ", "one two three");
    check("=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab");
    check("a\rb\nc", "a b c");
    check("\r\n\r\n", "");
}

static void test_characters_cut_between_words(void)
{
    check("=?utf-8?q?=E2=82?= =?UTF-8?q?=AC?=", "\xe2\x82\xac");
    check("=?utf-8?b?4g==?= =?utf-8?b?gqw=?=", "\xe2\x82\xac");
    check("=?utf-8?q?=E2=82?= =?us-ascii?q?x?=", R "x");
    check("=?utf-8?q?=E2=82?= x =?utf-8?q?=AC?=", R " x " R);
}

static void test_broken_words(void)
{
    check("a=?utf-8?q?b?=c", "abc");
    check("=?utf-8?q?with space?=", "with space");
    check("=?utf-8*de?q?tagged?=", "tagged");
    check("=??q?none?=", "none");
    check("=?no-such-charset?q?a=E9?=", "a" R);
    check("=?utf-8?b?QUJ?=", "AB");
    check("=?utf-8?b?*?=", "");
    check("=?utf-8?q", "=?utf-8?q");
    check("=?utf-8?", "=?utf-8?");
    check("=?a b?q?x?=", "=?a b?q?x?=");
    check("=?=?utf-8?q?x?=", "=?x");
    check("raw \xe9 and \xc3\xa9", "raw " R " and \xc3\xa9");
}

static void test_control_characters(void)
{
    check("=?utf-8?q?a=0D=0AEvil:_b=00=7F=1B?=", "a  Evil: b   ");
    check("a\tb", "a b");
    check("=?utf-8?q?=C2=9Bx=C2=A0y?=", " x\xc2\xa0y");
}

static void test_cap(void)
{
    struct buf out = BUF_INIT(3);
    CU_ASSERT(mime_text_decode("=?utf-8?q?abc?=", 15, &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "abc");
    buf_clear(&out);
    CU_ASSERT(!mime_text_decode("=?utf-8?q?abcd?=", 16, &out));
    buf_free(&out);
}

/* Openings without end must cost one pass: this takes minutes if each of them searches anew. */
static void test_many_openings(void)
{
    static const char opening[] = "=?a?q?x";
    size_t count = 300000, each = sizeof opening - 1;
    char *in = malloc(count * each);
    for (size_t i = 0; i < count; i++)
        memcpy(in + i * each, opening, each);
    struct buf out = BUF_INIT(count * each);
    CU_ASSERT(mime_text_decode(in, count * each, &out));
    CU_ASSERT_EQUAL(out.len, count * each);
    buf_free(&out);
    free(in);
}

extern const struct unit_test word_tests[];
const struct unit_test word_tests[] = {
    {"as Python decodes", test_as_python},
    {"folding", test_folding},
    {"characters cut between words", test_characters_cut_between_words},
    {"broken words", test_broken_words},
    {"control characters", test_control_characters},
    {"over the cap", test_cap},
    {"many openings", test_many_openings},
    {NULL, NULL},
};
