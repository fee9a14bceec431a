/* ENVELOPE, BODYSTRUCTURE and BODY of whole messages. */
#include "../unit.h"

#include "structure.h"

#include <string.h>

static struct arena *arena;

static const char *structure_of(const char *message, struct buf *out)
{
    struct mime_structure s;
    buf_clear(out);
    mime_structure_parse(message, strlen(message), arena, &s);
    CU_ASSERT(imap_put_structure(&s, message, arena, out));
    return buf_str(out);
}

static void check(const char *message, const char *extended, const char *basic)
{
    struct buf text = BUF_INIT(10000), body = BUF_INIT(10000);
    arena = arena_new();
    structure_of(message, &text);
    CU_ASSERT_STRING_EQUAL(buf_str(&text), extended);
    CU_ASSERT(imap_put_structure_basic(buf_str(&text), text.len, &body));
    CU_ASSERT_STRING_EQUAL(buf_str(&body), basic);
    if (strcmp(buf_str(&text), extended) != 0 || strcmp(buf_str(&body), basic) != 0)
        printf("\n%s\n%s\n", buf_str(&text), buf_str(&body));
    buf_free(&text);
    buf_free(&body);
    arena_free(&arena);
}

#define MULTI "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define ASCII "(\"charset\" \"us-ascii\")"

static void test_leaves(void)
{
    check("A: b\r\n\r\none\r\ntwo\r\n",
          "(\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 10 2 NIL NIL NIL NIL)",
          "(\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 10 2)");
    check("Content-Type: image/PNG; name=\"a \\\"b\\\".png\"\r\nContent-ID: <i>\r\n"
          "Content-Description: d\r\nContent-Transfer-Encoding: base64\r\nContent-MD5: m\r\n"
          "Content-Disposition: inline; filename=f\r\nContent-Language: de, en\r\n"
          "Content-Location: l\r\n\r\nQQ==",
          "(\"image\" \"PNG\" (\"name\" \"a \\\"b\\\".png\") \"<i>\" \"d\" \"base64\" 4 \"m\" "
          "(\"inline\" (\"filename\" \"f\")) (\"de\" \"en\") \"l\")",
          "(\"image\" \"PNG\" (\"name\" \"a \\\"b\\\".png\") \"<i>\" \"d\" \"base64\" 4)");
}

static void test_eight_bit(void)
{
    check("Content-Type: a/b; n=\"\xfc\"\r\n\r\n",
          "(\"a\" \"b\" (\"n\" {1}\r\n\xfc) NIL NIL \"7bit\" 0 NIL NIL NIL NIL)",
          "(\"a\" \"b\" (\"n\" {1}\r\n\xfc) NIL NIL \"7bit\" 0)");
}

static void test_multiparts(void)
{
    check(MULTI "--b\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\ny\r\n\r\n--b--\r\n",
          "((\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 1 0 NIL NIL NIL NIL)"
          "(\"text\" \"html\" " ASCII " NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL)"
          " \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
          "((\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 1 0)"
          "(\"text\" \"html\" " ASCII " NIL NIL \"7bit\" 3 1) \"mixed\")");
    /* One without parts has an empty one, since there must be one. */
    check(MULTI "nothing\r\n",
          "((\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)"
          " \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
          "((\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 0 0) \"mixed\")");
}

static void test_messages(void)
{
    check("Content-Type: message/rfc822\r\n\r\nSubject: s\r\n\r\nb\r\n",
          "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 "
          "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
          "(\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 3 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)",
          "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 17 "
          "(NIL \"s\" NIL NIL NIL NIL NIL NIL NIL NIL) "
          "(\"text\" \"plain\" " ASCII " NIL NIL \"7bit\" 3 1) 3)");
}

/* RFC 2231 section 6: the server joins the pieces. */
static void test_pieces(void)
{
    check("Content-Type: a/b; n*0=one; n*1=two; m*0*=utf-8''%C3; m*1=\"a b\"\r\n"
          "Content-Disposition: attachment; filename*1=alone\r\n\r\n",
          "(\"a\" \"b\" (\"n\" \"onetwo\" \"m*\" \"utf-8''%C3a%20b\") NIL NIL \"7bit\" 0 NIL "
          "(\"attachment\" (\"filename*1\" \"alone\")) NIL NIL)",
          "(\"a\" \"b\" (\"n\" \"onetwo\" \"m*\" \"utf-8''%C3a%20b\") NIL NIL \"7bit\" 0)");
}

static void test_basic_refuses(void)
{
    static const char *const bad[] = {
        "",
        "(",
        ")",
        "NIL",
        "()",
        "(\"text\")",
        "((\"a\"",
        "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1)",
        "(\"a\" \"b\" NIL NIL NIL \"7bit\" 1) x",
        "(\"a\" \"b\" NIL NIL NIL {9}\r\nx 1)",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf out = BUF_INIT(1000);
        CU_ASSERT_FALSE(imap_put_structure_basic(bad[i], strlen(bad[i]), &out));
        buf_free(&out);
    }
}

static void test_deep(void)
{
    struct buf message = BUF_INIT(1 << 20), text = BUF_INIT(1 << 22), body = BUF_INIT(1 << 22);
    for (int i = 0; i < 3 * MIME_DEPTH_MAX; i++)
        buf_puts(&message, "Content-Type: message/rfc822\r\n\r\n");
    arena = arena_new();
    structure_of(buf_str(&message), &text);
    CU_ASSERT(imap_put_structure_basic(buf_str(&text), text.len, &body));
    arena_free(&arena);
    buf_free(&message);
    buf_free(&text);
    buf_free(&body);
}

static void check_envelope(const char *header, const char *want)
{
    struct buf out = BUF_INIT(1000);
    arena = arena_new();
    CU_ASSERT(imap_put_envelope(header, strlen(header), arena, &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
    if (strcmp(buf_str(&out), want) != 0)
        printf("\n%s\n", buf_str(&out));
    arena_free(&arena);
    buf_free(&out);
}

#define A_AT_B "((NIL NIL \"a\" \"b\"))"

static void test_envelope(void)
{
    check_envelope("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    check_envelope("From: a@b\r\nDate: d\r\nMessage-ID: <m>\r\nIn-Reply-To: <i>\r\n\r\n",
                   "(\"d\" NIL " A_AT_B " " A_AT_B " " A_AT_B " NIL NIL NIL \"<i>\" \"<m>\")");
    check_envelope("From: x@y\r\nSender: a@b\r\nReply-To: N <a@b>\r\nTo: G: a@b;\r\n\r\n",
                   "(NIL NIL ((NIL NIL \"x\" \"y\")) " A_AT_B " ((\"N\" NIL \"a\" \"b\")) "
                   "((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)) NIL NIL NIL NIL)");
    /* Empty fields count as missing where there is a default. */
    check_envelope("From: a@b\r\nSender:\r\nReply-To: \r\nSubject:\r\n\r\n",
                   "(NIL \"\" " A_AT_B " " A_AT_B " " A_AT_B " NIL NIL NIL NIL NIL)");
    check_envelope("Subject: a\r\n\t b  c\r\nSubject: last\r\n  one\r\nDate: x\r\n y\r\n",
                   "(\"x y\" \"last one\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    check_envelope(
        "To: a@b\r\nTo: \"c\\\"\" <c@d>\r\n",
        "(NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"b\")(\"c\\\"\" NIL \"c\" \"d\")) NIL NIL "
        "NIL NIL)");
    check_envelope("Subject: \xc3\xbc\r\n",
                   "(NIL {2}\r\n\xc3\xbc NIL NIL NIL NIL NIL NIL NIL NIL)");
}

extern const struct unit_test structure_tests[];
const struct unit_test structure_tests[] = {
    {"leaves", test_leaves},
    {"eight bits go as literals", test_eight_bit},
    {"multiparts", test_multiparts},
    {"messages", test_messages},
    {"pieces of parameters are joined", test_pieces},
    {"what is no structure", test_basic_refuses},
    {"deep nesting", test_deep},
    {"envelope", test_envelope},
    {NULL, NULL},
};
