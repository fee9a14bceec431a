#include "../unit.h"

#include "oracle.h"
#include "postern/mime/address.h"

#include <string.h>

/* Each address as name|adl|mailbox|host with - for NULL. */
static void show(const struct mime_addresses *list, struct buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct mime_address *a = &list->items[i];
        buf_printf(out, "%s|%s|%s|%s;", a->name ? a->name : "-", a->adl ? a->adl : "-",
                   a->mailbox ? a->mailbox : "-", a->host ? a->host : "-");
    }
}

static void check(const char *in, const char *want)
{
    struct arena *arena = arena_new();
    struct mime_addresses list;
    struct buf got = BUF_INIT(1000);
    mime_addresses_parse(in, strlen(in), arena, &list);
    CU_ASSERT(!list.cut);
    show(&list, &got);
    CU_ASSERT_STRING_EQUAL(buf_str(&got), want);
    if (strcmp(buf_str(&got), want) != 0)
        printf("\n\"%s\" gave \"%s\", not \"%s\"\n", in, buf_str(&got), want);
    buf_free(&got);
    arena_free(&arena);
}

static void test_as_python(void)
{
    for (size_t i = 0; i < sizeof oracle_addresses / sizeof *oracle_addresses; i++) {
        struct arena *arena = arena_new();
        struct mime_addresses list;
        struct buf got = BUF_INIT(1000);
        mime_addresses_parse(oracle_addresses[i].in, strlen(oracle_addresses[i].in), arena, &list);
        for (size_t k = 0; k < list.count; k++) {
            if (!list.items[k].host) /* Python tells nothing of groups */
                continue;
            buf_printf(&got, "%s|", list.items[k].name ? list.items[k].name : "");
            CU_ASSERT(mime_address_spec(&list.items[k], &got));
            buf_putc(&got, ';');
        }
        CU_ASSERT_STRING_EQUAL(buf_str(&got), oracle_addresses[i].out);
        if (strcmp(buf_str(&got), oracle_addresses[i].out) != 0)
            printf("\n\"%s\" gave \"%s\"\n", oracle_addresses[i].in, buf_str(&got));
        buf_free(&got);
        arena_free(&arena);
    }
}

static void test_groups(void)
{
    check("undisclosed-recipients:;", "-|-|undisclosed-recipients|-;-|-|-|-;");
    check("\"A Group\": Ann <a@b>, c@d;, e@f", "-|-|A Group|-;Ann|-|a|b;-|-|c|d;-|-|-|-;-|-|e|f;");
    check("open: a@b", "-|-|open|-;-|-|a|b;-|-|-|-;");
    check("g: h: a@b;", "-|-|g|-;-|-|h: a|b;-|-|-|-;");
    check(":;", "-|-||-;-|-|-|-;");
    check("a@b; c@d;", "-|-|a|b;-|-|c|d;");
}

static void test_routes_and_literals(void)
{
    check("<@r1,@r2:a@b>", "-|@r1,@r2|a|b;");
    check("Ann <@r1 ,, @[1.2.3.4] : a@b>", "Ann|@r1,@[1.2.3.4]|a|b;");
    check("<@host>", "-|-||host;");
    check("a@[IPv6:::1]", "-|-|a|[IPv6:::1];");
    check("a@[1, 2", "-|-|a|[1, 2;");
}

static void test_quoting_and_comments(void)
{
    check("\"a b\"@c", "-|-|a b|c;");
    check("\"a@b\"@c", "-|-|a@b|c;");
    check("Jo\"hn\" (x) Doe(y)<a@b>", "Jo hn Doe|-|a|b;");
    check("a(one)@(two)b(three)", "three|-|a|b;");
    check("<a@b> (Ann (the \\) first))", "Ann (the ) first)|-|a|b;");
    check("(Ann) a@b", "Ann|-|a|b;");
    check("a . b @ c . d", "-|-|a.b|c.d;");
    check("\"one\r\n two\" <a@b>", "one two|-|a|b;");
}

static void test_broken(void)
{
    check("word", "-|-|word|;");
    check("two words, a@b", "two words|-||;-|-|a|b;");
    check("a@b <c@d>", "a@b|-|c|d;");
    check("Ann <a@b, c@d", "Ann|-|a|b;-|-|c|d;");
    check("<<a@b>>", "-|-|a|b;");
    check("<a@b> <c@d>", "-|-|a|b;-|-|c|d;");
    check("<>", "-|-||;");
    check("@", "-|-||;");
    check("a@b@c", "-|-|a|b;");
    check("\"open <a@b>", "open <a@b>|-||;");
    check("(open a@b", "");
    check("\\", "-|-|\\|;");
    check("x <a@b", "x|-|a|b;");
    check("\xff\xfe <a@b>", "\xff\xfe|-|a|b;");
}

static void test_spec(void)
{
    static const struct {
        struct mime_address address;
        const char *spec;
    } cases[] = {
        {{.mailbox = "a.b", .host = "c"}, "a.b@c"},
        {{.mailbox = "a b", .host = "c"}, "\"a b\"@c"},
        {{.mailbox = "q\"\\", .host = "c"}, "\"q\\\"\\\\\"@c"},
        {{.mailbox = ".a", .host = "c"}, "\".a\"@c"},
        {{.mailbox = "a..b", .host = "c"}, "\"a..b\"@c"},
        {{.mailbox = "", .host = "c"}, "\"\"@c"},
        {{.mailbox = "a", .host = ""}, "a"},
        {{.mailbox = "\xc3\xa4", .host = "c"}, "\xc3\xa4@c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_INIT(100);
        CU_ASSERT(mime_address_spec(&cases[i].address, &out));
        CU_ASSERT_STRING_EQUAL(buf_str(&out), cases[i].spec);
        buf_free(&out);
    }
}

static void check_count(size_t in, size_t count, bool cut)
{
    char *text = malloc(2 * in + 2);
    memcpy(text, "g:", 2);
    for (size_t i = 0; i < in; i++)
        memcpy(text + 2 + 2 * i, "a,", 2);
    struct arena *arena = arena_new();
    struct mime_addresses list;
    mime_addresses_parse(text, 2 * in + 2, arena, &list);
    CU_ASSERT_EQUAL(list.count, count);
    CU_ASSERT_EQUAL(list.cut, cut);
    CU_ASSERT_PTR_NULL(list.items[list.count - 1].mailbox);
    arena_free(&arena);
    free(text);
}

static void test_limit(void)
{
    check_count(MIME_ADDRESSES_MAX - 1, MIME_ADDRESSES_MAX + 1, false);
    check_count(MIME_ADDRESSES_MAX, MIME_ADDRESSES_MAX + 1, true);
}

extern const struct unit_test address_tests[];
const struct unit_test address_tests[] = {
    {"as Python parses", test_as_python},
    {"groups", test_groups},
    {"routes and literals", test_routes_and_literals},
    {"quoting and comments", test_quoting_and_comments},
    {"broken", test_broken},
    {"as Graph writes it", test_spec},
    {"limit", test_limit},
    {NULL, NULL},
};
