#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include <stdio.h>
#include <string.h>

extern const struct unit_test store_tests[];

static void three(void)
{
    fake_reset();
    for (int i = 0; i < 3; i++)
        fake_add("A: b\r\n\r\nx\r\n");
    fake.recent_from = fake.uidnext;
}

/* What one command gets, behind SELECT: this at its end, and no FETCH before it. */
static void check(const char *command, const char *expected)
{
    struct buf line = BUF_INIT((size_t)64 * 1024);
    buf_printf(&line, "s %s\r\n", command);
    const char *answers = talk_selected(buf_str(&line));
    buf_free(&line);
    const char *at = strstr(answers, expected);
    const char *fetch = strstr(answers, " FETCH ");
    if (!at || at[strlen(expected)] != '\0' || (fetch && fetch < at)) {
        fprintf(stderr, "%s\ngets %s\n", command, answers);
        CU_FAIL("another answer");
    }
}

static void test_telling(void)
{
    three();
    check("STORE 1,3 +FLAGS (\\Seen)",
          "* 1 FETCH (FLAGS (\\Seen))\r\n* 3 FETCH (FLAGS (\\Seen))\r\n"
          "s OK STORE completed\r\n");
    check("STORE 1 -FLAGS \\Seen", "* 1 FETCH (FLAGS ())\r\ns OK STORE completed\r\n");
    check("UID STORE 3:9 FLAGS (\\Flagged)",
          "* 3 FETCH (FLAGS (\\Flagged) UID 3)\r\ns OK UID STORE completed\r\n");
    check("STORE 1:3 +FLAGS.SILENT (\\Deleted)", "s OK STORE completed\r\n");
    CU_ASSERT_EQUAL(fake_find(3)->flags, MAILBOX_FLAGGED | MAILBOX_DELETED);
    check("STORE 2 FLAGS.SILENT ()", "s OK STORE completed\r\n");
    CU_ASSERT_EQUAL(fake_find(2)->flags, 0);
    CU_ASSERT_EQUAL(fake.store_client_fd, -1); /* it runs to its end whoever hangs up */
}

/* A client that is told nothing believes what it asked for. */
static void test_silence_that_would_lie(void)
{
    three();
    check("STORE 1 +FLAGS.SILENT (\\Answered)", "s OK STORE completed\r\n");
    fake.store_others = MAILBOX_FLAGGED;
    check("STORE 1 +FLAGS.SILENT (\\Draft \\Seen)",
          "* 1 FETCH (FLAGS (\\Answered \\Flagged \\Seen \\Draft))\r\ns OK STORE completed\r\n");
    fake.store_others = 0;
    fake_find(2)->flags = MAILBOX_DRAFT | MAILBOX_DRAFT_CONTRARY; /* the latter is no flag */
    check("STORE 2 +FLAGS.SILENT (\\Draft)", "s OK STORE completed\r\n");
    check("STORE 2 FLAGS.SILENT (\\Seen)", "s OK STORE completed\r\n");
}

static void test_keywords(void)
{
    three();
    check("STORE 1 +FLAGS (Work)",
          "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent Work)\r\n"
          "* 1 FETCH (FLAGS (Work))\r\ns OK STORE completed\r\n");
    check("STORE 1 +FLAGS.SILENT (WORK b c)", "s OK STORE completed\r\n");
    CU_ASSERT_STRING_EQUAL(fake_find(1)->keywords, "Work b c");
    check("STORE 1 -FLAGS.SILENT (B x)", "s OK STORE completed\r\n");
    check("STORE 1 FLAGS.SILENT (c)", "s OK STORE completed\r\n");
    CU_ASSERT_STRING_EQUAL(fake_find(1)->keywords, "c");
}

static void test_too_many_keywords(void)
{
    struct buf many = BUF_INIT((size_t)64 * 1024);
    three();
    buf_puts(&many, "STORE 1 +FLAGS.SILENT (\\Seen");
    for (int i = 0; i < 4000; i++)
        buf_printf(&many, " k%d", i);
    buf_puts(&many, ")");
    check(buf_str(&many), "s NO [LIMIT] the keywords of one command have at most 16384 octets\r\n");
    CU_ASSERT_FALSE(fake_find(1)->flags & MAILBOX_SEEN);
    buf_free(&many);
}

static void test_unchanged_since(void)
{
    char command[128];
    three();
    fake_find(2)->modseq = fake.modseq = 40;
    check("STORE 1:3 (UNCHANGEDSINCE 39) +FLAGS.SILENT (\\Seen)",
          "* 1 FETCH (MODSEQ (41))\r\n* 3 FETCH (MODSEQ (42))\r\n"
          "s OK [MODIFIED 2] some of the messages were changed since\r\n");
    check("UID STORE 1:3 (UNCHANGEDSINCE 40) +FLAGS (\\Flagged)",
          "* 2 FETCH (FLAGS (\\Flagged) UID 2 MODSEQ (43))\r\n"
          "s OK [MODIFIED 1,3] some of the messages were changed since\r\n");
    snprintf(command, sizeof command, "STORE 1 (UNCHANGEDSINCE %llu) FLAGS ()", 1ull << 62);
    check(command, "* 1 FETCH (FLAGS () MODSEQ (44))\r\ns OK STORE completed\r\n");
    check("STORE 1 (UNCHANGEDSINCE 0) FLAGS ()",
          "s OK [MODIFIED 1] some of the messages were changed since\r\n");
}

static void test_failures(void)
{
    three();
    fake.store_refused = 2;
    error_set(&fake.write_error, ERROR_DENIED, "no");
    check("STORE 1:3 +FLAGS (\\Seen)",
          "* 1 FETCH (FLAGS (\\Seen))\r\n* 3 FETCH (FLAGS (\\Seen))\r\n"
          "s NO [NOPERM] Microsoft 365 denies access; see the service's log\r\n");
}

static void test_bad_input(void)
{
    static const char *const bad[] = {
        "STORE",
        "STORE 1",
        "STORE 1 FLAGS",
        "STORE 4 FLAGS ()",
        "STORE x FLAGS ()",
        "STORE 1 FLAG ()",
        "STORE 1 FLAGS.LOUD ()",
        "STORE 1 ++FLAGS ()",
        "STORE 1 FLAGS (\\)",
        "STORE 1 FLAGS (a \"b\")",
        "STORE 1 FLAGS (a (b))",
        "STORE 1 FLAGS (a) b",
        "STORE 1 () FLAGS (a)",
        "STORE 1 (UNCHANGEDSINCE) FLAGS (a)",
        "STORE 1 (UNCHANGEDSINCE x) FLAGS (a)",
        "STORE 1 (UNCHANGEDSINCE 1 2) FLAGS (a)",
        "STORE 1 (UNCHANGEDSINCE 9223372036854775808) FLAGS (a)",
        "STORE 1 (CHANGEDSINCE 1) FLAGS (a)",
        "STORE 1 (UNCHANGEDSINCE 1) FLAGS",
    };
    three();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[256];
        snprintf(line, sizeof line, "s %s\r\n", bad[i]);
        if (strncmp(talk_selected(line), "s BAD ", 6) != 0)
            CU_FAIL(bad[i]);
    }
    check("STORE 1 FLAGS (\\Nonsense)", "s NO [CANNOT] there is no such system flag\r\n");
    check("STORE 1 FLAGS (\\Recent)", "* 1 FETCH (FLAGS ())\r\ns OK STORE completed\r\n");
    CU_ASSERT_EQUAL(fake_find(1)->flags, 0);
}

const struct unit_test store_tests[] = {
    {"telling", test_telling},
    {"silence that would lie", test_silence_that_would_lie},
    {"keywords", test_keywords},
    {"too many keywords", test_too_many_keywords},
    {"UNCHANGEDSINCE", test_unchanged_since},
    {"failures", test_failures},
    {"bad input", test_bad_input},
    {NULL, NULL},
};
