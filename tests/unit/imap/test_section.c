/* Sections: their syntax, what they name in a message, choosing fields. */
#include "../unit.h"

#include "fetch.h"

#include <string.h>

static bool parses(const char *text, struct arena *a, struct fetch_section *out)
{
    return section_parse(text, strlen(text), a, out);
}

static void test_syntax(void)
{
    static const char *const good[] = {"",         "HEADER", "header.fields", "HEADER.FIELDS.NOT",
                                       "TEXT",     "1",      "1.2.3",         "4294967295",
                                       "1.HEADER", "2.TEXT", "1.2.mime",      "3.HEADER.FIELDS"};
    static const char *const bad[] = {"0",    "01",   "1.",  ".1",      "1..2",   "MIME",
                                      "1.0",  "x",    "1.x", "HEADER.", "TEXT.1", "4294967296",
                                      "1 .2", "1.2.", "-1",  "HEADERS"};
    struct arena *a = arena_new();
    struct fetch_section section;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CU_ASSERT(parses(good[i], a, &section));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(parses(bad[i], a, &section));
    CU_ASSERT(parses("1.20.HEADER.FIELDS.NOT", a, &section));
    CU_ASSERT_EQUAL(section.kind, SECTION_FIELDS_NOT);
    CU_ASSERT_EQUAL_FATAL(section.depth, 2);
    CU_ASSERT_EQUAL(section.path[1], 20);
    arena_free(&a);
}

static void test_depth(void)
{
    struct arena *a = arena_new();
    struct fetch_section section;
    struct buf text = BUF_INIT(10000);
    for (int i = 0; i < SECTION_DEPTH_MAX; i++)
        buf_puts(&text, i ? ".1" : "1");
    CU_ASSERT(parses(buf_str(&text), a, &section));
    CU_ASSERT_EQUAL(section.depth, SECTION_DEPTH_MAX);
    buf_puts(&text, ".1");
    CU_ASSERT_FALSE(parses(buf_str(&text), a, &section));
    buf_free(&text);
    arena_free(&a);
}

static const char message[] = "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                              "--b\r\n\r\nfirst\r\n"
                              "--b\r\nContent-Type: message/rfc822\r\n\r\n"
                              "Subject: inner\r\nTo: x\r\n\r\ninner text\r\n"
                              "--b\r\nContent-Type: message/rfc822\r\n\r\n"
                              "Content-Type: multipart/digest; boundary=c\r\n\r\n"
                              "--c\r\n\r\nSubject: d\r\n\r\ndigested\r\n--c--\r\n"
                              "--b--\r\n";

/* NULL: the message has no such section. */
static void check(const char *text, const char *want)
{
    struct arena *a = arena_new();
    struct mime_structure structure;
    struct fetch_section section;
    struct section_place place;
    mime_structure_parse(message, strlen(message), a, &structure);
    CU_ASSERT_FATAL(parses(text, a, &section));
    bool found = section_find(&section, &structure, &place);
    CU_ASSERT_EQUAL(found, want != NULL);
    if (found && want) {
        CU_ASSERT_EQUAL(place.span.len, strlen(want));
        CU_ASSERT_EQUAL(memcmp(message + place.span.start, want, strlen(want)), 0);
    }
    arena_free(&a);
}

static void test_places(void)
{
    check("", message);
    check("HEADER", "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    check("TEXT", strstr(message, "--b"));
    check("1", "first");
    check("1.MIME", "\r\n");
    check("1.HEADER", NULL);
    check("1.TEXT", NULL);
    check("1.1", NULL);
    check("2", "Subject: inner\r\nTo: x\r\n\r\ninner text");
    check("2.MIME", "Content-Type: message/rfc822\r\n\r\n");
    check("2.HEADER", "Subject: inner\r\nTo: x\r\n\r\n");
    check("2.TEXT", "inner text");
    check("2.1", "inner text");
    check("2.1.MIME", "Subject: inner\r\nTo: x\r\n\r\n");
    check("2.2", NULL);
    check("3.1.HEADER", "Subject: d\r\n\r\n");
    check("3.1.1", "digested");
    check("3.1.MIME", "\r\n");
    check("4", NULL);
}

static void check_fields(enum section_kind kind, const char *const *fields, const char *header,
                         const char *want)
{
    struct fetch_section section = {.kind = kind, .fields = fields};
    struct buf out = BUF_INIT(1000);
    CU_ASSERT(section_put_fields(&section, header, strlen(header), &out));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), want);
    buf_free(&out);
}

static void test_fields(void)
{
    static const char header[] = "From: a\r\nSubject: b\r\n  c\r\nno field\r\nfrom: d\r\n\r\n";
    static const char *const from[] = {"FROM", NULL}, *const none[] = {"X", NULL};
    check_fields(SECTION_FIELDS, from, header, "From: a\r\nfrom: d\r\n\r\n");
    check_fields(SECTION_FIELDS_NOT, from, header, "Subject: b\r\n  c\r\nno field\r\n\r\n");
    check_fields(SECTION_FIELDS, none, header, "\r\n");
    check_fields(SECTION_FIELDS_NOT, none, header, header);
    /* No blank line, none is made up where everything is asked for (RFC 3501 section 6.4.5). */
    check_fields(SECTION_FIELDS_NOT, from, "From: a\r\nTo: b\r\n", "To: b\r\n");
}

extern const struct unit_test section_tests[];
const struct unit_test section_tests[] = {
    {"syntax", test_syntax}, {"depth", test_depth}, {"places", test_places},
    {"fields", test_fields}, {NULL, NULL},
};
