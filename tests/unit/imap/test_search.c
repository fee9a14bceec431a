#include "../unit.h"

#include "fake_mailbox.h"
#include "talk.h"

#include "search.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/base/error.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS ((int64_t)86400000)

/* Five messages, received on the first five days of 1970. */
static void furnish(void)
{
    fake_reset();
    fake_add(
        "Subject: one\r\nFrom: \"Anna, M\" <anna@x>\r\nDate: Thu, 1 Jan 1970 23:00:00 -0300\r\n"
        "\r\nalpha\r\n")
        ->flags = MAILBOX_SEEN;
    fake_add("Subject: two\r\nTo: bob@x\r\nDate: Fri, 2 Jan 1970 01:00:00 +0300\r\n\r\nbeta\r\n")
        ->flags = MAILBOX_FLAGGED;
    fake_add("Subject: =?utf-8?q?dr=C3=A9i?=\r\nCc: carl@x\r\nX-A:\r\n\r\ngamma\r\n")->flags =
        MAILBOX_SEEN | MAILBOX_FORWARDED;
    fake_add("Subject: four\r\nBcc: dora@x\r\n\r\nalpha beta\r\n")->keywords = "Work $Junk";
    fake_add("Subject: five\r\n\r\n\r\n")->flags =
        MAILBOX_ANSWERED | MAILBOX_DELETED | MAILBOX_DRAFT;
    for (size_t i = 0; i < fake.count; i++)
        fake.messages[i].received_ms = (int64_t)i * DAY_MS;
}

static const char *ask(const char *command)
{
    char *input = xasprintf("a %s\r\n", command);
    const char *answer = talk_selected(input);
    free(input);
    return answer;
}

static const char *search(const char *keys)
{
    char *command = xasprintf("SEARCH %s", keys);
    const char *answer = ask(command);
    free(command);
    return answer;
}

static void check(const char *keys, const char *numbers)
{
    char *want = xasprintf("* SEARCH%s%s\r\na OK ", *numbers ? " " : "", numbers);
    const char *got = search(keys);
    CU_ASSERT_NSTRING_EQUAL(got, want, strlen(want));
    if (strncmp(got, want, strlen(want)) != 0)
        printf("\n%s gave %snot %s\n", keys, got, want);
    free(want);
}

static void check_end(const char *keys, const char *end)
{
    const char *got = search(keys);
    CU_ASSERT_NSTRING_EQUAL(got, end, strlen(end));
    if (strncmp(got, end, strlen(end)) != 0)
        printf("\n%s gave %snot %s\n", keys, got, end);
}

static void test_flags(void)
{
    furnish();
    check("ALL", "1 2 3 4 5");
    check("SEEN", "1 3");
    check("UNSEEN", "2 4 5");
    check("FLAGGED", "2");
    check("ANSWERED DELETED DRAFT", "5");
    check("UNANSWERED UNDELETED UNDRAFT UNFLAGGED", "1 3 4");
    check("KEYWORD work", "4");
    check("KEYWORD $junk KEYWORD WORK", "4");
    check("KEYWORD wor", "");
    check("KEYWORD $Forwarded", "3");
    check("UNKEYWORD Work", "1 2 3 5");
    check("UNKEYWORD $Forwarded", "1 2 4 5");
    CU_ASSERT_EQUAL(fake.headers_asked + fake.bodies_asked + fake.sizes_asked, 0);
}

static void test_recent(void)
{
    furnish();
    fake.recent_from = 4;
    CU_ASSERT_STRING_EQUAL(talk_selected("a SEARCH RECENT\r\n"),
                           "* SEARCH 4 5\r\na OK found 2\r\n");
    fake.recent_from = 3;
    CU_ASSERT_STRING_EQUAL(talk_selected("a SEARCH NEW\r\n"), "* SEARCH 4 5\r\na OK found 2\r\n");
    fake.recent_from = 3;
    CU_ASSERT_STRING_EQUAL(talk_selected("a SEARCH OLD\r\n"), "* SEARCH 1 2\r\na OK found 2\r\n");
}

static void test_logic(void)
{
    furnish();
    check("SEEN OR 1 2", "1");
    check("OR SEEN FLAGGED", "1 2 3");
    check("OR OR 1 2 OR 3 4", "1 2 3 4");
    check("NOT SEEN", "2 4 5");
    check("NOT NOT SEEN", "1 3");
    check("NOT (SEEN 1:2)", "2 3 4 5");
    check("((SEEN) (1:2))", "1");
    check("OR (SEEN 1) (UNSEEN 5)", "1 5");
}

static void test_sets(void)
{
    furnish();
    check("2,4", "2 4");
    check("4:2,3", "2 3 4");
    check("*", "5");
    check("4:*", "4 5");
    check("9:*", "5");
    check("9,1", "1");
    check("4294967294:*", "5");
    check("UID 2:3,9", "2 3");
    fake_remove(2);
    fake_publish();
    CU_ASSERT_STRING_EQUAL(talk_selected("a UID SEARCH 2:3\r\nb UID SEARCH UID 2:3\r\n"),
                           "* SEARCH 3 4\r\na OK found 2\r\n* SEARCH 3\r\nb OK found 1\r\n");
    fake_reset();
    check("1:*", "");
    check("*", "");
    check("UID 1:*", "");
}

static void test_dates(void)
{
    furnish();
    check("BEFORE 3-Jan-1970", "1 2");
    check("ON 3-jan-1970", "3");
    check("SINCE \"03-Jan-1970\"", "3 4 5");
    /* In the zone of the Date field; without one nothing was sent on any day. */
    check("SENTON 1-Jan-1970", "1");
    check("SENTON 2-Jan-1970", "2");
    check("SENTBEFORE 2-Jan-1970", "1");
    check("SENTSINCE 2-Jan-1970", "2");
    check("NOT SENTSINCE 2-Jan-1970", "1 3 4 5");
    clock_test_set(clock_mono_ms(), 4 * DAY_MS);
    check("YOUNGER 86400", "4 5");
    check("OLDER 86400", "1 2 3 4");
    check("OLDER 86401", "1 2 3");
    clock_test_off();
}

static void test_text(void)
{
    furnish();
    check("SUBJECT o", "1 2 4");
    check("SUBJECT \"\"", "1 2 3 4 5");
    check("SUBJECT {5+}\r\nDR\xc3\x89I", "3");
    check("CHARSET iso-8859-1 SUBJECT {4+}\r\nDR\xc9I", "3");
    check("FROM anna@", "1");
    check("FROM \"anna, m\"", "1");
    check("TO bob CC carl", "");
    check("OR TO bob OR CC carl BCC dora", "2 3 4");
    check("HEADER X-A \"\"", "3");
    check("HEADER SUBJECT W", "2");
    CU_ASSERT_EQUAL(fake.bodies_asked, 0);
    check("BODY alpha", "1 4");
    check("BODY subject", "");
    check("BODY \"\"", "1 2 3 4 5");
    check("TEXT alpha", "1 4");
    check("TEXT \"subject: f\"", "4 5");
}

/* Only what is undecided costs anything. */
static void test_cheapest_first(void)
{
    furnish();
    check("SEEN SUBJECT o", "1");
    CU_ASSERT_EQUAL(fake.headers_asked, 2);
    check("1:2 OR SEEN BODY beta", "1 2");
    CU_ASSERT_EQUAL(fake.bodies_asked, 1);
    check("4 NOT SUBJECT four BODY alpha", "");
    CU_ASSERT_EQUAL(fake.bodies_asked, 1);
    check("TEXT o", "1 2 4");
    CU_ASSERT_EQUAL(fake.bodies_asked, 3); /* the header has it in the others */
}

static void test_sizes(void)
{
    furnish();
    check("SMALLER 40", "5");
    check("LARGER 18 SMALLER 20", "5");
    check("LARGER 9223372036854775807", "");
    check("LARGER 19 5", "");
    check("SMALLER 19 5", "");
    CU_ASSERT_EQUAL(fake.sizes_asked, 0);
    fake.messages[4].estimate = 1000;
    fake_publish();
    check("LARGER 500 5", "");
    check("LARGER 500 1:4", "");
    CU_ASSERT_EQUAL(fake.sizes_asked, 1);
    fake_reset();
    for (int i = 0; i < 101; i++)
        fake_add("A: b\r\n\r\nx\r\n")->estimate = 1000;
    check("LARGER 500 1:100", "");
    CU_ASSERT_EQUAL(fake.sizes_asked, 100);
    check("LARGER 1000", "");
    check("LARGER 999 1:101 UID 101", "");
    const char *got = talk_selected("a SEARCH RETURN (COUNT) LARGER 500\r\n");
    CU_ASSERT_STRING_EQUAL(got, "* ESEARCH (TAG \"a\") COUNT 101\r\na OK found 101\r\n");
    CU_ASSERT_EQUAL(fake.sizes_asked, 101);
}

static void test_return(void)
{
    furnish();
    CU_ASSERT_STRING_EQUAL(ask("SEARCH RETURN () UNSEEN"),
                           "* ESEARCH (TAG \"a\") ALL 2,4:5\r\na OK found 3\r\n");
    CU_ASSERT_STRING_EQUAL(ask("UID SEARCH RETURN (MAX MIN COUNT ALL) UNSEEN"),
                           "* ESEARCH (TAG \"a\") UID MIN 2 MAX 5 COUNT 3 ALL 2,4:5\r\n"
                           "a OK found 3\r\n");
    CU_ASSERT_STRING_EQUAL(ask("SEARCH RETURN (MAX MIN COUNT ALL) 1 2"),
                           "* ESEARCH (TAG \"a\") COUNT 0\r\na OK found 0\r\n");
    CU_ASSERT_STRING_EQUAL(ask("SEARCH RETURN (MIN) CHARSET UTF-8 UNSEEN"),
                           "* ESEARCH (TAG \"a\") MIN 2\r\na OK found 3\r\n");
    check_end("RETURN (SAVE) ALL", "a BAD");
    check_end("RETURN ALL", "a BAD");
}

static void test_modseq(void)
{
    furnish();
    for (size_t i = 0; i < fake.count; i++)
        fake.messages[i].modseq = 10 * (i + 1);
    fake.messages[1].modseq = 90;
    fake.modseq = 100;
    CU_ASSERT_PTR_NOT_NULL(strstr(ask("SEARCH MODSEQ 30"), "* SEARCH 2 3 4 5 (MODSEQ 90)\r\na OK"));
    CU_ASSERT_PTR_NOT_NULL(strstr(ask("SEARCH MODSEQ 91"), "* SEARCH\r\na OK"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(search("MODSEQ \"/flags/\\\\draft\" all 50"), "* SEARCH 2 5 (MOD"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(ask("SEARCH RETURN (MIN MAX) MODSEQ 30"), "MIN 2 MAX 5 MODSEQ 90\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(ask("SEARCH RETURN (MAX) MODSEQ 30"), ") MAX 5 MODSEQ 50\r\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(ask("SEARCH RETURN (COUNT) 1,3 MODSEQ 1"), ") COUNT 2 MODSEQ 30\r\n"));
    check_end("MODSEQ", "a BAD");
    check_end("MODSEQ \"/flags/\\\\draft\" some 1", "a BAD");
}

static void check_email(uint32_t uid, const char *want)
{
    uint8_t digest[SHA256_SIZE];
    struct buf keys = BUF_INIT(100);
    sha256(&uid, sizeof uid, digest);
    buf_puts(&keys, "NOT NOT EMAILID M");
    base64url_encode(digest, sizeof digest, &keys);
    check(buf_str(&keys), want);
    buf_free(&keys);
}

static void test_ids(void)
{
    furnish();
    check_email(2, "2");
    check_email(9, "");
    fake.copy = 4;
    fake.copied = 2;
    check_email(2, "2 4");
    check_email(4, "");
    fake.copied = 9; /* its source is in another folder */
    check_email(9, "4");
    check("EMAILID M123", "");
    check("EMAILID M", "");
    check("THREADID T123", "");
    check("NOT THREADID T123", "1 2 3 4 5");
}

static void test_bad_input(void)
{
    static const char *const bad[] = {"",
                                      "NOT",
                                      "OR ALL",
                                      "()",
                                      "FOO",
                                      "KEYWORD",
                                      "KEYWORD \\Seen",
                                      "KEYWORD (a)",
                                      "BEFORE",
                                      "BEFORE 31-Feb-2020",
                                      "ON 1-Foo-2020",
                                      "ON 1-Jan-20",
                                      "ON +1-Jan-2020",
                                      "LARGER x",
                                      "LARGER -1",
                                      "SMALLER",
                                      "UID",
                                      "UID a",
                                      "1:",
                                      "0",
                                      "1,,2",
                                      "\"ALL\"",
                                      "SUBJECT",
                                      "SUBJECT (a)",
                                      "HEADER x",
                                      "HEADER \"\" x",
                                      "OLDER 0",
                                      "YOUNGER x",
                                      "CHARSET",
                                      "CHARSET UTF-8",
                                      "ALL (SEEN)(DELETED)",
                                      "$"};
    furnish();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_end(bad[i], "a BAD ");
    check_end("SUBJECT {1+}\r\n\xff", "a BAD ");
    check_end("CHARSET x-none ALL", "a NO [BADCHARSET (US-ASCII UTF-8)] ");
}

static void test_depth(void)
{
    struct buf keys = BUF_INIT(100000);
    furnish();
    for (int i = 0; i < 99; i++)
        buf_puts(&keys, "NOT ");
    buf_puts(&keys, "SEEN");
    check(buf_str(&keys), "2 4 5");
    buf_clear(&keys);
    for (int i = 0; i < 100; i++)
        buf_puts(&keys, "OR SEEN ");
    buf_puts(&keys, "SEEN");
    check_end(buf_str(&keys), "a NO [LIMIT] ");
    buf_clear(&keys);
    for (int i = 0; i < 10000; i++)
        buf_puts(&keys, "NOT ");
    buf_puts(&keys, "SEEN");
    check_end(buf_str(&keys), "a NO [LIMIT] ");
    buf_free(&keys);
}

static void test_keys(void)
{
    struct buf keys = BUF_INIT(100000);
    furnish();
    for (int i = 0; i < SEARCH_KEYS_MAX / 2; i++)
        buf_puts(&keys, "NOT 3 ");
    keys.len--;
    check(buf_str(&keys), "1 2 4 5");
    buf_puts(&keys, " ALL");
    check_end(buf_str(&keys), "a NO [LIMIT] ");
    buf_free(&keys);
}

static void test_texts(void)
{
    struct buf keys = BUF_INIT(100000);
    furnish();
    for (int i = 0; i < SEARCH_TEXTS_MAX; i++)
        buf_printf(&keys, "NOT SUBJECT none%d ", i);
    buf_puts(&keys, "UNSEEN");
    check(buf_str(&keys), "2 4 5");
    buf_puts(&keys, " BODY x");
    check_end(buf_str(&keys), "a NO [LIMIT] ");
    buf_free(&keys);
}

static void test_errors(void)
{
    furnish();
    error_set(&fake.body_error, ERROR_THROTTLED, "429");
    check_end("BODY alpha", "a NO [UNAVAILABLE] ");
    error_set(&fake.body_error, ERROR_GONE, "gone");
    check("BODY alpha", "");
    error_set(&fake.headers_error, ERROR_TEMPORARY, "503");
    check_end("SUBJECT one", "a NO [UNAVAILABLE] ");
    error_clear(&fake.headers_error);
    fake.messages[0].text = NULL;
    check("NOT SUBJECT two", "3 4 5");
}

static void test_download_limit(void)
{
    static const char config[] =
        DOOR_TENANT DOOR_LISTENER DOOR_LOGIN("alice", "") "limits {\n search-downloads = 3\n}\n";
    static const char command[] = "s SELECT INBOX\r\na SEARCH BODY alpha\r\n";
    furnish();
    CU_ASSERT_PTR_NOT_NULL(
        strstr(talk_in_with(config, command, strlen(command)), "\na NO [LIMIT] "));
    CU_ASSERT_EQUAL(fake.bodies_asked, 0);
    fake.messages[1].cached = fake.messages[2].cached = true;
    fake_publish();
    CU_ASSERT_PTR_NOT_NULL(
        strstr(talk_in_with(config, command, strlen(command)), "* SEARCH 1 4\r\na OK "));
}

extern const struct unit_test search_tests[];
const struct unit_test search_tests[] = {
    {"flags", test_flags},
    {"recent", test_recent},
    {"AND, OR, NOT", test_logic},
    {"sets", test_sets},
    {"dates", test_dates},
    {"text", test_text},
    {"cheapest first", test_cheapest_first},
    {"sizes", test_sizes},
    {"RETURN", test_return},
    {"MODSEQ", test_modseq},
    {"object ids", test_ids},
    {"bad input", test_bad_input},
    {"depth", test_depth},
    {"many keys", test_keys},
    {"many texts", test_texts},
    {"errors", test_errors},
    {"limit of downloads", test_download_limit},
    {NULL, NULL},
};
