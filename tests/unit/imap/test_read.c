#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "parse.h"
#include "read.h"

#include "postern/imap/imap.h"

#include <string.h>

#define HUNDRED                                                                                    \
    "0123456789012345678901234567890123456789012345678901234567890123456789"                       \
    "012345678901234567890123456789"

static void add_many(struct buf *b, char c, size_t count)
{
    while (count--)
        buf_putc(b, c);
}

static bool says(const char *answers, const char *text)
{
    bool found = strstr(answers, text) != NULL;
    if (!found)
        fprintf(stderr, "no \"%s\" in:\n%.2000s\n", text, answers);
    return found;
}

static void test_syntax(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("a\r\n"), "a BAD a command is a tag, a space and a name\r\n");
    CU_ASSERT_STRING_EQUAL(talk("\r\na XYZZY\r\n"),
                           "* BAD a command is a tag, a space and a name\r\n"
                           "a BAD there is no such command\r\n");
    CU_ASSERT_STRING_EQUAL(talk("+ NOOP\r\n( NOOP\r\n{1}\r\n"),
                           "* BAD a command is a tag, a space and a name\r\n"
                           "* BAD a parenthesis is not closed\r\n+ go ahead\r\n");
    CU_ASSERT_TRUE(says(talk("a \"NOOP\"\r\nb noop\r\n"), "a BAD a command is"));
    CU_ASSERT_TRUE(says(talk("a.b/c NOOP\nx UID NOOP\r\n"), "a.b/c OK NOOP completed\r\n"));
    CU_ASSERT_TRUE(says(talk("a NOOP caf\xc3\xa9\r\n"), "a BAD a character that is not allowed"));
    CU_ASSERT_TRUE(says(talk("a UID NOOP\r\n"), "a BAD there is no such command"));
}

/* What was sent at once is answered in order. */
static void test_pipelining(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("1 NOOP\r\n2 NOOP\r\n3 LOGOUT\r\n4 NOOP\r\n"),
                           "1 OK NOOP completed\r\n2 OK NOOP completed\r\n* BYE goodbye\r\n"
                           "3 OK logged out\r\n");
}

static void test_literals(void)
{
    fake_reset();
    CU_ASSERT_TRUE(says(talk("a LOGIN {5}\r\nalice {6}\r\nsecret\r\n"), "a OK [CAPABILITY"));
    CU_ASSERT_TRUE(
        says(talk("a LOGIN {5+}\r\nalice {6+}\r\nsecret\r\nb NOOP\r\n"), "a OK [CAPABILITY"));
    CU_ASSERT_PTR_NULL(strstr(talk("a LOGIN {5+}\r\nalice secret\r\n"), "+ go ahead"));
    CU_ASSERT_STRING_EQUAL(talk("a NOOP ~{1+}\r\nx\r\nb NOOP\r\n"),
                           "a BAD a binary literal is for messages of APPEND only\r\n"
                           "b OK NOOP completed\r\n");
    /* A fault before a literal: one that is on its way is dropped, one that waits is not asked
     * for. */
    CU_ASSERT_STRING_EQUAL(talk("a NOOP ) {4+}\r\nx Y\n {3+}\r\nx Z\r\nb NOOP\r\n"),
                           "a BAD a parenthesis is closed that was not opened\r\n"
                           "b OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk("a NOOP ) {4}\r\nb NOOP\r\n"),
                           "a BAD a parenthesis is closed that was not opened\r\n"
                           "b OK NOOP completed\r\n");
}

static void test_nul(void)
{
    static const char line[] = "a NO\0OP\r\nb NOOP\r\n";
    static const char literal[] = "a LOGIN {3+}\r\na\0b x\r\nb NOOP\r\n";
    static const char both[] = "a NO\0OP {9+}\r\nx LOGOUT\n\r\nb NOOP\r\n";
    struct door_options options = {0};
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk_bytes(&options, line, sizeof line - 1),
                           "a BAD a NUL byte has no place in a command\r\nb OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_bytes(&options, literal, sizeof literal - 1),
                           "a BAD a NUL byte has no place in a literal\r\nb OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_bytes(&options, both, sizeof both - 1),
                           "a BAD a NUL byte has no place in a command\r\nb OK NOOP completed\r\n");
}

/* A NOOP whose line has this many bytes. */
static const char *long_line(size_t octets, bool literal)
{
    struct buf in = BUF_INIT((size_t)16 * 1024 * 1024);
    struct door_options options = {0};
    buf_puts(&in, "a NOOP");
    add_many(&in, ' ', octets - in.len - (literal ? 5 : 0));
    buf_puts(&in, literal ? " {9+}\r\nx LOGOUT\n" : "");
    buf_puts(&in, "\r\nb NOOP\r\n");
    const char *answers = talk_bytes(&options, in.data, in.len);
    buf_free(&in);
    return answers;
}

static void test_line_limit(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(long_line(IMAP_BEFORE_LOGIN_MAX, false),
                           "a OK NOOP completed\r\nb OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(long_line(IMAP_BEFORE_LOGIN_MAX + 1, false),
                           "a BAD the command is longer than the limit\r\nb OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(long_line(100000, true),
                           "a BAD the command is longer than the limit\r\nb OK NOOP completed\r\n");
}

static void test_command_limit(void)
{
    struct buf in = BUF_INIT((size_t)16 * 1024 * 1024);
    fake_reset();
    for (size_t extra = 0; extra < 2; extra++) {
        buf_clear(&in);
        buf_puts(&in, "a NOOP \"");
        add_many(&in, 'x', IMAP_COMMAND_MAX - 9 + extra);
        buf_puts(&in, "\"\r\nb NOOP\r\n");
        CU_ASSERT_STRING_EQUAL(talk_in_with(NULL, in.data, in.len),
                               extra ? "a BAD the command is longer than the limit\r\n"
                                       "b OK NOOP completed\r\n"
                                     : "a BAD NOOP takes no arguments\r\nb OK NOOP completed\r\n");
    }
    /* Literals count too: 12 bytes of line, then what is left of the limit. */
    for (size_t extra = 0; extra < 2; extra++) {
        buf_clear(&in);
        size_t size = IMAP_COMMAND_MAX - 17 + extra;
        buf_printf(&in, "a NOOP {%zu+}\r\n", size);
        CU_ASSERT_EQUAL(in.len - 2, 17);
        add_many(&in, 'x', size);
        buf_puts(&in, "\r\nb NOOP\r\n");
        CU_ASSERT_STRING_EQUAL(talk_in_with(NULL, in.data, in.len),
                               extra ? "a BAD [TOOBIG] the command would be longer than the "
                                       "limit\r\nb OK NOOP completed\r\n"
                                     : "a BAD NOOP takes no arguments\r\nb OK NOOP completed\r\n");
    }
    buf_free(&in);
}

static void test_big_literals(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("a LOGIN {17000}\r\nb NOOP\r\n"),
                           "a BAD [TOOBIG] the command would be longer than the limit\r\n"
                           "b OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a NOOP {99999999999999999999999}\r\nb NOOP\r\n"),
                           "a BAD [TOOBIG] the command would be longer than the limit\r\n"
                           "b OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a NOOP {4294967296+}\r\nb NOOP\r\n"),
                           "a NO [TOOBIG] the literal is far over the limit\r\n"
                           "* BYE a literal of that size is not read, goodbye\r\n");
    CU_ASSERT_STRING_EQUAL(talk("a LOGIN {1048577+}\r\nb NOOP\r\n"),
                           "a NO [TOOBIG] the literal is far over the limit\r\n"
                           "* BYE a literal of that size is not read, goodbye\r\n");
    /* Announced and never sent. */
    CU_ASSERT_STRING_EQUAL(talk_in("a NOOP {10}\r\nabc"), "+ go ahead\r\n");
}

static void test_depth(void)
{
    struct buf in = BUF_INIT(1 << 20);
    fake_reset();
    buf_puts(&in, "a NOOP ");
    add_many(&in, '(', 10000);
    add_many(&in, ')', 10000);
    buf_puts(&in, "\r\nb NOOP\r\n");
    CU_ASSERT_STRING_EQUAL(
        talk_in_with(NULL, in.data, in.len),
        "a NO [LIMIT] too many parentheses inside each other\r\nb OK NOOP completed\r\n");
    buf_free(&in);
}

static void test_arguments(void)
{
    struct buf in = BUF_INIT((size_t)4 * IMAP_ARGS_MAX);
    fake_reset();
    for (size_t extra = 0; extra < 2; extra++) {
        buf_clear(&in);
        buf_puts(&in, "a NOOP");
        for (size_t i = 2; i < IMAP_ARGS_MAX + extra; i++)
            buf_puts(&in, " x");
        buf_puts(&in, "\r\nb NOOP\r\n");
        CU_ASSERT_STRING_EQUAL(talk_in_with(NULL, in.data, in.len),
                               extra ? "a NO [LIMIT] too many arguments\r\nb OK NOOP completed\r\n"
                                     : "a BAD NOOP takes no arguments\r\nb OK NOOP completed\r\n");
    }
    buf_free(&in);
}

/* Before login nonsense ends in a goodbye; afterwards nobody is cut off for it. */
static void test_bad_commands(void)
{
    struct buf in = BUF_INIT(1 << 16);
    fake_reset();
    for (int i = 0; i < 30; i++)
        buf_puts(&in, "a XYZZY\r\n");
    const char *answers = talk(buf_str(&in));
    CU_ASSERT_TRUE(says(answers, "* BYE too many bad commands, goodbye\r\n"));
    buf_puts(&in, "b NOOP\r\n");
    CU_ASSERT_TRUE(says(talk_in(buf_str(&in)), "b OK NOOP completed\r\n"));
    /* 19, a good one, 19: not in a row. */
    buf_clear(&in);
    for (int i = 0; i < 39; i++)
        buf_puts(&in, i == 19 ? "b NOOP\r\n" : "a XYZZY\r\n");
    CU_ASSERT_PTR_NULL(strstr(talk(buf_str(&in)), "BYE"));
    buf_free(&in);
}

/* ---- messages of APPEND ---- */

static void test_uploads(void)
{
    fake_reset();
    talk_in("a APPEND INBOX (\\Seen) \"21-Nov-2026 05:44:24 +0000\" {5}\r\nA: b\n\r\n");
    CU_ASSERT_EQUAL(fake.upload_count, 1);
    CU_ASSERT_STRING_EQUAL(buf_str(&fake.uploads[0]), "A: b\n");
    fake_reset();
    talk_in("a append {5+}\r\nINBOX {3+}\r\nabc ~{4+}\r\ndefg\r\n");
    CU_ASSERT_EQUAL(fake.upload_count, 2);
    CU_ASSERT_STRING_EQUAL(buf_str(&fake.uploads[0]), "abc");
    CU_ASSERT_STRING_EQUAL(buf_str(&fake.uploads[1]), "defg");
    /* In a list, and for other commands, it is text. */
    fake_reset();
    talk_in("a APPEND INBOX ({5+}\r\n\\Seen) x\r\na COPY INBOX {3+}\r\nabc\r\n");
    CU_ASSERT_EQUAL(fake.upload_count, 0);
    /* Cut off. */
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk_in("a APPEND INBOX {5}\r\nab"), "+ go ahead\r\n");
    CU_ASSERT_EQUAL(fake.upload_count, 1);
}

#define LIMITED                                                                                    \
    "state-dir = \"/nonexistent\"\nlimits { max-message-size = 1M }\n" DOOR_TENANT DOOR_LISTENER   \
        DOOR_LOGIN("alice", "")
#define READ_ONLY                                                                                  \
    "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN("alice",                 \
                                                                          "read-only = yes")

static const char *append_with(const char *config, const char *announced, size_t sent)
{
    struct buf in = BUF_INIT((size_t)4 * 1024 * 1024);
    buf_printf(&in, "a APPEND INBOX {%s}\r\n", announced);
    add_many(&in, 'x', sent);
    buf_puts(&in, sent ? "\r\nb NOOP\r\n" : "b NOOP\r\n");
    const char *answers = talk_in_with(config, in.data, in.len);
    buf_free(&in);
    return answers;
}

static void test_upload_limits(void)
{
    static const char too_big[] =
        "a NO [TOOBIG] the message is larger than max-message-size (APPENDLIMIT)\r\n"
        "b OK NOOP completed\r\n";
    fake_reset();
    CU_ASSERT_STRING_EQUAL(append_with(LIMITED, "1048577", 0), too_big);
    CU_ASSERT_STRING_EQUAL(append_with(LIMITED, "1048577+", 1048577), too_big);
    CU_ASSERT_EQUAL(fake.upload_count, 0);
    append_with(LIMITED, "1048576+", 1048576);
    CU_ASSERT_EQUAL(fake.upload_count, 1);
    CU_ASSERT_EQUAL(fake.uploads[0].len, 1048576);
    fake_reset();
    CU_ASSERT_STRING_EQUAL(append_with(READ_ONLY, "5+", 5),
                           "a NO [NOPERM] this login may only read\r\nb OK NOOP completed\r\n");
    CU_ASSERT_EQUAL(fake.upload_count, 0);
}

static void test_upload_errors(void)
{
    fake_reset();
    error_set(&fake.upload_error, ERROR_LOCAL, "the disk is full");
    CU_ASSERT_STRING_EQUAL(append_with(NULL, "5", 0),
                           "a NO [UNAVAILABLE] local trouble of the service; see the service's "
                           "log\r\nb OK NOOP completed\r\n");
    fake_reset();
    error_set(&fake.write_error, ERROR_LOCAL, "the disk is full");
    CU_ASSERT_STRING_EQUAL(append_with(NULL, "100000", 100000),
                           "+ go ahead\r\na NO [UNAVAILABLE] local trouble of the service; see "
                           "the service's log\r\nb OK NOOP completed\r\n");
}

static void test_many_uploads(void)
{
    struct buf in = BUF_INIT(1 << 16);
    fake_reset();
    buf_puts(&in, "a APPEND INBOX");
    for (int i = 0; i < IMAP_UPLOADS_MAX + 1; i++)
        buf_puts(&in, " {1+}\r\nx");
    buf_puts(&in, "\r\nb NOOP\r\n");
    CU_ASSERT_STRING_EQUAL(
        talk_in(buf_str(&in)),
        "a NO [LIMIT] too many messages in one APPEND\r\nb OK NOOP completed\r\n");
    CU_ASSERT_EQUAL(fake.upload_count, IMAP_UPLOADS_MAX);
    buf_free(&in);
}

const struct unit_test read_tests[] = {
    {"syntax", test_syntax},
    {"pipelining", test_pipelining},
    {"literals", test_literals},
    {"NUL", test_nul},
    {"a line's limit", test_line_limit},
    {"a command's limit", test_command_limit},
    {"big literals", test_big_literals},
    {"depth", test_depth},
    {"arguments", test_arguments},
    {"bad commands", test_bad_commands},
    {"uploads", test_uploads},
    {"limits of uploads", test_upload_limits},
    {"errors of uploads", test_upload_errors},
    {"many uploads", test_many_uploads},
    {NULL, NULL},
};
