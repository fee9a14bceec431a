#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_1 "Subject: one\r\nFrom: a@b\r\n\r\nbody\r\n"

static void two(void)
{
    fake_reset();
    fake_add(TEXT_1)->flags = MAILBOX_SEEN;
    fake_add("Subject: two\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
             "AEE=\r\n");
}

static bool has(const char *answers, const char *text)
{
    bool found = strstr(answers, text) != NULL;
    if (!found)
        printf("\nnot \"%s\" in \"%s\"\n", text, answers);
    return found;
}

/* What the message with the UID tells when it is the only one asked. */
static void check_email(uint32_t uid, uint32_t source)
{
    uint8_t digest[SHA256_SIZE];
    struct buf want = BUF_INIT(100);
    char *command = xasprintf("a FETCH %u EMAILID\r\n", (unsigned)uid);
    sha256(&source, sizeof source, digest);
    buf_printf(&want, "* %u FETCH (EMAILID (M", (unsigned)uid);
    base64url_encode(digest, sizeof digest, &want);
    buf_puts(&want, "))\r\na OK");
    CU_ASSERT(has(talk_selected(command), buf_str(&want)));
    buf_free(&want);
    free(command);
}

static void test_email_ids(void)
{
    two();
    check_email(1, 1);
    fake.copy = 2;
    fake.copied = 1;
    check_email(2, 1);
    check_email(1, 1);
}

static void test_plain_items(void)
{
    two();
    const char *answers = talk_selected("a FETCH 1 (FLAGS UID UID INTERNALDATE MODSEQ THREADID)\r\n"
                                        "b UID FETCH 2 FLAGS\r\n");
    CU_ASSERT(has(answers, "* 1 FETCH (FLAGS (\\Seen \\Recent) UID 1 INTERNALDATE \""));
    CU_ASSERT(has(answers, "MODSEQ (1) THREADID NIL)\r\na OK"));
    CU_ASSERT(has(answers, "* 2 FETCH (UID 2 FLAGS (\\Recent))\r\nb OK"));
}

static void test_macros(void)
{
    two();
    const char *answers = talk_selected("a FETCH 1 FULL\r\nb FETCH 1 FAST\r\n");
    CU_ASSERT(has(answers, "ENVELOPE (NIL \"one\" ((NIL NIL \"a\" \"b\"))"));
    CU_ASSERT(
        has(answers, "BODY (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1)"));
    CU_ASSERT(has(answers, "b OK"));
}

static void test_sections(void)
{
    two();
    const char *answers =
        talk_selected("a FETCH 1 BODY.PEEK[]\r\n"
                      "b FETCH 1 body.peek[header.fields (Subject X)]<3.6>\r\n"
                      "c FETCH 1 (BODY.PEEK[TEXT]<2.99> BODY.PEEK[9] BODY.PEEK[1]<9.9>)\r\n"
                      "d FETCH 1 (RFC822.HEADER BODY.PEEK[HEADER.FIELDS.NOT (subject)])\r\n");
    CU_ASSERT(has(answers, "* 1 FETCH (BODY[] {33}\r\n" TEXT_1 ")\r\na OK"));
    CU_ASSERT(has(answers, "BODY[HEADER.FIELDS (Subject X)]<3> {6}\r\nject: )\r\nb OK"));
    CU_ASSERT(
        has(answers, "(BODY[TEXT]<2> {4}\r\ndy\r\n BODY[9] \"\" BODY[1]<9> {0}\r\n)\r\nc OK"));
    CU_ASSERT(has(answers, "RFC822.HEADER {27}\r\nSubject: one\r\nFrom: a@b\r\n\r\n "
                           "BODY[HEADER.FIELDS.NOT (subject)] {13}\r\nFrom: a@b\r\n\r\n)\r\nd OK"));
}

static void test_binary(void)
{
    two();
    const char *answers = talk_selected("a FETCH 2 (BINARY.SIZE[1] BINARY.PEEK[1]<1.5>)\r\n"
                                        "b FETCH 2 (BINARY.PEEK[] BINARY.PEEK[TEXT]<1> "
                                        "BINARY.SIZE[HEADER.FIELDS (Subject)])\r\n");
    CU_ASSERT(has(answers, "* 2 FETCH (BINARY.SIZE[1] 2 BINARY[1]<1> {1}\r\nA)\r\na OK"));
    CU_ASSERT(has(answers, "* 2 FETCH (BINARY[] ~{79}\r\nSubject: two\r\nContent-Type: "
                           "text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\n"));
}

static void test_unknown_encoding(void)
{
    fake_reset();
    fake_add("Content-Transfer-Encoding: x-unknown\r\n\r\nx\r\n");
    fake_add(TEXT_1);
    const char *answers = talk_selected("a FETCH 1:2 BINARY.PEEK[1]\r\n");
    CU_ASSERT(has(answers, "* 2 FETCH (BINARY[1] {6}\r\nbody\r\n)\r\na NO [UNKNOWN-CTE]"));
}

static void test_gone(void)
{
    two();
    fake_add(NULL);
    fake_add(TEXT_1);
    const char *answers = talk_selected("a FETCH 1:4 BODY.PEEK[TEXT]\r\nb FETCH 3 FLAGS\r\n"
                                        "c FETCH 1:4 BODY.PEEK[HEADER.FIELDS (From)]\r\n");
    CU_ASSERT(has(answers, "* 4 FETCH (BODY[TEXT] {6}\r\nbody\r\n)\r\na NO [EXPUNGEISSUED]"));
    CU_ASSERT(has(answers, "b OK"));
    CU_ASSERT(has(answers, "* 4 FETCH (BODY[HEADER.FIELDS (From)] {13}\r\nFrom: a@b\r\n\r\n)\r\n"
                           "c NO [EXPUNGEISSUED]"));
}

static void test_body_fails(void)
{
    two();
    error_set(&fake.body_error, ERROR_THROTTLED, "busy");
    const char *answers = talk_selected("a FETCH 1:2 (FLAGS BODY.PEEK[])\r\nb FETCH 1 FLAGS\r\n");
    CU_ASSERT_PTR_NULL(strstr(answers, "BODY[]"));
    CU_ASSERT(has(answers, "a NO [UNAVAILABLE]"));
    CU_ASSERT(has(answers, "b OK"));
}

static void test_changed_since(void)
{
    two();
    fake_find(2)->modseq = 50;
    const char *answers = talk_selected("a FETCH 1:2 FLAGS (CHANGEDSINCE 10)\r\n"
                                        "b FETCH 1:2 FLAGS (CHANGEDSINCE)\r\n");
    CU_ASSERT(has(answers, "* 2 FETCH (FLAGS (\\Recent) MODSEQ (50))\r\na OK"));
    CU_ASSERT_PTR_NULL(strstr(answers, "* 1 FETCH"));
    CU_ASSERT(has(answers, "b BAD"));
}

static void test_bad_arguments(void)
{
    static const char *const bad[] = {
        "FETCH 1",
        "FETCH 1 ()",
        "FETCH 1 BODY[",
        "FETCH 1 BODY[0]",
        "FETCH 1 BODY[]<1.>",
        "FETCH 1 BODY[]<1.0>",
        "FETCH 1 BODY[]<.1>",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 NONSENSE",
        "FETCH 1 (FLAGS",
        "FETCH 1 BODY[HEADER.FIELDS]",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1 BODY[HEADER (A)]",
        "FETCH 1 \"FLAGS\"",
        "FETCH x FLAGS",
        "FETCH 1 (FLAGS ALL)",
        "FETCH 1 FLAGS FLAGS",
        "FETCH 1 BINARY.SIZE[1]<1.2>",
        "FETCH 1 BODY[]x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char commands[200];
        two();
        snprintf(commands, sizeof commands, "a %s\r\nb NOOP\r\n", bad[i]);
        const char *answers = talk_selected(commands);
        CU_ASSERT(has(answers, "a BAD "));
        CU_ASSERT(has(answers, "b OK"));
    }
}

extern const struct unit_test fetch_tests[];
const struct unit_test fetch_tests[] = {
    {"plain items", test_plain_items},
    {"EMAILID", test_email_ids},
    {"macros", test_macros},
    {"sections", test_sections},
    {"binary", test_binary},
    {"an unknown encoding", test_unknown_encoding},
    {"messages that are gone", test_gone},
    {"a body that cannot be had is never told", test_body_fails},
    {"changed since", test_changed_since},
    {"bad arguments", test_bad_arguments},
    {NULL, NULL},
};
