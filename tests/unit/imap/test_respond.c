#include "../unit.h"

#include "respond.h"

#include <string.h>

static const char *text_of(struct buf *b)
{
    static char copy[4096];
    snprintf(copy, sizeof copy, "%s", buf_str(b));
    buf_free(b);
    return copy;
}

static const char *string_of(const char *text, size_t len)
{
    struct buf out = BUF_INIT(4096);
    imap_put_nstring(&out, text, len);
    return text_of(&out);
}

static void test_strings(void)
{
    CU_ASSERT_STRING_EQUAL(string_of(NULL, 0), "NIL");
    CU_ASSERT_STRING_EQUAL(string_of("", 0), "\"\"");
    CU_ASSERT_STRING_EQUAL(string_of("a \"b\\", 5), "\"a \\\"b\\\\\"");
    CU_ASSERT_STRING_EQUAL(string_of("a\r\nb", 4), "{4}\r\na\r\nb");
    CU_ASSERT_STRING_EQUAL(string_of("\xc3\xa9", 2), "{2}\r\n\xc3\xa9");
    CU_ASSERT_STRING_EQUAL(string_of("a\0b\0", 4), "{4}\r\na\x80"
                                                   "b\x80");
}

static const char *astring_of(const char *text)
{
    struct buf out = BUF_INIT(4096);
    imap_put_astring(&out, text);
    return text_of(&out);
}

static void test_astrings(void)
{
    CU_ASSERT_STRING_EQUAL(astring_of("INBOX"), "INBOX");
    CU_ASSERT_STRING_EQUAL(astring_of("a/b&-c"), "a/b&-c");
    CU_ASSERT_STRING_EQUAL(astring_of(""), "\"\"");
    CU_ASSERT_STRING_EQUAL(astring_of("nil"), "\"nil\"");
    CU_ASSERT_STRING_EQUAL(astring_of("a b"), "\"a b\"");
    CU_ASSERT_STRING_EQUAL(astring_of("50%"), "\"50%\"");
    CU_ASSERT_STRING_EQUAL(astring_of("(x)"), "\"(x)\"");
    CU_ASSERT_STRING_EQUAL(astring_of("a]"), "\"a]\"");
}

static void test_mailboxes(void)
{
    struct buf out = BUF_INIT(4096), bad = BUF_INIT(64);
    CU_ASSERT_TRUE(imap_put_mailbox(&out, "Entwürfe & mehr"));
    CU_ASSERT_STRING_EQUAL(text_of(&out), "\"Entw&APw-rfe &- mehr\"");
    CU_ASSERT_FALSE(imap_put_mailbox(&bad, "\xff"));
    buf_free(&bad);
}

static const char *date_of(int64_t ms)
{
    struct buf out = BUF_INIT(64);
    imap_put_date(&out, ms);
    return text_of(&out);
}

static void test_dates(void)
{
    CU_ASSERT_STRING_EQUAL(date_of(0), "\" 1-Jan-1970 00:00:00 +0000\"");
    CU_ASSERT_STRING_EQUAL(date_of(-1), "\"31-Dec-1969 23:59:59 +0000\"");
    CU_ASSERT_STRING_EQUAL(date_of(INT64_C(1795239864000)), "\"21-Nov-2026 05:44:24 +0000\"");
}

static void test_errors(void)
{
    struct error e = ERROR_INIT;
    char text[IMAP_ERROR_TEXT_SIZE];
    error_set(&e, ERROR_THROTTLED, "429 from graph");
    snprintf(e.request_id, sizeof e.request_id, "7b1e");
    imap_error_text(&e, text);
    CU_ASSERT_STRING_EQUAL(imap_error_code(e.kind), "UNAVAILABLE");
    CU_ASSERT_STRING_EQUAL(
        text, "Microsoft 365 is slowing this mailbox down, try again later (request-id 7b1e)");
    /* What was asked for is spoken of in the error's own words, 7-bit. */
    error_set(&e, ERROR_EXISTS, "there is a folder \"Entw\xc3\xbcrfe\" already");
    imap_error_text(&e, text);
    CU_ASSERT_STRING_EQUAL(imap_error_code(e.kind), "ALREADYEXISTS");
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Entw??rfe"));
    for (int kind = ERROR_NONE; kind <= ERROR_UNKNOWN_WRITE; kind++)
        CU_ASSERT_PTR_NOT_NULL(imap_error_code((enum error_kind)kind));
}

static void test_object_ids(void)
{
    static const uint8_t digest[SHA256_SIZE] = {0xfb, 0xff};
    struct buf out = BUF_INIT(64);
    CU_ASSERT_TRUE(imap_put_object_id(&out, 'F', digest));
    CU_ASSERT_EQUAL(out.len, 44);
    CU_ASSERT_EQUAL(strncmp(out.data, "F-_8AAAA", 8), 0);
    CU_ASSERT_EQUAL(strspn(out.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-_"),
                    out.len);
    buf_free(&out);
}

const struct unit_test respond_tests[] = {
    {"strings", test_strings},
    {"astrings", test_astrings},
    {"mailboxes", test_mailboxes},
    {"dates", test_dates},
    {"errors", test_errors},
    {"object ids", test_object_ids},
    {NULL, NULL},
};
