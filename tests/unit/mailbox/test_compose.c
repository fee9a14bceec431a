/* MIME as JSON can say it. */
#include "../../../src/mailbox/append/compose.h"
#include "../unit.h"

#include <string.h>

extern const struct unit_test compose_tests[];

static struct arena *arena;

static struct composed composed_of(const char *text)
{
    struct composed c;
    compose(text, strlen(text), arena, &c);
    return c;
}

static const char *property(const struct composed *c, const char *id)
{
    for (size_t i = 0; i < c->message.property_count; i++)
        if (strcmp(c->message.properties[i].name, id) == 0)
            return c->message.properties[i].value;
    return NULL;
}

static void check_file(const struct composed *c, size_t index, const char *name, const char *type,
                       const char *bytes)
{
    struct buf out = BUF_INIT(1000);
    CU_ASSERT_FATAL(index < c->file_count);
    CU_ASSERT_STRING_EQUAL(c->files[index].name, name);
    CU_ASSERT_STRING_EQUAL(c->files[index].content_type, type);
    CU_ASSERT(compose_file_decode(&c->files[index], &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), bytes);
    buf_free(&out);
}

static void test_header(void)
{
    arena = arena_new();
    struct composed c = composed_of(
        "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nFrom: \"A, B\" <a@b.example>\r\n"
        "To: c@d.example, List: e@f.example, g@h.example;\r\nTo: i@j.example\r\n"
        "Cc: =?utf-8?q?=C3=84?= <k@l.example>\r\nReply-To: m@n.example\r\n"
        "Message-ID:  <1@here> \r\nReferences: <0@here>\r\n <2@here>\r\nIn-Reply-To: <0@here>\r\n"
        "Date: Sat, 01 Feb 2020 10:11:12 +0200\r\nImportance: High\r\n"
        "X-One: 1\r\nX-MS-Two: 2\r\nX-Three: 3\r\n\r\nhello\r\n");
    const struct graph_new *m = &c.message;
    CU_ASSERT_STRING_EQUAL(m->subject, "Grüße");
    CU_ASSERT_EQUAL(m->from.count, 1);
    CU_ASSERT_STRING_EQUAL(m->from.items[0].name, "A, B");
    CU_ASSERT_STRING_EQUAL(m->sender.items[0].address, "a@b.example");
    CU_ASSERT_EQUAL_FATAL(m->to.count, 4);
    CU_ASSERT_STRING_EQUAL(m->to.items[2].address, "g@h.example");
    CU_ASSERT_STRING_EQUAL(m->to.items[3].address, "i@j.example");
    CU_ASSERT_STRING_EQUAL(m->cc.items[0].name, "Ä");
    CU_ASSERT_EQUAL(m->bcc.count, 0);
    CU_ASSERT_STRING_EQUAL(m->message_id, "<1@here>");
    CU_ASSERT_EQUAL(m->importance, GRAPH_HIGH);
    CU_ASSERT_EQUAL_FATAL(m->header_count, 2);
    CU_ASSERT_STRING_EQUAL(m->headers[1].name, "X-Three");
    CU_ASSERT_STRING_EQUAL(property(&c, "String 0x1039"), "<0@here> <2@here>");
    CU_ASSERT_STRING_EQUAL(property(&c, "String 0x1042"), "<0@here>");
    CU_ASSERT_STRING_EQUAL(property(&c, "SystemTime 0x0039"), "2020-02-01T08:11:12Z");
    CU_ASSERT_PTR_NOT_NULL(strstr(property(&c, "String 0x007D"), "X-MS-Two: 2\r\n"));
    CU_ASSERT_FALSE(m->html);
    CU_ASSERT_STRING_EQUAL(m->body, "hello\r\n");
    CU_ASSERT_PTR_NULL(c.lossy);
    arena_free(&arena);
}

static void test_nothing(void)
{
    arena = arena_new();
    struct composed c = composed_of("");
    CU_ASSERT_STRING_EQUAL(c.message.subject, "");
    CU_ASSERT_STRING_EQUAL(c.message.body, "");
    CU_ASSERT_EQUAL(c.message.from.count + c.message.to.count + c.file_count, 0);
    CU_ASSERT_PTR_NULL(c.message.message_id);
    arena_free(&arena);
}

#define PART(head, body) "--b\r\n" head "\r\n" body "\r\n"

static void test_alternatives(void)
{
    arena = arena_new();
    struct composed c = composed_of(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n"
        "--a\r\n\r\nplain\r\n"
        "--a\r\nContent-Type: multipart/related; boundary=r\r\n\r\n"
        "--r\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n<img src=3D\"cid:x@y\">=FC\r\n"
        "--r\r\nContent-Type: image/png\r\nContent-ID: <x@y>\r\n\r\npicture\r\n--r--\r\n"
        "--a\r\nContent-Type: text/calendar\r\n\r\nBEGIN\r\n--a--\r\n" PART("",
                                                                            "footer") "--b--\r\n");
    CU_ASSERT(c.message.html);
    CU_ASSERT_STRING_EQUAL(c.message.body, "<img src=\"cid:x@y\">ü");
    CU_ASSERT_EQUAL(c.file_count, 3);
    check_file(&c, 0, "attachment-1.png", "image/png", "picture");
    CU_ASSERT(c.files[0].is_inline);
    CU_ASSERT_STRING_EQUAL(c.files[0].content_id, "x@y");
    check_file(&c, 1, "attachment-2.ics", "text/calendar", "BEGIN");
    check_file(&c, 2, "attachment-3.txt", "text/plain", "footer");
    CU_ASSERT_FALSE(c.files[2].is_inline);
    arena_free(&arena);
}

static void test_files(void)
{
    arena = arena_new();
    struct composed c =
        composed_of("Content-Type: multipart/mixed; boundary=b\r\n\r\n" PART(
            "Content-Type: text/html\r\nContent-Disposition: attachment; filename=a.html\r\n",
            "<p>") PART("", "body") PART("Content-Type: text/html\r\n", "<b>")
                        PART("Content-Type: application/pdf; name*=utf-8''%C3%A4.pdf\r\n"
                             "Content-Transfer-Encoding: base64\r\n",
                             "QUJD") PART("Content-Type: message/rfc822\r\n",
                                          "Subject: in\r\nContent-Type: multipart/signed; "
                                          "boundary=x\r\n\r\n--x\r\n\r\n1\r\n--x--") "--b--\r\n");
    CU_ASSERT_FALSE(c.message.html);
    CU_ASSERT_STRING_EQUAL(c.message.body, "body");
    CU_ASSERT_EQUAL(c.file_count, 4);
    check_file(&c, 0, "a.html", "text/html", "<p>");
    check_file(&c, 1, "attachment-1.html", "text/html", "<b>");
    check_file(&c, 2, "ä.pdf", "application/pdf", "ABC");
    CU_ASSERT_STRING_EQUAL(c.files[3].name, "attachment-2.eml");
    CU_ASSERT_PTR_NULL(c.lossy); /* what is attached stays whole */
    arena_free(&arena);
}

static void test_lossy(void)
{
    static const char *const heads[] = {
        "Content-Type: multipart/signed; boundary=b",
        "Content-Type: multipart/encrypted; boundary=b",
        "Content-Type: multipart/report; boundary=b",
        "Content-Type: application/pkcs7-mime",
        "Content-Type: text/calendar; method=REQUEST",
    };
    arena = arena_new();
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct composed c =
            composed_of(arena_printf(arena, "%s\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", heads[i]));
        CU_ASSERT_PTR_NOT_NULL(c.lossy);
    }
    arena_free(&arena);
}

/* A great depth and many parts take no time to speak of. */
static void test_deep(void)
{
    struct buf text = BUF_INIT(4 << 20);
    struct composed c;
    arena = arena_new();
    for (int i = 0; i < 3000; i++)
        buf_printf(&text, "Content-Type: multipart/alternative; boundary=b%d\r\n\r\n--b%d\r\n", i,
                   i);
    for (int i = 0; i < 5000; i++)
        buf_puts(&text, "\r\nx\r\n--b0\r\n");
    compose(buf_str(&text), text.len, arena, &c);
    CU_ASSERT_PTR_NOT_NULL(c.lossy);
    arena_free(&arena);
    buf_free(&text);
}

static void test_limits(void)
{
    struct buf text = BUF_INIT(16 << 20);
    struct composed c;
    arena = arena_new();
    buf_puts(&text, "X-A: b\r\n\r\n");
    while (text.len < COMPOSE_BODY_MAX)
        buf_puts(&text, "0123456789012345678901234567890123456789\r\n");
    compose(buf_str(&text), COMPOSE_BODY_MAX, arena, &c);
    CU_ASSERT_FALSE(c.too_big);
    buf_puts(&text, "and so much more\r\n");
    compose(buf_str(&text), text.len, arena, &c);
    CU_ASSERT(c.too_big);
    buf_clear(&text);
    while (text.len < 2 * COMPOSE_HEADER_MAX)
        buf_puts(&text, "X-Long: 0123456789\r\n");
    compose(buf_str(&text), text.len, arena, &c);
    const char *block = property(&c, "String 0x007D");
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    CU_ASSERT(strlen(block) <= COMPOSE_HEADER_MAX);
    CU_ASSERT_EQUAL(block[strlen(block) - 1], '\n');
    CU_ASSERT_EQUAL(c.message.header_count, GRAPH_HEADERS_MAX);
    CU_ASSERT_PTR_NOT_NULL(c.lossy);
    buf_clear(&text);
    while (text.len < COMPOSE_HEADER_MAX)
        buf_puts(&text, "X-Long: 012345\r\n");
    compose(buf_str(&text), COMPOSE_HEADER_MAX, arena, &c);
    CU_ASSERT_EQUAL(strlen(property(&c, "String 0x007D")), COMPOSE_HEADER_MAX);
    CU_ASSERT_PTR_NULL(c.lossy);
    memcpy(text.data, "X-L\xFC", 4); /* three bytes once it is U+FFFD */
    compose(buf_str(&text), COMPOSE_HEADER_MAX, arena, &c);
    CU_ASSERT_EQUAL(strlen(property(&c, "String 0x007D")), COMPOSE_HEADER_MAX - 16 + 2);
    CU_ASSERT_PTR_NOT_NULL(c.lossy);
    arena_free(&arena);
    buf_free(&text);
}

const struct unit_test compose_tests[] = {
    {"the header", test_header},
    {"an empty message", test_nothing},
    {"alternatives and pictures", test_alternatives},
    {"files and attached messages", test_files},
    {"what JSON cannot say", test_lossy},
    {"deep nesting", test_deep},
    {"limits", test_limits},
    {NULL, NULL},
};
