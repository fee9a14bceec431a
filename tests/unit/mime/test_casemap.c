#include "../unit.h"

#include "postern/mime/casemap.h"

#include <string.h>

static void check(const char *in, const char *want)
{
    struct buf out = BUF_INIT(1000);
    CU_ASSERT(mime_casemap(in, strlen(in), &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
    if (strcmp(buf_str(&out), want) != 0)
        printf("\n\"%s\" gave \"%s\", not \"%s\"\n", in, buf_str(&out), want);
    buf_free(&out);
}

static void test_ascii(void)
{
    check("", "");
    check("Hello, World 09 @[`{~", "HELLO, WORLD 09 @[`{~");
    check("\r\n\t\x01", "\r\n\t\x01");
}

static void test_letters(void)
{
    check("straße", "STRAßE"); /* only simple mappings */
    check("жЖ", "ЖЖ");
    check("σςΣ", "ΣΣΣ");
    check("ı", "I");
    check("𐐨", "𐐀");
}

/* One character, or a letter and its mark. */
static void test_taken_apart(void)
{
    check("é", "E\xcc\x81");
    check("e\xcc\x81", "E\xcc\x81");
    check("ǆ", "DZ\xcc\x8c"); /* titlecase, apart, and titlecase again */
    check("ﬁ", "FI");
    check("①", "1");
    check("ﷺ", "\xd8\xb5\xd9\x84\xd9\x89 \xd8\xa7\xd9\x84\xd9\x84\xd9\x87 "
               "\xd8\xb9\xd9\x84\xd9\x8a\xd9\x87 \xd9\x88\xd8\xb3\xd9\x84\xd9\x85");
    check("\xef\xbf\xbd", "\xef\xbf\xbd");
}

static void test_hangul(void)
{
    check("가", "\xe1\x84\x80\xe1\x85\xa1");
    check("각", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8");
    check("힣", "\xe1\x84\x92\xe1\x85\xb5\xe1\x87\x82");
    check("\xed\x9e\xa4", "\xed\x9e\xa4"); /* behind the last */
}

static size_t utf8(unsigned code, char out[5])
{
    size_t n = 0;
    if (code < 0x80)
        out[n++] = (char)code;
    else if (code < 0x800)
        out[n++] = (char)(0xc0 | code >> 6);
    else if (code < 0x10000)
        out[n++] = (char)(0xe0 | code >> 12);
    else
        out[n++] = (char)(0xf0 | code >> 18);
    for (int shift = code < 0x80      ? -6
                     : code < 0x800   ? 0
                     : code < 0x10000 ? 6
                                      : 12;
         shift >= 0; shift -= 6)
        out[n++] = (char)(0x80 | (code >> shift & 0x3f));
    out[n] = '\0';
    return n;
}

/* Mapping twice changes nothing, and nothing grows more than is said. */
static void test_every_character(void)
{
    unsigned wrong = 0;
    for (unsigned code = 1; code <= 0x10ffff; code++) {
        struct buf once = BUF_INIT(1000), twice = BUF_INIT(1000);
        char text[5];
        if (code >= 0xd800 && code < 0xe000)
            continue;
        size_t n = utf8(code, text);
        wrong += !mime_casemap(text, n, &once) || once.len > n * MIME_CASEMAP_GROWTH;
        wrong += !mime_casemap(buf_str(&once), once.len, &twice);
        wrong += strcmp(buf_str(&once), buf_str(&twice)) != 0;
        buf_free(&once);
        buf_free(&twice);
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void test_cap_and_bad_input(void)
{
    struct buf out = BUF_INIT(3);
    CU_ASSERT(mime_casemap("abc", 3, &out));
    buf_clear(&out);
    CU_ASSERT_FALSE(mime_casemap("abcd", 4, &out));
    buf_clear(&out);
    CU_ASSERT_FALSE(mime_casemap("éé", 4, &out));
    buf_free(&out);
    check("a\xe9", "A\xe9"); /* cut short: stays as it is */
}

extern const struct unit_test casemap_tests[];
const struct unit_test casemap_tests[] = {
    {"ASCII", test_ascii},
    {"letters", test_letters},
    {"characters that are taken apart", test_taken_apart},
    {"Hangul", test_hangul},
    {"every character", test_every_character},
    {"cap, bad input", test_cap_and_bad_input},
    {NULL, NULL},
};
