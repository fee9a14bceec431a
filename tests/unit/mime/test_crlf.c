#include "../unit.h"

#include "postern/mime/crlf.h"

#include <string.h>

static const struct {
    const char *in;
    const char *plain;
    const char *stuffed;
} cases[] = {
    {"", "", ""},
    {"a", "a\r\n", "a\r\n"},
    {"a\n", "a\r\n", "a\r\n"},
    {"a\r\n", "a\r\n", "a\r\n"},
    {"a\r", "a\r\n", "a\r\n"},
    {"a\rb", "a\r\nb\r\n", "a\r\nb\r\n"},
    {"a\r\r\nb\n\n", "a\r\n\r\nb\r\n\r\n", "a\r\n\r\nb\r\n\r\n"},
    {"\n\r", "\r\n\r\n", "\r\n\r\n"},
    {".", ".\r\n", "..\r\n"},
    {".\r\n..\n.a\r.", ".\r\n..\r\n.a\r\n.\r\n", "..\r\n...\r\n..a\r\n..\r\n"},
    {"a.\n.b.c", "a.\r\n.b.c\r\n", "a.\r\n..b.c\r\n"},
};

/* Feeds `in` in pieces cut at `first` and `second`. */
static void check_split(const char *in, const char *want, bool stuff, size_t first, size_t second,
                        size_t octets)
{
    struct buf out = BUF_INIT(1000);
    struct mime_crlf c;
    mime_crlf_init(&c, stuff);
    CU_ASSERT(mime_crlf_feed(&c, in, first, &out));
    CU_ASSERT(mime_crlf_feed(&c, in + first, second - first, &out));
    CU_ASSERT(mime_crlf_feed(&c, in + second, strlen(in) - second, &out));
    CU_ASSERT(mime_crlf_end(&c, &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
    CU_ASSERT_EQUAL(c.octets, octets);
    buf_free(&out);
}

static void test_every_split(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].in), octets = strlen(cases[i].plain);
        for (size_t first = 0; first <= len; first++) {
            for (size_t second = first; second <= len; second++) {
                check_split(cases[i].in, cases[i].plain, false, first, second, octets);
                check_split(cases[i].in, cases[i].stuffed, true, first, second, octets);
            }
        }
    }
}

static void test_literal_form(void)
{
    static const char in[] = "a\nb\r\n\rc\r\r\n\n\nlast\r",
                      want[] = "a\r\nb\r\n\rc\r\r\n\r\n\r\nlast\r";
    for (size_t first = 0; first < sizeof in; first++) {
        struct buf out = BUF_INIT(100);
        struct mime_crlf c;
        mime_crlf_init_literal(&c);
        CU_ASSERT(mime_crlf_feed(&c, in, first, &out));
        CU_ASSERT(mime_crlf_feed(&c, in + first, sizeof in - 1 - first, &out));
        CU_ASSERT(mime_crlf_end(&c, &out));
        CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
        CU_ASSERT_EQUAL(c.octets, sizeof want - 1);
        buf_free(&out);
    }
}

static void test_wire_form_stays(void)
{
    static const char wire[] = "a: b\r\n\r\n\0\x80\xff.\r\n.\r\n";
    struct buf out = BUF_INIT(100);
    struct mime_crlf c;
    mime_crlf_init(&c, false);
    CU_ASSERT(mime_crlf_feed(&c, wire, sizeof wire - 1, &out));
    CU_ASSERT(mime_crlf_end(&c, &out));
    CU_ASSERT_EQUAL(out.len, sizeof wire - 1);
    CU_ASSERT(memcmp(buf_str(&out), wire, out.len) == 0);
    buf_free(&out);
}

static void test_cap(void)
{
    struct buf out = BUF_INIT(4);
    struct mime_crlf c;
    mime_crlf_init(&c, true);
    CU_ASSERT(mime_crlf_feed(&c, ".\n", 2, &out));
    CU_ASSERT(!mime_crlf_feed(&c, ".", 1, &out));
    buf_clear(&out);
    mime_crlf_init(&c, false);
    CU_ASSERT(mime_crlf_feed(&c, "abc", 3, &out));
    CU_ASSERT(!mime_crlf_end(&c, &out));
    buf_free(&out);
}

extern const struct unit_test crlf_tests[];
const struct unit_test crlf_tests[] = {
    {"literals keep what they can carry", test_literal_form},
    {"every split gives the same", test_every_split},
    {"wire form stays as it is", test_wire_form_stays},
    {"over the cap", test_cap},
    {NULL, NULL},
};
