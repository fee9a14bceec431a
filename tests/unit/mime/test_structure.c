#include "../unit.h"

#include "postern/mime/structure.h"

#include <string.h>

/* The tree as "type/subtype[body](children)", the body of leaves only. */
static void show(const struct mime_structure *s, const char *message, size_t index, struct buf *out)
{
    for (; index != MIME_NO_PART; index = s->parts[index].next_sibling) {
        const struct mime_part *p = &s->parts[index];
        buf_printf(out, "%s/%s:%zu", p->content_type.type, p->content_type.subtype, p->body_lines);
        if (p->kind == MIME_LEAF)
            buf_printf(out, "[%.*s]", (int)p->body.len, message + p->body.start);
        if (p->first_child != MIME_NO_PART) {
            buf_puts(out, "(");
            show(s, message, p->first_child, out);
            buf_puts(out, ")");
        }
        buf_puts(out, p->next_sibling == MIME_NO_PART ? "" : " ");
    }
}

static void check(const char *message, const char *want)
{
    struct arena *arena = arena_new();
    struct mime_structure s;
    struct buf got = BUF_INIT(10000);
    mime_structure_parse(message, strlen(message), arena, &s);
    CU_ASSERT(!s.cut);
    show(&s, message, 0, &got);
    CU_ASSERT_STRING_EQUAL(buf_str(&got), want);
    if (strcmp(buf_str(&got), want) != 0)
        printf("\ngave \"%s\"\nnot  \"%s\"\n", buf_str(&got), want);
    buf_free(&got);
    arena_free(&arena);
}

#define MIXED   "Content-Type: multipart/mixed; boundary=B\n\n"
#define MESSAGE "Content-Type: message/rfc822\n\n"

static void test_leaves(void)
{
    check("", "text/plain:0[]");
    check("a: b", "text/plain:0[]");
    check("\n", "text/plain:0[]");
    check("a: b\n\none\ntwo", "text/plain:1[one\ntwo]");
    check("Content-Type: text/html\r\n\r\none\r\n", "text/html:1[one\r\n]");
    check("Content-Type: nonsense\n\nx\n", "text/plain:1[x\n]");
    check("Content-Type: a/b\nContent-Type: c/d\n\nx", "a/b:0[x]");
}

static void test_multiparts(void)
{
    check("Content-Type: multipart/mixed; boundary*0=x; boundary*1*=us-ascii'' \n\n",
          "multipart/mixed:0[]");
    check("Content-Type: multipart/mixed; boundary*1=\"d 1\"; boundary*0=en\n\n--end 1\n\nx\n--end "
          "1--",
          "multipart/mixed:3(text/plain:0[x])");
    check(MIXED "--B\n\none\n--B\n\ntwo\n\n--B--\nepilogue\n",
          "multipart/mixed:9(text/plain:0[one] text/plain:1[two\n])");
    check("Content-Type: multipart/mixed; boundary=\"B C\"\r\n\r\npre\r\n--B C  "
          "\r\n\r\none\r\ntwo\r\n"
          "--B C--\r\n",
          "multipart/mixed:6(text/plain:1[one\r\ntwo])");
    check(MIXED "no part\n", "multipart/mixed:1[no part\n]");
    check("Content-Type: multipart/mixed\n\n--\nx\n", "multipart/mixed:2[--\nx\n]");
    check(MIXED "--B\n\none", "multipart/mixed:2(text/plain:0[one])");
    check(MIXED "--B\nheader: only\n--B\n--B--",
          "multipart/mixed:3(text/plain:0[] text/plain:0[])");
    check(MIXED "--B\n\none\n--Bx\n--B--x\n--B--\n",
          "multipart/mixed:6(text/plain:0[one] text/plain:0[])");
    check(MIXED "--B--\n--B\n\nlate\n", "multipart/mixed:4[--B--\n--B\n\nlate\n]");
    check("Content-Type: multipart/digest; boundary=B\n\n--B\n\na: b\n\nx\n--B--\n",
          "multipart/digest:6(message/rfc822:2(text/plain:0[x]))");
}

static void test_nesting(void)
{
    check(MIXED "--B\nContent-Type: multipart/x; boundary=I\n\n--I\n\nin\n--B\n\nout\n--B--\n",
          "multipart/mixed:10(multipart/x:2(text/plain:0[in]) text/plain:0[out])");
    check(MIXED "--B\nContent-Type: multipart/x; boundary=B\n\n--B\n\nin\n--B--\n",
          "multipart/mixed:7(multipart/x:4(text/plain:0[in]))");
    check(MESSAGE MESSAGE "a: b\n\nx\n", "message/rfc822:5(message/rfc822:3(text/plain:1[x\n]))");
    check("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQUJD\n",
          "message/rfc822:1(text/plain:0[])");
    check("Content-Type: message/rfc822", "message/rfc822:0(text/plain:0[])");
    check(MIXED "--B\nContent-Type: message/rfc822\n--B--\n",
          "multipart/mixed:3(message/rfc822:0(text/plain:0[]))");
}

static void test_fields(void)
{
    static const char message[] = "Content-Type: text/plain; charset=x\r\n"
                                  "Content-Transfer-Encoding: 8bit\r\n"
                                  "Content-ID: <a@b>\r\n"
                                  "Content-Description: two\r\n lines\r\n"
                                  "Content-MD5: abc\r\n"
                                  "Content-Disposition: attachment; filename=f\r\n"
                                  "Content-Language: de\r\n"
                                  "Content-Location: http://x/\r\n"
                                  "\r\nbody";
    struct arena *arena = arena_new();
    struct mime_structure s;
    mime_structure_parse(message, sizeof message - 1, arena, &s);
    const struct mime_part *p = &s.parts[0];
    CU_ASSERT_EQUAL(s.count, 1);
    CU_ASSERT(p->type_given);
    CU_ASSERT_STRING_EQUAL(mime_param_get(&p->content_type, "charset"), "x");
    CU_ASSERT_STRING_EQUAL(p->encoding, "8bit");
    CU_ASSERT_STRING_EQUAL(p->id, "<a@b>");
    CU_ASSERT_STRING_EQUAL(p->description, "two lines");
    CU_ASSERT_STRING_EQUAL(p->md5, "abc");
    CU_ASSERT_STRING_EQUAL(p->disposition.type, "attachment");
    CU_ASSERT_STRING_EQUAL(mime_param_get(&p->disposition, "filename"), "f");
    CU_ASSERT_STRING_EQUAL(p->language, "de");
    CU_ASSERT_STRING_EQUAL(p->location, "http://x/");
    CU_ASSERT_EQUAL(p->header.len, sizeof message - 1 - 4);
    CU_ASSERT_EQUAL(p->body.len, 4);
    arena_free(&arena);
}

static void parse_repeated(const char *unit, size_t times, const char *first, size_t count,
                           bool cut)
{
    struct arena *arena = arena_new();
    struct mime_structure s;
    struct buf text = BUF_INIT((size_t)1 << 24);
    buf_puts(&text, first);
    for (size_t i = 0; i < times; i++)
        buf_puts(&text, unit);
    mime_structure_parse(buf_str(&text), text.len, arena, &s);
    CU_ASSERT_EQUAL(s.count, count);
    CU_ASSERT_EQUAL(s.cut, cut);
    buf_free(&text);
    arena_free(&arena);
}

static void test_limits(void)
{
    parse_repeated(MESSAGE, MIME_DEPTH_MAX, "", MIME_DEPTH_MAX + 1, false);
    parse_repeated(MESSAGE, MIME_DEPTH_MAX + 1, "", MIME_DEPTH_MAX + 1, true);
    parse_repeated("--B\n\n", MIME_PARTS_MAX - 1, MIXED, MIME_PARTS_MAX, false);
    parse_repeated("--B\n\n", MIME_PARTS_MAX, MIXED, MIME_PARTS_MAX, true);
    parse_repeated("--B\n" MIXED, MIME_DEPTH_MAX, MIXED, MIME_DEPTH_MAX + 1, false);
    parse_repeated("--B\n" MIXED, MIME_DEPTH_MAX + 1, MIXED, MIME_DEPTH_MAX + 1, true);
}

extern const struct unit_test structure_tests[];
const struct unit_test structure_tests[] = {
    {"leaves", test_leaves}, {"multiparts", test_multiparts}, {"nesting", test_nesting},
    {"fields", test_fields}, {"limits", test_limits},         {NULL, NULL},
};
