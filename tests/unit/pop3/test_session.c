#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "postern/base/alloc.h"
#include "postern/pop3/pop3.h"

#include <string.h>

static void two(void)
{
    fake_reset();
    fake_add("A: b\r\n\r\nx\r\n");
    fake_add("A: b\r\n\r\ny\r\n");
}

static void test_quit(void)
{
    two();
    CU_ASSERT_STRING_EQUAL(talk_in("DELE 2\r\nDELE 1\r\nQUIT\r\n"),
                           "+OK message 2 is marked as deleted\r\n"
                           "+OK message 1 is marked as deleted\r\n"
                           "+OK goodbye, 2 messages deleted\r\n");
    CU_ASSERT_EQUAL(fake.deleted_count, 2);
    CU_ASSERT_EQUAL(fake.deleted[0], 10);
    CU_ASSERT_EQUAL(fake.deleted[1], 20);
    CU_ASSERT_EQUAL(fake.delete_client_fd, -1); /* the client's hang-up does not end it */
    two();
    CU_ASSERT_STRING_EQUAL(talk_in("DELE 1\r\nRSET\r\nQUIT\r\n"),
                           "+OK message 1 is marked as deleted\r\n+OK 2 messages\r\n"
                           "+OK goodbye\r\n");
    CU_ASSERT_EQUAL(fake.deleted_count, 0);
}

static void test_quit_fails(void)
{
    two();
    fake.delete_failures = 1;
    error_set(&fake.delete_error, ERROR_THROTTLED, "429");
    snprintf(fake.delete_error.request_id, sizeof fake.delete_error.request_id, "7b1e");
    CU_ASSERT_STRING_EQUAL(
        talk_in("DELE 1\r\nDELE 2\r\nQUIT\r\n"),
        "+OK message 1 is marked as deleted\r\n+OK message 2 is marked as deleted\r\n"
        "-ERR [SYS/TEMP] 1 of 2 messages could not be deleted: Microsoft 365 is slowing this "
        "mailbox down, try again later (request-id 7b1e)\r\n");
}

static void test_dropped(void)
{
    two();
    talk_in("DELE 1\r\n");
    CU_ASSERT_EQUAL(fake.deleted_count, 0);
    two();
    talk_in("DELE 1\r\nQUIT"); /* cut off before its line end: not a command */
    CU_ASSERT_EQUAL(fake.deleted_count, 0);
}

static void test_bad_input(void)
{
    static const char nul[] = "NO\0OP\r\nNOOP\r\n";
    struct door_options options = {0};
    struct buf in = BUF_INIT((size_t)4 * 1024 * 1024);
    two();
    CU_ASSERT_STRING_EQUAL(talk_in("XYZZY\r\nSTAT now\r\nRETR one\r\nTOP 1\r\nstat\r\n"),
                           "-ERR unknown command\r\n-ERR too many arguments\r\n"
                           "-ERR a number is needed here\r\n-ERR an argument is missing\r\n"
                           "+OK 2 22\r\n");
    CU_ASSERT_STRING_EQUAL(talk("STAT\r\n"), GREETING "-ERR STAT is valid after login only\r\n");
    CU_ASSERT_STRING_EQUAL(talk_bytes(&options, nul, sizeof nul - 1),
                           GREETING "-ERR a NUL byte has no place in a command\r\n"
                                    "-ERR NOOP is valid after login only\r\n");
    /* 510 octets and the line end are a line; one more is too much, and so are 100,000. */
    buf_puts(&in, "NOOP");
    while (in.len < 510)
        buf_putc(&in, ' ');
    buf_puts(&in, "\r\nNOOP");
    while (in.len < 512 + 511)
        buf_putc(&in, ' ');
    buf_puts(&in, "\r\n");
    for (int i = 0; i < 100000; i++)
        buf_putc(&in, 'x');
    buf_puts(&in, "\nNOOP\n"); /* a bare LF ends a line too */
    CU_ASSERT_STRING_EQUAL(talk_in(buf_str(&in)), "+OK\r\n-ERR the line is too long\r\n"
                                                  "-ERR the line is too long\r\n+OK\r\n");
    buf_clear(&in);
    for (int i = 0; i < 2000000; i++)
        buf_putc(&in, 'x');
    CU_ASSERT_STRING_EQUAL(talk_in(buf_str(&in)), ""); /* a line without end: closed */
    buf_free(&in);
}

static void test_too_many_bad(void)
{
    struct buf in = BUF_INIT(4096);
    two();
    for (int i = 0; i < 19; i++)
        buf_puts(&in, "BAD\r\n");
    buf_puts(&in, "NOOP\r\n"); /* a good one in between starts the count anew */
    for (int i = 0; i < 25; i++)
        buf_puts(&in, "BAD\r\n");
    const char *out = talk_in(buf_str(&in));
    const char *end = strstr(out, "-ERR too many bad commands");
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "+OK\r\n"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(end);
    CU_ASSERT_STRING_EQUAL(end, "-ERR too many bad commands, goodbye\r\n");
    buf_free(&in);
}

static void test_pipeline(void)
{
    struct buf in = BUF_INIT((size_t)4 * 1024 * 1024);
    two();
    for (int i = 0; i < 100000; i++)
        buf_puts(&in, "NOOP\r\n");
    buf_puts(&in, "QUIT\r\n");
    const char *out = talk_in(buf_str(&in));
    CU_ASSERT_EQUAL(strlen(out), 100000 * strlen("+OK\r\n") + strlen("+OK goodbye\r\n"));
    buf_free(&in);
}

static void test_timeouts(void)
{
    struct door_options options = {.config =
                                       "state-dir = \"/nonexistent\"\n"
                                       "limits {\n login-timeout = 1s\n idle-timeout = 1s\n}"
                                       "\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN("alice", "")};
    struct buf heard = BUF_INIT(4096);
    struct door d;
    two();
    /* Before login, and with something said: in the end silence and EOF (RFC 1939 section 3). */
    door_open(&d, &options);
    door_start(&d, pop3_protocol.run);
    door_say(&d, "CAP");
    CU_ASSERT_STRING_EQUAL(door_hear(&d, "", &heard), GREETING);
    door_close(&d);
    /* After login, with a message marked: it stays. */
    door_open(&d, &options);
    door_start(&d, pop3_protocol.run);
    door_say(&d, SIGN_IN "DELE 1\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(door_hear(&d, "", &heard), "+OK message 1"));
    door_close(&d);
    CU_ASSERT_EQUAL(fake.deleted_count, 0);
    CU_ASSERT_EQUAL(fake.open_references, 0);
    buf_free(&heard);
}

static void test_stop(void)
{
    struct door_options options = {0};
    struct buf heard = BUF_INIT(4096);
    struct door d;
    two();
    door_open(&d, &options);
    door_start(&d, pop3_protocol.run);
    door_say(&d, SIGN_IN);
    door_hear(&d, "messages\r\n", &heard);
    door_stop(&d);
    CU_ASSERT_STRING_EQUAL(door_hear(&d, "", &heard),
                           "-ERR [SYS/TEMP] the service is stopping\r\n");
    door_close(&d);
    buf_free(&heard);
}

const struct unit_test session_tests[] = {
    {"QUIT", test_quit},
    {"QUIT that fails", test_quit_fails},
    {"dropped connection", test_dropped},
    {"bad input", test_bad_input},
    {"too many bad commands", test_too_many_bad},
    {"100,000 pipelined commands", test_pipeline},
    {"timeouts", test_timeouts},
    {"stop", test_stop},
    {NULL, NULL},
};
