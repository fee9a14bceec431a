/* APPEND: its dates, its messages, what it answers. */
#include "../unit.h"
#include "commands.h"
#include "fake_mailbox.h"
#include "talk.h"

#include <string.h>

extern const struct unit_test append_tests[];

static void check_date(const char *text, int64_t want_ms)
{
    int64_t ms = 0;
    CU_ASSERT(imap_parse_date_time(text, &ms));
    CU_ASSERT_EQUAL(ms, want_ms);
}

static void test_dates(void)
{
    check_date("01-Jan-1970 00:00:00 +0000", 0);
    check_date(" 1-jan-1970 00:00:00 +0000", 0);
    check_date("1-Jan-1970 00:00:00 +0000", 0);
    check_date("01-Jan-1970 01:30:00 +0130", 0);
    check_date("31-Dec-1969 23:00:00 -0100", 0);
    check_date("29-Feb-2024 23:59:60 +0000", 1709251200000);
    check_date("01-Mar-2000 12:00:00 +0000", 951912000000);
    check_date("01-Jan-0001 00:00:00 +0000", -62135596800000);
}

static void test_bad_dates(void)
{
    static const char *const bad[] = {
        "",
        "-Jan-1970 00:00:00 +0000",
        " -Jan-1970 00:00:00 +0000",
        " 10-Jan-1970 00:00:00 +0000",
        "010-Jan-1970 00:00:00 +0000",
        "  1-Jan-1970 00:00:00 +0000",
        "10 Jan 1970 00:00:00 +0000",
        "00-Jan-1970 00:00:00 +0000",
        "30-Feb-2024 00:00:00 +0000",
        "29-Feb-2023 00:00:00 +0000",
        "29-Feb-1900 00:00:00 +0000",
        "31-Apr-2024 00:00:00 +0000",
        "01-Xyz-2024 00:00:00 +0000",
        "01-n f-2024 00:00:00 +0000",
        "01-Jan-0000 00:00:00 +0000",
        "01-Jan-2024 24:00:00 +0000",
        "01-Jan-2024 00:60:00 +0000",
        "01-Jan-2024 00:00:61 +0000",
        "01-Jan-2024 00:00:00 +0060",
        "01-Jan-2024 00:00:00  0000",
        "01-Jan-2024 00:00:00 +0000 ",
        "01 Jan 2024 00:00:00 +0000",
        "-1-Jan-2024 00:00:00 +0000",
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(imap_parse_date_time(bad[i], &ms));
}

static void test_one(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(
        talk_in("a APPEND INBOX (\\Seen) \"01-Jan-1970 00:00:01 +0000\" {3+}\r\nabc\r\n"),
        "a OK [APPENDUID 77 1] APPEND completed\r\n");
    CU_ASSERT_EQUAL(fake.count, 1);
    CU_ASSERT_EQUAL(fake.messages[0].flags, MAILBOX_SEEN);
    CU_ASSERT_EQUAL(fake.messages[0].received_ms, 1000);
    CU_ASSERT_EQUAL(fake.uploads[0].len, 3);
}

static void test_many(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(
        talk_in("a APPEND INBOX {1+}\r\nx () {1+}\r\ny \"01-Jan-1970 00:00:00 +0000\" "
                "{1+}\r\nz\r\n"),
        "a OK [APPENDUID 77 1:3] APPEND completed\r\n");
}

static void test_refused(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk_in("a APPEND INBOX {0+}\r\n\r\n"),
                           "a NO an empty message is not appended\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a APPEND INBOX {1+}\r\nx {0+}\r\n\r\n"),
                           "a NO an empty message is not appended\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a APPEND INBOX \"x\" {1+}\r\ny\r\n"),
                           "a BAD the date is not as in \"21-Nov-2026 05:44:24 +0000\"\r\n");
    CU_ASSERT_STRING_EQUAL(
        talk_in("a APPEND INBOX (\\Seen)\r\n"),
        "a BAD APPEND takes a folder, flags, a date and a message as a literal\r\n");
    CU_ASSERT_STRING_EQUAL(
        talk_in("a APPEND\r\n"),
        "a BAD APPEND takes a folder, flags, a date and a message as a literal\r\n");
    CU_ASSERT_EQUAL(fake.count, 0);
}

static void test_missing_folder(void)
{
    fake_reset();
    fake.append_error = (struct error){.kind = ERROR_FOLDER_GONE};
    CU_ASSERT_STRING_EQUAL(talk_in("a APPEND INBOX {1+}\r\nx\r\n"),
                           "a NO [TRYCREATE] there is no such folder, create it first\r\n");
    fake.append_error = (struct error){.kind = ERROR_QUOTA};
    CU_ASSERT_STRING_EQUAL(talk_in("a APPEND INBOX {1+}\r\nx\r\n"),
                           "a NO [OVERQUOTA] the mailbox is full\r\n");
}

/* COPYUID and APPENDUID keep the order of the copies (RFC 4315 section 3). */
static void test_uid_sets(void)
{
    static const uint32_t uids[] = {4, 5, 6, 9, 3, 2, 4294967295u};
    struct buf out = BUF_INIT(100);
    imap_put_uids(uids, 7, &out);
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "4:6,9,3,2,4294967295");
    buf_clear(&out);
    imap_put_uids(uids, 0, &out);
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "");
    buf_free(&out);
}

const struct unit_test append_tests[] = {
    {"dates", test_dates},
    {"bad dates", test_bad_dates},
    {"one message", test_one},
    {"many messages", test_many},
    {"what is refused", test_refused},
    {"a missing folder, a full mailbox", test_missing_folder},
    {"sets of UIDs in their order", test_uid_sets},
    {NULL, NULL},
};
