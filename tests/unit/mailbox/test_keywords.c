#include "../../../src/mailbox/change/keywords.h"
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

extern const struct unit_test keywords_tests[];

static uint32_t seed = 7;

static uint32_t next_random(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static char *keyword_of(const char *category)
{
    const char *list[] = {category, NULL};
    bool cut;
    char *keyword = keywords_of_categories(list, &cut);
    CU_ASSERT_FALSE(cut);
    return keyword;
}

static void check_pair(const char *category, const char *keyword)
{
    struct arena *a = arena_new();
    char *there = keyword_of(category);
    const char **back = keywords_to_categories(keyword, a);
    CU_ASSERT_STRING_EQUAL(there, keyword);
    CU_ASSERT_PTR_NOT_NULL_FATAL(back);
    CU_ASSERT_STRING_EQUAL(back[0], category);
    free(there);
    arena_free(&a);
}

static void test_names(void)
{
    check_pair("Work", "Work");
    check_pair("$MDNSent", "$MDNSent");
    check_pair("Red category", "Red=20category");
    check_pair("a=b", "a=b");
    check_pair("1+1=20", "1+1=3D20");
    check_pair("=3D20", "=3D3D20");
    check_pair("=3D", "=3D");
    check_pair("50% (*)", "50=25=20=28=2A=29");
    check_pair("\xc3\xa4", "=C3=A4");
    check_pair("\\Seen", "=5CSeen");
    check_pair("a=2f", "a=2f"); /* lower case is no escape */
    check_pair("=", "=");
}

/* From either side there is one way back. */
static void test_bijection(void)
{
    static const char bytes[] = "=3D20AFa5C%\\ ]{(\"*~/";
    for (int i = 0; i < 20000; i++) {
        char text[12];
        size_t n = 1 + next_random(sizeof text - 2);
        struct arena *a = arena_new();
        for (size_t k = 0; k < n; k++)
            text[k] = bytes[next_random(sizeof bytes - 1)];
        text[n] = '\0';
        char *keyword = keyword_of(text);
        CU_ASSERT_EQUAL(strpbrk(keyword, "%\\ ]{(\"*"), NULL);
        const char **back = keywords_to_categories(keyword, a);
        if (!back || strcmp(back[0], text) != 0)
            CU_FAIL_FATAL("a category does not come back");
        free(keyword);
        if (!strpbrk(text, "%\\ ]{(\"*") && (back = keywords_to_categories(text, a))) {
            keyword = keyword_of(back[0]);
            if (strcmp(keyword, text) != 0)
                CU_FAIL_FATAL("a keyword does not come back");
            free(keyword);
        }
        arena_free(&a);
    }
}

static void test_no_category(void)
{
    struct arena *a = arena_new();
    CU_ASSERT_PTR_NULL(keywords_to_categories("ok a=FF", a));
    CU_ASSERT_PTR_NULL(keywords_to_categories("=C3", a));
    CU_ASSERT_PTR_NULL(keywords_to_categories("=ED=A0=80", a)); /* a surrogate */
    CU_ASSERT_PTR_NULL(keywords_to_categories("=C0=AF", a));    /* overlong */
    CU_ASSERT_PTR_NULL(keywords_to_categories("", a)[0]);
    arena_free(&a);
}

/* In UTF-16 units, as Outlook counts. */
static void test_long(void)
{
    struct arena *a = arena_new();
    struct buf word = BUF_INIT(4096);
    for (int i = 0; i < CATEGORY_MAX; i++)
        buf_puts(&word, "=C3=A9");
    CU_ASSERT_PTR_NOT_NULL(keywords_to_categories(buf_str(&word), a));
    buf_puts(&word, "x");
    CU_ASSERT_PTR_NULL(keywords_to_categories(buf_str(&word), a));
    buf_clear(&word);
    for (int i = 0; i < CATEGORY_MAX / 2; i++)
        buf_puts(&word, "=F0=9F=90=8E");
    CU_ASSERT_PTR_NOT_NULL(keywords_to_categories(buf_str(&word), a));
    buf_puts(&word, "=F0=9F=90=8E");
    CU_ASSERT_PTR_NULL(keywords_to_categories(buf_str(&word), a));
    buf_free(&word);
    arena_free(&a);
}

static void test_limit(void)
{
    bool cut;
    char *name = malloc(KEYWORDS_MAX + 2);
    memset(name, 'x', KEYWORDS_MAX + 1);
    const char *list[] = {"a", "", "b", name, "c", NULL}, *alone[] = {name, NULL};
    name[KEYWORDS_MAX - 4] = '\0'; /* fills it up to the last byte */
    char *all = keywords_of_categories(list, &cut);
    CU_ASSERT(cut);
    CU_ASSERT_EQUAL(strlen(all), KEYWORDS_MAX);
    free(all);
    name[KEYWORDS_MAX - 4] = 'x';
    name[KEYWORDS_MAX + 1] = '\0';
    all = keywords_of_categories(list, &cut);
    CU_ASSERT(cut);
    CU_ASSERT_STRING_EQUAL(all, "a b");
    free(all);
    all = keywords_of_categories(alone, &cut);
    CU_ASSERT(cut);
    CU_ASSERT_STRING_EQUAL(all, "");
    free(all);
    free(name);
}

static void check_change(const char *set, enum mailbox_flag_op op, const char *words,
                         const char *expected)
{
    char *got = keywords_change(set, op, words);
    CU_ASSERT_STRING_EQUAL(got, expected);
    free(got);
}

static void test_changes(void)
{
    check_change("", MAILBOX_FLAGS_ADD, "", "");
    check_change("", MAILBOX_FLAGS_ADD, "a b a", "a b");
    check_change("Work b", MAILBOX_FLAGS_ADD, "work c", "Work b c");
    check_change("Work b c", MAILBOX_FLAGS_REMOVE, "WORK c d", "b");
    check_change("Work", MAILBOX_FLAGS_REMOVE, "Wor", "Work");
    check_change("Work b", MAILBOX_FLAGS_REPLACE, "c work", "Work c");
    check_change("Work b", MAILBOX_FLAGS_REPLACE, "", "");
    CU_ASSERT(keywords_same("a B", "b A"));
    CU_ASSERT(keywords_same(NULL, ""));
    CU_ASSERT_FALSE(keywords_same("a", "a b"));
    CU_ASSERT_FALSE(keywords_same("a b", NULL));
}

const struct unit_test keywords_tests[] = {
    {"names", test_names},
    {"bijection", test_bijection},
    {"keywords that stand for no category", test_no_category},
    {"limit", test_limit},
    {"a long keyword", test_long},
    {"changes", test_changes},
    {NULL, NULL},
};
