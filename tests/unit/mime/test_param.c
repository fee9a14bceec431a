#include "../unit.h"

#include "postern/mime/param.h"

#include <string.h>

/* type/subtype with each parameter behind it. */
static void check_parse(const char *in, const char *want)
{
    struct arena *arena = arena_new();
    struct mime_value v;
    struct buf got = BUF_INIT(1000);
    mime_value_parse(in, strlen(in), arena, &v);
    buf_printf(&got, "%s/%s", v.type, v.subtype ? v.subtype : "-");
    for (size_t i = 0; i < v.count; i++)
        buf_printf(&got, ";%s=%s", v.params[i].name, v.params[i].value);
    CU_ASSERT_STRING_EQUAL(buf_str(&got), want);
    if (strcmp(buf_str(&got), want) != 0)
        printf("\n\"%s\" gave \"%s\"\n", in, buf_str(&got));
    buf_free(&got);
    arena_free(&arena);
}

static void test_parse(void)
{
    check_parse("", "/-");
    check_parse("text/plain", "text/plain");
    check_parse(" Text / Plain ; Charset = \"utf-8\" ", "Text/Plain;Charset=utf-8");
    check_parse("text(c;)/(d)html (e) ;(f) a(g)=(h)b(i); c=d", "text/html;a=b;c=d");
    check_parse("a/b; x=\"q\\\"\\\\;\"; y=z", "a/b;x=q\"\\;;y=z");
    check_parse("a/b; x=\"one\r\n two\"", "a/b;x=one two");
    check_parse("a/b; x=\"open; y=z", "a/b;x=open; y=z");
    check_parse("a/b;;; x=1;", "a/b;x=1");
    check_parse("a/b; novalue; =x; y=2", "a/b;y=2");
    check_parse("a/b x=1; y=2", "a/b;y=2");
    check_parse("attachment; filename=a b.txt", "attachment/-;filename=a");
    check_parse("a/b; x=", "a/b;x=");
    check_parse("/b", "/b");
    check_parse(";x=1", "/-;x=1");
}

static void check_decode(const char *in, const char *want)
{
    struct arena *arena = arena_new();
    struct mime_value v;
    struct buf got = BUF_INIT(1000);
    mime_value_parse(in, strlen(in), arena, &v);
    CU_ASSERT_EQUAL(mime_param_decode(&v, "name", &got), want != NULL);
    CU_ASSERT_STRING_EQUAL(buf_str(&got), want ? want : "");
    buf_free(&got);
    arena_free(&arena);
}

static void test_decode(void)
{
    check_decode("a/b; NAME=x", "x");
    check_decode("a/b; other=x", NULL);
    check_decode("a/b; name*=utf-8'de'%C3%A4%20b", "\xc3\xa4 b");
    check_decode("a/b; name=plain; name*=iso-8859-1''%E4", "\xc3\xa4");
    check_decode("a/b; name*=no-quotes%41", "no-quotesA");
    check_decode("a/b; name*1=two; name*0=\"one \"", "one two");
    check_decode("a/b; name*0*=utf-8''%C3; name*1*=%A4; name*2=\"%41\"", "\xc3\xa4%41");
    check_decode("a/b; name*0=one; name*2=three", "one");
    check_decode("a/b; name=\"=?utf-8?q?=C3=A4?=\"", "\xc3\xa4");
    check_decode("a/b; name*=utf-8''%0d%0ax%zz%", "  x%zz%");
}

static void test_limits(void)
{
    struct arena *arena = arena_new();
    struct buf text = BUF_INIT(10000), small = BUF_INIT(2);
    struct mime_value v;
    buf_puts(&text, "a/b");
    for (int i = 0; i <= MIME_PARAMS_MAX; i++)
        buf_printf(&text, ";p%d=v", i);
    mime_value_parse(buf_str(&text), text.len, arena, &v);
    CU_ASSERT_EQUAL(v.count, MIME_PARAMS_MAX);
    CU_ASSERT_PTR_NOT_NULL(mime_param_get(&v, "P99"));
    CU_ASSERT_PTR_NULL(mime_param_get(&v, "p100"));
    mime_value_parse("a/b; x*=''abc; y=abc", 20, arena, &v);
    CU_ASSERT(!mime_param_decode(&v, "x", &small));
    CU_ASSERT(small.overflow);
    buf_clear(&small);
    CU_ASSERT(!mime_param_decode(&v, "y", &small));
    CU_ASSERT(small.overflow);
    buf_free(&text);
    buf_free(&small);
    arena_free(&arena);
}

extern const struct unit_test param_tests[];
const struct unit_test param_tests[] = {
    {"parse", test_parse},
    {"decode", test_decode},
    {"limits", test_limits},
    {NULL, NULL},
};
