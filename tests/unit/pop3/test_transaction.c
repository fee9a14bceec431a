#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <string.h>

#define CONFIG(settings)                                                                           \
    "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN("alice", settings)

/* 12, 20 and 16 octets on the wire. */
static void three(void)
{
    fake_reset();
    fake_add("A: b\r\n\r\nxyz\r");
    fake_add("Subject: hi\n\nbody\n");
    fake_add("C: d\r\n\r\n.dots\r\n\r\n");
}

static void test_stat_list(void)
{
    three();
    CU_ASSERT_STRING_EQUAL(talk_in("STAT\r\n"), "+OK 3 51\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("LIST\r\nLIST 2\r\n"),
                           "+OK 3 messages (51 octets)\r\n1 13\r\n2 21\r\n3 17\r\n.\r\n"
                           "+OK 2 21\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("DELE 2\r\nSTAT\r\nLIST\r\nRSET\r\nSTAT\r\n"),
                           "+OK message 2 is marked as deleted\r\n+OK 2 30\r\n"
                           "+OK 2 messages (30 octets)\r\n1 13\r\n3 17\r\n.\r\n"
                           "+OK 3 messages\r\n+OK 3 51\r\n");
    CU_ASSERT_EQUAL(fake.deleted_count, 0); /* the connection was dropped */
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk_in("STAT\r\nLIST\r\nUIDL\r\n"),
                           "+OK 0 0\r\n+OK 0 messages (0 octets)\r\n.\r\n"
                           "+OK unique ids follow\r\n.\r\n");
}

static void test_numbers(void)
{
    static const char *const commands[] = {"LIST", "UIDL", "RETR", "DELE"};
    static const char *const numbers[] = {"0", "4", "4294967297", "99999999999999999999999"};
    for (size_t c = 0; c < 4; c++) {
        for (size_t n = 0; n < 4; n++) {
            char line[64];
            three();
            snprintf(line, sizeof line, "%s %s\r\n", commands[c], numbers[n]);
            CU_ASSERT_STRING_EQUAL(talk_in(line), "-ERR no such message, there are 3\r\n");
        }
    }
    three();
    CU_ASSERT_STRING_EQUAL(talk_in("TOP 4 1\r\n"), "-ERR no such message, there are 3\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("DELE 1\r\nDELE 1\r\nRETR 1\r\nLIST 1\r\nUIDL 1\r\n"),
                           "+OK message 1 is marked as deleted\r\n"
                           "-ERR message 1 is marked as deleted\r\n"
                           "-ERR message 1 is marked as deleted\r\n"
                           "-ERR message 1 is marked as deleted\r\n"
                           "-ERR message 1 is marked as deleted\r\n");
}

static void test_uidl(void)
{
    struct buf id = BUF_INIT(64);
    uint8_t digest[SHA256_SIZE];
    uint32_t uid = 20;
    three();
    sha256(&uid, sizeof uid, digest); /* as the fake makes them */
    base64url_encode(digest, sizeof digest, &id);
    char *want = xasprintf("+OK 2 P%s\r\n", buf_str(&id));
    CU_ASSERT_STRING_EQUAL(talk_in("UIDL 2\r\n"), want);
    CU_ASSERT_EQUAL(strlen(want), strlen("+OK 2 ") + 44 + 2); /* RFC 1939: at most 70 */
    const char *all = talk_in("DELE 1\r\nUIDL\r\n");
    CU_ASSERT_PTR_NULL(strstr(all, "\n1 P"));
    CU_ASSERT_PTR_NOT_NULL(strstr(all, "\n3 P"));
    free(want);
    buf_free(&id);
}

static void test_retr(void)
{
    three();
    CU_ASSERT_STRING_EQUAL(talk_in("RETR 1\r\nRETR 2\r\n"),
                           "+OK 13 octets\r\nA: b\r\n\r\nxyz\r\n.\r\n"
                           "+OK 21 octets\r\nSubject: hi\r\n\r\nbody\r\n.\r\n");
    /* The doubled dot is not counted. */
    CU_ASSERT_STRING_EQUAL(talk_in("RETR 3\r\n"),
                           "+OK 17 octets\r\nC: d\r\n\r\n..dots\r\n\r\n.\r\n");
    fake_reset();
    fake_add("");
    CU_ASSERT_STRING_EQUAL(talk_in("RETR 1\r\nTOP 1 5\r\nNOOP\r\n"),
                           "+OK 0 octets\r\n.\r\n+OK top of message 1 follows\r\n.\r\n+OK\r\n");
}

/* Larger than any buffer on the way, with a dot at each line's start. */
static void test_retr_large(void)
{
    struct buf mail = BUF_INIT((size_t)8 * 1024 * 1024), want = BUF_INIT((size_t)8 * 1024 * 1024);
    buf_puts(&mail, "A: b\n\n");
    buf_puts(&want, "A: b\r\n\r\n");
    for (int i = 0; i < 100000; i++) {
        buf_printf(&mail, ".%d\n", i);
        buf_printf(&want, "..%d\r\n", i);
    }
    fake_reset();
    fake_add(buf_str(&mail));
    const char *got = talk_in("RETR 1\r\n");
    const char *body = strstr(got, "\r\n") + 2;
    CU_ASSERT_EQUAL(strtoul(got + 4, NULL, 10), want.len - 100000);
    CU_ASSERT_EQUAL(strncmp(body, buf_str(&want), want.len), 0);
    CU_ASSERT_STRING_EQUAL(body + want.len, ".\r\n");
    buf_free(&mail);
    buf_free(&want);
}

static void test_retr_errors(void)
{
    three();
    error_set(&fake.body_error, ERROR_THROTTLED, "429");
    CU_ASSERT_STRING_EQUAL(talk_in("RETR 1\r\nTOP 1 0\r\nNOOP\r\n"),
                           "-ERR [SYS/TEMP] Microsoft 365 is slowing this mailbox down, try again "
                           "later\r\n"
                           "-ERR [SYS/TEMP] Microsoft 365 is slowing this mailbox down, try again "
                           "later\r\n+OK\r\n");
    three();
    fake.messages[1].text = NULL; /* gone meanwhile */
    fake.messages[1].size = 5;
    CU_ASSERT_STRING_EQUAL(talk_in("RETR 2\r\nNOOP\r\n"),
                           "-ERR the message is gone, it was moved or deleted meanwhile\r\n"
                           "+OK\r\n");
}

/* A disk that breaks in the middle: no final dot, and the connection ends. */
static void test_retr_breaks(void)
{
    char *text = xmalloc(100001);
    memset(text, 'x', 100000);
    text[100000] = '\0';
    fake_reset();
    fake_add(text)->breaks_at = 50000;
    const char *got = talk_in("RETR 1\r\nNOOP\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(got, "+OK 100002 octets\r\nxxx"));
    CU_ASSERT_PTR_NULL(strstr(got, ".\r\n"));
    CU_ASSERT_PTR_NULL(strstr(got, "+OK\r\n"));
    free(text);
}

static void test_top(void)
{
    fake_reset();
    fake_add("A: b\nC: d\n\nx\n.y\n\nz");
    fake_add("A: b\nno body");
#define HEAD "+OK top of message 1 follows\r\nA: b\r\nC: d\r\n\r\n"
    CU_ASSERT_STRING_EQUAL(talk_in("TOP 1 0\r\n"), HEAD ".\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("TOP 1 2\r\n"), HEAD "x\r\n..y\r\n.\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("TOP 1 4\r\n"), HEAD "x\r\n..y\r\n\r\nz\r\n.\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("TOP 1 99999999999999999999\r\n"),
                           HEAD "x\r\n..y\r\n\r\nz\r\n.\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("TOP 2 3\r\n"),
                           "+OK top of message 2 follows\r\nA: b\r\nno body\r\n.\r\n");
#undef HEAD
}

/* A blank line anywhere around the borders of the pieces in which a body is read. */
static void test_top_borders(void)
{
    for (size_t before = 16370; before < 16390; before++) {
        struct buf mail = BUF_INIT(65536);
        buf_puts(&mail, "A: ");
        while (mail.len < before)
            buf_putc(&mail, 'x');
        buf_puts(&mail, "\r\n\r\nfirst\r\nsecond\r\n");
        fake_reset();
        fake_add(buf_str(&mail));
        const char *got = talk_in("TOP 1 1\r\n");
        const char *tail = strstr(got, "\r\n\r\n");
        CU_ASSERT_PTR_NOT_NULL_FATAL(tail);
        CU_ASSERT_STRING_EQUAL(tail, "\r\n\r\nfirst\r\n.\r\n");
        buf_free(&mail);
    }
}

static void test_since(void)
{
    three();
    fake.messages[0].received_ms = 1767225599999; /* a millisecond before 2026 */
    fake.messages[1].received_ms = 1767225600000;
    fake.messages[2].received_ms = 1767225600001;
    CU_ASSERT_STRING_EQUAL(talk_in_with(CONFIG("serve-since = \"2026-01-01\""),
                                        "STAT\r\nLIST 1\r\nDELE 1\r\nQUIT\r\n"),
                           "+OK 2 38\r\n+OK 1 21\r\n+OK message 1 is marked as deleted\r\n"
                           "+OK goodbye, 1 message deleted\r\n");
    CU_ASSERT_EQUAL(fake.deleted_count, 1);
    CU_ASSERT_EQUAL(fake.deleted[0], 20);
}

static void test_read_only(void)
{
    three();
    CU_ASSERT_STRING_EQUAL(talk_in_with(CONFIG("read-only = yes"), "DELE 1\r\nQUIT\r\n"),
                           "-ERR [SYS/PERM] this login may only read\r\n+OK goodbye\r\n");
    CU_ASSERT_TRUE(fake.synced_read_only);
}

const struct unit_test transaction_tests[] = {
    {"STAT and LIST", test_stat_list},
    {"numbers", test_numbers},
    {"UIDL", test_uidl},
    {"RETR", test_retr},
    {"RETR of much", test_retr_large},
    {"RETR that fails", test_retr_errors},
    {"RETR that breaks off", test_retr_breaks},
    {"TOP", test_top},
    {"TOP at the borders", test_top_borders},
    {"serve-since", test_since},
    {"read-only", test_read_only},
    {NULL, NULL},
};
