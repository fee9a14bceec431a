#include "../unit.h"

#include "filter.h"

#include <string.h>

/* An item is a small record; the source below reads it. */
struct thing {
    const char *subject;
    int64_t received;
    bool is_read;
    const char *const *categories;
    const char *verb; /* Integer 0x1081 */
};

static bool knows(const char *path)
{
    return strcmp(path, "subject") == 0 || strcmp(path, "receivedDateTime") == 0 ||
           strcmp(path, "isRead") == 0;
}

static bool is_collection(const char *path)
{
    return strcmp(path, "categories") == 0;
}

static struct value get(void *item, const char *path)
{
    const struct thing *t = item;
    if (strcmp(path, "subject") == 0)
        return (struct value){.kind = VALUE_STRING, .string = t->subject};
    if (strcmp(path, "isRead") == 0)
        return (struct value){.kind = VALUE_BOOLEAN, .number = t->is_read};
    return (struct value){.kind = VALUE_DATE, .number = t->received};
}

static const char *const *collection(void *item, const char *path)
{
    (void)path;
    const struct thing *t = item;
    return t->categories;
}

static const char *extended(void *item, const struct prop_id *id)
{
    const struct thing *t = item;
    return id->number == 0x1081 ? t->verb : NULL;
}

static const struct filter_source source = {knows, is_collection, get, collection, extended};
static const char *const red[] = {"Red", "To do", NULL};
static const struct thing sample = {"Disk's full", 1780308000000, false, red, "102"};

/* 1 or 0 for the sample, -1: refused. */
static int matches(const char *text)
{
    struct arena *arena = arena_new();
    const char *why = NULL;
    struct thing item = sample;
    struct filter *f = filter_parse(arena, text, &source, &why);
    CU_ASSERT((f == NULL) == (why != NULL));
    int result = f ? filter_matches(f, &item) : -1;
    arena_free(&arena);
    return result;
}

static void test_comparisons(void)
{
    CU_ASSERT_EQUAL(matches("isRead eq false"), 1);
    CU_ASSERT_EQUAL(matches("isRead ne false"), 0);
    CU_ASSERT_EQUAL(matches("isRead"), 0);
    CU_ASSERT_EQUAL(matches("receivedDateTime ge 2026-06-01T10:00:00Z"), 1);
    CU_ASSERT_EQUAL(matches("receivedDateTime gt 2026-06-01T10:00:00Z"), 0);
    CU_ASSERT_EQUAL(matches("receivedDateTime le 2026-06-01T10:00:00Z"), 1);
    CU_ASSERT_EQUAL(matches("receivedDateTime lt 2026-06-01T12:00:00.001+02:00"), 1);
    CU_ASSERT_EQUAL(matches("subject eq 'disk''s full'"), 1);
    CU_ASSERT_EQUAL(matches("subject eq null"), 0);
    CU_ASSERT_EQUAL(matches("subject ne null"), 1);
}

static void test_logic(void)
{
    CU_ASSERT_EQUAL(matches("isRead eq true or isRead eq false and isRead eq false"), 1);
    CU_ASSERT_EQUAL(matches("(isRead eq false or isRead eq true) and isRead eq true"), 0);
    CU_ASSERT_EQUAL(matches("not isRead eq true"), 1);
    CU_ASSERT_EQUAL(matches("not (isRead eq true or subject eq 'x')"), 1);
}

static void test_functions(void)
{
    CU_ASSERT_EQUAL(matches("contains(subject,'K''S F')"), 1);
    CU_ASSERT_EQUAL(matches("startswith(subject, 'disk')"), 1);
    CU_ASSERT_EQUAL(matches("endswith(subject,'disk')"), 0);
    CU_ASSERT_EQUAL(matches("categories/any(c:c eq 'red')"), 1);
    CU_ASSERT_EQUAL(matches("categories/any(c:c eq 'blue')"), 0);
}

static void test_extended(void)
{
    CU_ASSERT_EQUAL(matches("singleValueExtendedProperties/any(ep:ep/id eq 'Integer 0x1081' and "
                            "cast(ep/value, Edm.Int32) eq 102)"),
                    1);
    CU_ASSERT_EQUAL(matches("singleValueExtendedProperties/any(ep:ep/id eq 'Integer 0x1081' and "
                            "cast(ep/value, Edm.Int32) gt 102)"),
                    0);
    CU_ASSERT_EQUAL(matches("singleValueExtendedProperties/any(ep:ep/id eq 'String 0x007D' and "
                            "ep/value eq null)"),
                    1);
    CU_ASSERT_EQUAL(matches("singleValueExtendedProperties/any(ep:ep/id eq 'Nothing 0x1081' and "
                            "ep/value eq 'x')"),
                    -1);
}

static void test_refused(void)
{
    static const char *const bad[] = {"",
                                      "isRead eq",
                                      "eq true",
                                      "unknown eq 1",
                                      "subject eq 'open",
                                      "isRead eq true and",
                                      "(isRead eq true",
                                      "isRead eq true)",
                                      "subject gt null",
                                      "subject/any(c:c eq 'x')",
                                      "categories/any(c:d eq 'x')",
                                      "isRead = true",
                                      "contains(subject)",
                                      "receivedDateTime ge 2026-13-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(matches(bad[i]), -1);
}

static void test_depth(void)
{
    char text[256];
    for (unsigned depth = FILTER_DEPTH_MAX - 1; depth <= FILTER_DEPTH_MAX; depth++) {
        size_t n = 0;
        for (unsigned i = 0; i < depth; i++)
            text[n++] = '(';
        n += (size_t)snprintf(text + n, sizeof text - n, "isRead eq false");
        for (unsigned i = 0; i < depth; i++)
            text[n++] = ')';
        text[n] = '\0';
        CU_ASSERT_EQUAL(matches(text), depth < FILTER_DEPTH_MAX ? 1 : -1);
    }
}

static void test_order_of_paths(void)
{
    struct arena *arena = arena_new();
    const char *why = NULL;
    const char *const *paths;
    struct filter *f = filter_parse(
        arena, "receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq false", &source, &why);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(filter_paths(f, &paths), 2);
    CU_ASSERT_STRING_EQUAL(paths[0], "receivedDateTime");
    CU_ASSERT_STRING_EQUAL(paths[1], "isRead");
    arena_free(&arena);
}

extern const struct unit_test filter_tests[];
const struct unit_test filter_tests[] = {
    {"comparisons", test_comparisons},           {"and, or, not", test_logic},
    {"functions and any()", test_functions},     {"extended properties", test_extended},
    {"what is refused", test_refused},           {"the limit of nesting", test_depth},
    {"paths for $orderby", test_order_of_paths}, {NULL, NULL},
};
