#include "../unit.h"

#include "postern/base/alloc.h"
#include "postern/mime/header.h"
#include "postern/mime/match.h"

#include <stdlib.h>
#include <string.h>

/* Is the needle found? Header and body of one message are looked through. */
static bool found(const char *message, enum mime_scope scope, const char *field, const char *needle)
{
    struct arena *arena = arena_new();
    size_t len = strlen(message), header = mime_header_size(message, len);
    struct mime_match m;
    mime_match_init(&m, scope, field, needle, strlen(needle), arena);
    mime_match_header(&m, 1, message, header);
    mime_match_body(&m, 1, message, len);
    arena_free(&arena);
    return m.found;
}

static bool in_header(const char *header, const char *field, const char *needle)
{
    return found(header, MIME_IN_FIELD, field, needle);
}

static void test_fields(void)
{
    const char *h = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= an\r\n \t alle\r\nX-Empty:\r\n"
                    "Subject: second\r\n\r\nbody\r\n";
    CU_ASSERT(in_header(h, "subject", "grÜß"));
    CU_ASSERT(in_header(h, "SUBJECT", "an   alle"));
    CU_ASSERT(in_header(h, "SUBJECT", "an \t alle"));
    CU_ASSERT(found(h, MIME_IN_LINE, "SUBJECT", "an alle"));
    CU_ASSERT(in_header(h, "Subject", "second"));
    CU_ASSERT(in_header(h, "X-Empty", ""));
    CU_ASSERT(in_header(h, "Subject", ""));
    CU_ASSERT_FALSE(in_header(h, "X-Empty", " "));
    CU_ASSERT_FALSE(in_header(h, "X-None", ""));
    CU_ASSERT_FALSE(in_header(h, "Subject", "body"));
    CU_ASSERT_FALSE(in_header(h, "Subject", "alle second"));
    CU_ASSERT_FALSE(in_header(h, "Subject", "utf-8"));
}

static void test_white_space(void)
{
    const char *h = "A: one  two\r\n\t\tthree\r\n\r\n";
    CU_ASSERT(in_header(h, "A", "one  two  three"));
    CU_ASSERT_FALSE(in_header(h, "A", "one two"));
    CU_ASSERT(found(h, MIME_IN_LINE, "A", "one two three"));
}

static bool in_from(const char *value, const char *needle)
{
    char *header = xasprintf("From: %s\r\n\r\n", value);
    bool is = found(header, MIME_IN_ADDRESSES, "From", needle);
    free(header);
    return is;
}

static void test_addresses(void)
{
    CU_ASSERT(in_from("\"Doe, John\" < john@example.com >", "\"doe, john\" <john@example.com>"));
    CU_ASSERT(in_from("john@example.com (John Doe)", "\"john doe\" <john@"));
    CU_ASSERT(in_from("=?utf-8?q?J=C3=B6rg=2C_M?= <j@x>", "jörg, m <j@x>"));
    CU_ASSERT(in_from("\"Joe \\\"Q\\\" P\" <q@x>", "joe \"q\" p"));
    CU_ASSERT(in_from("A B <a@b>,c@d", "\"a b\" <a@b>, <c@d>"));
    CU_ASSERT(in_from("Team: a@b, c@d;, e@f", "team: <a@b>, <c@d>;, <e@f>"));
    CU_ASSERT(in_from("\"a b\"@c", "<\"a b\"@c>"));
    CU_ASSERT(in_from("<@a,@b:c@d>", "<@a,@b:c@d>"));
    /* As it stands there. */
    CU_ASSERT(in_from("A B <a@b>,c@d", "a b <a@b>,c@d"));
    CU_ASSERT(in_from("A <a(comment)@b.c>", "comment"));
    CU_ASSERT(in_from("", ""));
    CU_ASSERT_FALSE(in_from("a@b", "a@b;"));
}

static const char nested[] = "Subject: outer\r\n"
                             "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                             "preamble\r\n"
                             "--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
                             "Content-Transfer-Encoding: quoted-printable\r\n"
                             "X-Part: =?utf-8?q?h=C3=A4nd?=\r\n\r\n"
                             "caf=E9 wrap=\r\nped\r\n"
                             "--b\r\nContent-Type: application/octet-stream\r\n\r\nbinary\r\n"
                             "--b\r\nContent-Type: text/html\r\n"
                             "Content-Transfer-Encoding: base64\r\n\r\nPGI+Qm9sZDwvYj4=\r\n"
                             "--b\r\nContent-Type: message/rfc822\r\n\r\n"
                             "Subject: =?utf-8?q?inn=C3=A9r?=\r\n\r\ninner text\r\n"
                             "--b--\r\nepilogue\r\n";

/* An encoding that nobody knows may hide anything. */
static void test_unknown_encoding(void)
{
    CU_ASSERT(
        found("Content-Transfer-Encoding: 8Bit (so)\r\n\r\nword\r\n", MIME_IN_BODY, NULL, "word"));
    CU_ASSERT_FALSE(
        found("Content-Transfer-Encoding: x\r\n\r\nword\r\n", MIME_IN_BODY, NULL, "word"));
}

static bool in_text(const char *needle)
{
    return found(nested, MIME_IN_TEXT, NULL, needle);
}

static bool in_body(const char *needle)
{
    return found(nested, MIME_IN_BODY, NULL, needle);
}

static void test_bodies(void)
{
    CU_ASSERT(in_body("CAFÉ wrapped"));
    CU_ASSERT(in_body("<b>bold"));
    CU_ASSERT(in_body("inner text"));
    CU_ASSERT(in_body(""));
    CU_ASSERT_FALSE(in_body("binary"));
    CU_ASSERT_FALSE(in_body("preamble"));
    CU_ASSERT_FALSE(in_body("epilogue"));
    CU_ASSERT_FALSE(in_body("=E9"));
    CU_ASSERT_FALSE(in_body("outer"));
    CU_ASSERT_FALSE(in_body("innér"));
    CU_ASSERT_FALSE(in_body("händ"));
}

static void test_text(void)
{
    CU_ASSERT(in_text("café"));
    CU_ASSERT(in_text("subject: outer"));
    CU_ASSERT(in_text("outer\r\ncontent-type"));
    CU_ASSERT(in_text("subject: innér"));
    CU_ASSERT(in_text("x-part: händ"));
    CU_ASSERT(found("From me\r\nA: b\r\n\r\n", MIME_IN_TEXT, NULL, "from me\r\na: b\r\n"));
    CU_ASSERT(in_text(""));
    CU_ASSERT_FALSE(in_text("utf-8"));
    CU_ASSERT_FALSE(in_text("epilogue"));
}

/* Many things in one pass, and what was found stays so. */
static void test_many(void)
{
    struct arena *arena = arena_new();
    struct mime_match m[3];
    mime_match_init(&m[0], MIME_IN_BODY, NULL, "bold", 4, arena);
    mime_match_init(&m[1], MIME_IN_TEXT, NULL, "outer", 5, arena);
    mime_match_init(&m[2], MIME_IN_BODY, NULL, "not there", 9, arena);
    mime_match_header(m, 3, nested, mime_header_size(nested, sizeof nested - 1));
    CU_ASSERT(!m[0].found && m[1].found && !m[2].found);
    mime_match_body(m, 3, nested, sizeof nested - 1);
    CU_ASSERT(m[0].found && m[1].found && !m[2].found);
    arena_free(&arena);
}

/* The needle lies across the pieces in which long text is looked through. */
static void test_long_text(void)
{
    enum { SIZE = 200000 };
    char *text = xmalloc(SIZE + 1);
    for (size_t at = 65000; at < 66000; at += 7) {
        memset(text, 'x', SIZE);
        memcpy(text, "\r\n\r\n\r\n", 6);
        memcpy(text + at, "nädle", 6);
        text[SIZE] = '\0';
        CU_ASSERT(found(text, MIME_IN_BODY, NULL, "xNÄDLEx"));
    }
    free(text);
}

extern const struct unit_test match_tests[];
const struct unit_test match_tests[] = {
    {"fields", test_fields},
    {"white space", test_white_space},
    {"addresses", test_addresses},
    {"bodies", test_bodies},
    {"text", test_text},
    {"many at once", test_many},
    {"unknown encoding", test_unknown_encoding},
    {"long text", test_long_text},
    {NULL, NULL},
};
