#include "../unit.h"

#include "postern/mime/charset.h"

#include <string.h>

#define R "\xef\xbf\xbd" /* U+FFFD */

static const struct {
    const char *charset;
    const char *in;
    const char *out;
} cases[] = {
    {NULL, "plain \r\n\x01", "plain \r\n\x01"},
    {"utf-8", "\xe2\x82\xac", "\xe2\x82\xac"},
    {"utf-8", "\xe2\x82", R},
    {"utf-8", "\xe2\x82x", R "x"},
    {"UTF-8", "\xc0\xaf", R R},
    {"utf-8", "\xed\xa0\x80", R R R},
    {"utf-8", "\xf4\x90\x80\x80", R R R R},
    {"utf-8", "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    {"utf-8", "\xe0\x80\x80\xf0\x80", R R R R R},
    {"utf-8", "\x80\xff", R R},
    {"iso-8859-1", "\xe9", "\xc3\xa9"},
    {"latin1", "\xe9", "\xc3\xa9"},
    {"us-ascii", "a\xe9", "a" R},
    {"x-unknown", "a\xe9", "a" R},
    {"", "a", "a"},
    {"big5", "a\xff", "a" R},
    {"shift_jis", "\x93", R},
    {"utf-16be", "\x20\xac", "\xe2\x82\xac"},
    {"utf-8//TRANSLIT", "a\xe9", "a" R},
    {"INTERNAL", "abcd", "abcd"},
    {"unicode-1-1-utf-7", "+IKw-", "\xe2\x82\xac"},
    {"ks_c_5601-1987", "\xc7\xd1", "\xed\x95\x9c"},
    {"a-name-of-more-than-forty-characters-in-all", "a", "a"},
};

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *charset = cases[i].charset;
        struct buf out = BUF_INIT(200);
        CU_ASSERT(mime_charset_to_utf8(charset, charset ? strlen(charset) : 0, cases[i].in,
                                       strlen(cases[i].in), &out));
        CU_ASSERT_STRING_EQUAL(buf_str(&out), cases[i].out);
        buf_free(&out);
    }
}

/* More than one piece of the converter's own buffer. */
static void test_long_text(void)
{
    char in[3000];
    memset(in, 0xe9, sizeof in);
    struct buf out = BUF_INIT(6000), small = BUF_INIT(5999);
    CU_ASSERT(mime_charset_to_utf8("iso-8859-1", 10, in, sizeof in, &out));
    CU_ASSERT_EQUAL(out.len, 6000);
    CU_ASSERT(!mime_charset_to_utf8("iso-8859-1", 10, in, sizeof in, &small));
    buf_free(&out);
    buf_free(&small);
}

static void test_known(void)
{
    static const char *const known[] = {"utf-8", "US-ASCII", "ISO-8859-15", "koi8-r", "x-sjis"};
    static const char *const unknown[] = {"", "x-unknown", "UTF-8//IGNORE", "UCS-4-INTERNAL"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CU_ASSERT(mime_charset_known(known[i], strlen(known[i])));
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        CU_ASSERT(!mime_charset_known(unknown[i], strlen(unknown[i])));
}

extern const struct unit_test charset_tests[];
const struct unit_test charset_tests[] = {
    {"valid, invalid, unknown", test_cases},
    {"long text and the cap", test_long_text},
    {"known", test_known},
    {NULL, NULL},
};
