#include "../unit.h"

#include "utf7.h"

#include <string.h>

static const struct {
    const char *wire;
    const char *utf8;
} pairs[] = {
    {"", ""},
    {"INBOX", "INBOX"},
    {"A&-B", "A&B"},
    {"&-&-", "&&"},
    {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"}, /* RFC 3501 section 5.1.3 */
    {"Entw&APw-rfe", "Entwürfe"},
    {"&2D3eAA-", "😀"},
    {"x&2D3eANg93gE-y", "x😀😁y"},
    {"&AAk-", "\t"},
    {"&,,8-", "\xef\xbf\xbf"},
    {"&2,,f,w-", "\xf4\x8f\xbf\xbf"},
    {"&AOk-&-", "é&"},
    {NULL, NULL},
};

static void test_both_ways(void)
{
    struct buf out = BUF_INIT(256);
    for (int i = 0; pairs[i].wire; i++) {
        buf_clear(&out);
        CU_ASSERT_TRUE(imap_utf7_decode(pairs[i].wire, &out));
        CU_ASSERT_STRING_EQUAL(buf_str(&out), pairs[i].utf8);
        buf_clear(&out);
        CU_ASSERT_TRUE(imap_utf7_encode(pairs[i].utf8, &out));
        CU_ASSERT_STRING_EQUAL(buf_str(&out), pairs[i].wire);
    }
    buf_free(&out);
}

static void test_malformed(void)
{
    static const char *const bad[] = {"&",                  /* an open shift */
                                      "&AOk",               /* one that does not end */
                                      "caf\xc3\xa9",        /* 8-bit */
                                      "a\tb",               /* a control character */
                                      "&AOk=-",             /* padding */
                                      "&AO/k-",             /* not the alphabet's */
                                      "&AO-",               /* half a unit */
                                      "&AOl-",              /* stray bits */
                                      "&AOkA-",             /* a whole surplus digit */
                                      "&AGE-",              /* "a" stands for itself */
                                      "&AGEA4Q-",           /* also in company */
                                      "&ACY-",              /* so does "&", as "&-" */
                                      "&AAA-",              /* NUL */
                                      "&2D0-",              /* half a surrogate pair */
                                      "&3gDYPQ-",           /* the wrong half first */
                                      "&2D0A4Q-",           /* a high half and no low one */
                                      "&Jjo!",              /* RFC 3501: no shift back */
                                      "&U,BTFw-&ZeVnLIqe-", /* RFC 3501: a superfluous shift */
                                      NULL};
    struct buf out = BUF_INIT(256);
    for (const char *const *s = bad; *s; s++) {
        buf_clear(&out);
        CU_ASSERT_FALSE(imap_utf7_decode(*s, &out));
    }
    buf_free(&out);
}

static void test_not_utf8(void)
{
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xf4\x90\x80\x80",
                                      NULL};
    struct buf out = BUF_INIT(256);
    for (const char *const *s = bad; *s; s++)
        CU_ASSERT_FALSE(imap_utf7_encode(*s, &out));
    buf_free(&out);
}

static void test_caps(void)
{
    for (size_t cap = 0; cap < 8; cap++) {
        struct buf out = BUF_INIT(cap);
        CU_ASSERT_EQUAL(imap_utf7_encode("\xc3\xa9x&", &out), cap >= 8);
        buf_free(&out);
        struct buf back = BUF_INIT(cap);
        CU_ASSERT_EQUAL(imap_utf7_decode("&AOk-x&-", &back), cap >= 4);
        buf_free(&back);
    }
}

const struct unit_test utf7_tests[] = {
    {"both ways", test_both_ways},
    {"malformed", test_malformed},
    {"not UTF-8", test_not_utf8},
    {"caps", test_caps},
    {NULL, NULL},
};
