#include "../unit.h"

#include "parse.h"

#include "postern/base/buf.h"

#include <string.h>

/* The arguments as text: atoms bare, strings in quotes, literals in <>, lists in (), "+" before
 * what is glued. */
static void write_args(const struct imap_arg *arg, struct buf *out)
{
    for (const char *space = ""; arg->type != IMAP_ARG_END; arg++, space = " ") {
        buf_puts(out, space);
        buf_puts(out, arg->glued ? "+" : "");
        if (arg->type == IMAP_ARG_LIST) {
            buf_putc(out, '(');
            write_args(arg->list, out);
            buf_putc(out, ')');
        } else {
            const char *frame = arg->type == IMAP_ARG_ATOM     ? ""
                                : arg->type == IMAP_ARG_QUOTED ? "\"\""
                                                               : "<>";
            buf_append(out, frame, frame[0] ? 1 : 0);
            buf_append(out, arg->text, arg->len);
            buf_append(out, frame + 1, frame[0] ? 1 : 0);
        }
    }
}

/* Parses lines, each but the last followed by a literal, "|" between all of them. */
static const char *parse(const char *input)
{
    static struct buf out = BUF_INIT(1 << 16);
    struct arena *a = arena_new();
    struct imap_parser p;
    struct imap_literal literal;
    enum imap_parse result;
    size_t count, len;
    imap_parser_init(&p, a);
    buf_clear(&out);
    for (;; input += len + 1) {
        len = strcspn(input, "|");
        result = imap_parser_line(&p, input, len, &literal);
        if (result != IMAP_PARSE_LITERAL)
            break;
        input += len + 1;
        len = strcspn(input, "|");
        imap_parser_literal(&p, &(struct imap_arg){.type = IMAP_ARG_LITERAL,
                                                   .binary = literal.binary,
                                                   .text = arena_strndup(a, input, len),
                                                   .len = len});
    }
    if (result == IMAP_PARSE_DONE)
        write_args(imap_parser_args(&p, &count), &out);
    else
        buf_puts(&out, "BAD");
    imap_parser_free(&p);
    arena_free(&a);
    return buf_str(&out);
}

static void test_arguments(void)
{
    CU_ASSERT_STRING_EQUAL(parse(""), "");
    CU_ASSERT_STRING_EQUAL(parse("a NOOP"), "a NOOP");
    CU_ASSERT_STRING_EQUAL(parse("a  LIST   \"\" *  "), "a LIST \"\" *");
    CU_ASSERT_STRING_EQUAL(parse("a X \"q \\\"\\\\ (\" nil"), "a X \"q \"\\ (\" nil");
    CU_ASSERT_STRING_EQUAL(parse("a X () (a) (a (b c) () \"d\")"), "a X () (a) (a (b c) () \"d\")");
    CU_ASSERT_STRING_EQUAL(parse("a X ( a  b )"), "a X (a b)");
    CU_ASSERT_STRING_EQUAL(parse("a S 1 +FLAGS.SILENT (\\Seen $x)"),
                           "a S 1 +FLAGS.SILENT (\\Seen $x)");
    CU_ASSERT_STRING_EQUAL(parse("a X \"caf\xc3\xa9\""), "a X \"caf\xc3\xa9\"");
}

static void test_sections(void)
{
    CU_ASSERT_STRING_EQUAL(parse("a FETCH 1 BODY[HEADER.FIELDS (From To)]<0.10>"),
                           "a FETCH 1 BODY[HEADER.FIELDS (From To) +]<0.10>");
    CU_ASSERT_STRING_EQUAL(parse("a FETCH 1 (BODY.PEEK[1.HEADER.FIELDS.NOT (\"x\")] UID)"),
                           "a FETCH 1 (BODY.PEEK[1.HEADER.FIELDS.NOT (\"x\") +] UID)");
    CU_ASSERT_STRING_EQUAL(parse("a FETCH 1 BODY[1.2]<0.10>"), "a FETCH 1 BODY[1.2]<0.10>");
    CU_ASSERT_STRING_EQUAL(parse("a FETCH 1 BODY[HEADER.FIELDS ({4}|From|)]"),
                           "a FETCH 1 BODY[HEADER.FIELDS (<From>) +]");
    CU_ASSERT_STRING_EQUAL(parse("a FETCH 1 (BODY[]) ]"), "a FETCH 1 (BODY[]) ]");
    CU_ASSERT_STRING_EQUAL(parse("a FETCH 1 BODY[] (x)]"), "BAD");
    CU_ASSERT_STRING_EQUAL(parse("a FETCH 1 (x)]"), "BAD");
}

static void test_literals(void)
{
    CU_ASSERT_STRING_EQUAL(parse("a LOGIN {5}|alice| {3}|abc|"), "a LOGIN <alice> <abc>");
    CU_ASSERT_STRING_EQUAL(parse("a LOGIN {5+}|alice| x"), "a LOGIN <alice> x");
    CU_ASSERT_STRING_EQUAL(parse("a X ({2}|ab|) ~{2+}|cd| ()"), "a X (<ab>) <cd> ()");
    CU_ASSERT_STRING_EQUAL(parse("{1}|a| X"), "<a> X");
    CU_ASSERT_STRING_EQUAL(parse("a X{1}|a|"), "BAD");
    CU_ASSERT_STRING_EQUAL(parse("a X {1}|a|b"), "BAD");
    CU_ASSERT_STRING_EQUAL(parse("a X {1}|a|{1}|b|"), "BAD");
    CU_ASSERT_STRING_EQUAL(parse("a X {1} b"), "BAD");
    CU_ASSERT_STRING_EQUAL(parse("a X \"{1}"), "BAD");
}

static void test_announcements(void)
{
    struct imap_literal l;
    CU_ASSERT_TRUE(imap_literal_announced("a {0}", 5, &l));
    CU_ASSERT_EQUAL(l.size, 0);
    CU_ASSERT_TRUE(l.sync && !l.binary);
    CU_ASSERT_TRUE(imap_literal_announced("~{12+}", 6, &l));
    CU_ASSERT_EQUAL(l.size, 12);
    CU_ASSERT_TRUE(!l.sync && l.binary);
    CU_ASSERT_TRUE(imap_literal_announced("{4294967296}", 12, &l));
    CU_ASSERT_EQUAL(l.size, UINT64_C(4294967296));
    CU_ASSERT_TRUE(imap_literal_announced("{99999999999999999999}", 22, &l));
    CU_ASSERT_EQUAL(l.size, UINT64_MAX);
    static const char *const none[] = {"",     "}",    "{}",    "{+}",   "+}",   "1}",
                                       "12}",  "{1",   "{-1}",  "{1-}",  "{ 1}", "{1+ }",
                                       "{1}x", "a{a}", "{1++}", "{0x1}", NULL};
    for (const char *const *s = none; *s; s++)
        CU_ASSERT_FALSE(imap_literal_announced(*s, strlen(*s), &l));
}

static void test_bad(void)
{
    static const char *const bad[] = {
        "a X (",       "a X )",      "a X (a))",       "a X \"",   "a X \"a\\",
        "a X \"\\n\"", "a X \"\\\"", "a X (a)(b)",     "a X (a)b", "a X a(b)",
        "a X a\"b\"",  "a X \"a\"b", "a X \"a\"\"b\"", "a X {a",   "a caf\xc3\xa9",
        "a X\tb",      "a X \x01",   "a X \x7f",       "a X ~{",   NULL};
    for (const char *const *s = bad; *s; s++)
        CU_ASSERT_STRING_EQUAL(parse(*s), "BAD");
}

static bool nests(size_t depth)
{
    struct buf text = BUF_INIT(1 << 16);
    buf_puts(&text, "a X ");
    for (size_t i = 0; i < depth; i++)
        buf_putc(&text, '(');
    for (size_t i = 0; i < depth; i++)
        buf_putc(&text, ')');
    bool ok = strcmp(parse(buf_str(&text)), "BAD") != 0;
    buf_free(&text);
    return ok;
}

static bool takes(size_t arguments)
{
    struct buf text = BUF_INIT(1 << 20);
    struct arena *a = arena_new();
    struct imap_parser p;
    struct imap_literal literal;
    for (size_t i = 0; i < arguments; i++)
        buf_puts(&text, "a ");
    imap_parser_init(&p, a);
    bool ok = imap_parser_line(&p, text.data, text.len, &literal) == IMAP_PARSE_DONE;
    imap_parser_free(&p);
    arena_free(&a);
    buf_free(&text);
    return ok;
}

static void test_limits(void)
{
    CU_ASSERT_TRUE(nests(IMAP_NESTING_MAX));
    CU_ASSERT_FALSE(nests(IMAP_NESTING_MAX + 1));
    CU_ASSERT_FALSE(nests(10000));
    CU_ASSERT_TRUE(takes(IMAP_ARGS_MAX));
    CU_ASSERT_FALSE(takes(IMAP_ARGS_MAX + 1));
}

static void test_values(void)
{
    const struct imap_arg number = {.type = IMAP_ARG_ATOM, .text = "4294967295", .len = 10},
                          big = {.type = IMAP_ARG_ATOM, .text = "4294967296", .len = 10},
                          most = {.type = IMAP_ARG_ATOM, .text = "9223372036854775807", .len = 19},
                          over = {.type = IMAP_ARG_ATOM, .text = "9223372036854775808", .len = 19},
                          sign = {.type = IMAP_ARG_ATOM, .text = "+1", .len = 2},
                          quoted = {.type = IMAP_ARG_QUOTED, .text = "1", .len = 1},
                          nil = {.type = IMAP_ARG_ATOM, .text = "nil", .len = 3},
                          list = {.type = IMAP_ARG_LIST};
    uint32_t n;
    uint64_t wide;
    CU_ASSERT_TRUE(imap_arg_number(&number, &n) && n == UINT32_MAX);
    CU_ASSERT_FALSE(imap_arg_number(&big, &n));
    CU_ASSERT_TRUE(imap_arg_number64(&most, &wide) && wide == INT64_MAX);
    CU_ASSERT_FALSE(imap_arg_number64(&over, &wide));
    CU_ASSERT_FALSE(imap_arg_number(&sign, &n));
    CU_ASSERT_FALSE(imap_arg_number(&quoted, &n));
    CU_ASSERT_TRUE(imap_arg_is_nil(&nil));
    CU_ASSERT_FALSE(imap_arg_is_nil(&quoted));
    CU_ASSERT_PTR_NULL(imap_arg_astring(&list));
    CU_ASSERT_PTR_NULL(imap_arg_string(&nil));
    CU_ASSERT_STRING_EQUAL(imap_arg_astring(&nil), "nil");
}

const struct unit_test parse_tests[] = {
    {"arguments", test_arguments},
    {"sections", test_sections},
    {"literals", test_literals},
    {"announcements", test_announcements},
    {"bad", test_bad},
    {"limits", test_limits},
    {"values", test_values},
    {NULL, NULL},
};
