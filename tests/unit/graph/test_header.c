/* Pages of header blocks, and blocks made of other properties. */
#include "../unit.h"

#include "../../../src/graph/decode.h"

#include <string.h>

static struct graph_header_page page;
static struct error e;

static bool decode(const char *json, enum graph_headers what)
{
    error_clear(&e);
    return decode_header_page(json, strlen(json), what, &page, &e);
}

static void test_blocks(void)
{
    CU_ASSERT_FATAL(
        decode("{\"value\":[{\"id\":\"a\",\"receivedDateTime\":\"2026-06-01T10:00:00Z\","
               "\"singleValueExtendedProperties\":[{\"id\":\"String 0x7d\","
               "\"value\":\"A: b\\r\\n\\r\\n\"}]},{\"id\":\"b\"}],"
               "\"@odata.nextLink\":\"https://g/x\"}",
               GRAPH_HEADERS_WHOLE));
    CU_ASSERT_EQUAL_FATAL(page.count, 2);
    CU_ASSERT_STRING_EQUAL(page.headers[0].block, "A: b\r\n\r\n");
    CU_ASSERT_EQUAL(page.headers[0].received_ms, INT64_C(1780308000000));
    CU_ASSERT_PTR_NULL(page.headers[1].block);
    CU_ASSERT_EQUAL(page.headers[1].received_ms, INT64_MIN);
    CU_ASSERT_STRING_EQUAL(page.next_link, "https://g/x");
    graph_header_page_free(&page);
}

static void test_refused(void)
{
    CU_ASSERT_FALSE(decode("{\"value\":[{\"receivedDateTime\":\"x\"}]}", GRAPH_HEADERS_WHOLE));
    CU_ASSERT_EQUAL(e.kind, ERROR_ANSWER);
    CU_ASSERT_FALSE(decode("{\"value\":[{\"id\":\"a\"", GRAPH_HEADERS_ENVELOPE));
    CU_ASSERT_EQUAL(e.kind, ERROR_ANSWER);
}

static void check_envelope(const char *members, const char *want)
{
    char json[2000];
    snprintf(json, sizeof json, "{\"value\":[{\"id\":\"a\"%s%s}]}", *members ? "," : "", members);
    CU_ASSERT_FATAL(decode(json, GRAPH_HEADERS_ENVELOPE));
    CU_ASSERT_STRING_EQUAL(page.headers[0].block, want);
    graph_header_page_free(&page);
}

#define MAIL(name, address) "{\"emailAddress\":{\"name\":\"" name "\",\"address\":\"" address "\"}}"

static void test_envelopes(void)
{
    check_envelope("", "\r\n");
    check_envelope("\"sentDateTime\":\"2026-06-01T10:00:00Z\",\"subject\":\"s\","
                   "\"internetMessageId\":\"<m>\",\"from\":" MAIL("A \\\"q\\\" B", "a@b"),
                   "Date: Mon, 1 Jun 2026 10:00:00 +0000\r\nSubject: s\r\n"
                   "From: \"A \\\"q\\\" B\" <a@b>\r\nMessage-ID: <m>\r\n\r\n");
    /* A name that is the address says nothing. */
    check_envelope("\"toRecipients\":[" MAIL("a@b", "a@b") "," MAIL(
                       "\\u00fc", "c@d") "],"
                                         "\"ccRecipients\":[],\"replyTo\":null",
                   "To: <a@b>, =?utf-8?B?w7w=?= <c@d>\r\n\r\n");
    check_envelope("\"singleValueExtendedProperties\":[{\"id\":\"String 0x1042\","
                   "\"value\":\"<i>\"}]",
                   "In-Reply-To: <i>\r\n\r\n");
}

/* What a property holds must not become another field. */
static void test_line_ends(void)
{
    check_envelope("\"subject\":\"a\\r\\nBcc: x\",\"sender\":" MAIL("", "a\\r\\nB: <c>"),
                   "Subject: =?utf-8?B?YQ0KQmNjOiB4?=\r\nSender: <aB:c>\r\n\r\n");
}

/* Characters are not cut by the length of a word. */
static void test_long_subject(void)
{
    char json[600] = "{\"value\":[{\"id\":\"a\",\"subject\":\"";
    for (int i = 0; i < 23; i++) /* 46 octets, one more than fit */
        strncat(json, "\xc3\xbc", sizeof json - strlen(json) - 1);
    strncat(json, "\"}]}", sizeof json - strlen(json) - 1);
    CU_ASSERT_FATAL(decode(json, GRAPH_HEADERS_ENVELOPE));
    CU_ASSERT_PTR_NOT_NULL(strstr(page.headers[0].block, "?= =?utf-8?B?w7w=?=\r\n"));
    graph_header_page_free(&page);
}

extern const struct unit_test header_tests[];
const struct unit_test header_tests[] = {
    {"blocks", test_blocks},
    {"refused pages", test_refused},
    {"envelopes of properties", test_envelopes},
    {"line ends in properties", test_line_ends},
    {"a long subject", test_long_subject},
    {NULL, NULL},
};
