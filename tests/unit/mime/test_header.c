#include "../unit.h"

#include "postern/mime/header.h"

#include <string.h>

static const struct {
    const char *message;
    size_t size;
} sizes[] = {
    {"", 0},
    {"\n", 1},
    {"\r\n", 2},
    {"\r", 1},
    {"\nbody", 1},
    {"a: b\r\n\r\nbody\r\n\r\n", 8},
    {"a: b\n\nbody", 6},
    {"a: b\n\r\nbody", 7},
    {"a: b\r\n", 6},
    {"a: b", 4},
    {"a: b\r\n \r\nc: d\r\n\r\nbody", 17},
    {"a: b\r\rc: d\n\nbody", 12},
};

static void test_sizes(void)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CU_ASSERT_EQUAL(mime_header_size(sizes[i].message, strlen(sizes[i].message)),
                        sizes[i].size);
    }
}

/* "name=value;" for each field, from a walk that must end at `rest`. */
static void check_walk(const char *message, const char *want, size_t rest)
{
    char got[256] = "";
    size_t pos = 0, used = 0, len = strlen(message);
    struct mime_field f;
    while (mime_field_next(message, len, &pos, &f)) {
        CU_ASSERT_PTR_EQUAL(f.end, message + pos);
        used += (size_t)snprintf(got + used, sizeof got - used, "%.*s=%.*s;", (int)f.name_len,
                                 f.name, (int)f.value_len, f.value);
    }
    CU_ASSERT_STRING_EQUAL(got, want);
    CU_ASSERT_EQUAL(pos, rest);
}

static void test_walks(void)
{
    check_walk("", "", 0);
    check_walk("\r\nno: field", "", 0);
    check_walk("A: b\r\nC:d\r\n\r\nE: f", "A= b;C=d;", 11);
    check_walk("A:\r\n\r\n", "A=;", 4);
    check_walk("A:", "A=;", 2);
    check_walk("A", "", 1);
    check_walk("A: b\n\tc\r\n d\n\nbody", "A= b\n\tc\r\n d;", 12);
    check_walk("A: b\n \n\t\nC: d\n", "A= b\n \n\t;C= d;", 14);
    check_walk("From x Mon Jan 1 00:00:00 2026\nA : b:c\n: d\nno field\n  : x\nE:f\n",
               "A= b:c;E=f;", 62);
    check_walk("A: b\rC: d\r\nE: f\r", "A= b\rC: d;E= f\r;", 16);
    check_walk(" lead: x\n more\nA: b", "A= b;", 19);
    check_walk("\xc3\xa4: b\n", "\xc3\xa4= b;", 6);
    check_walk("A\x01: b\nB\x7f: c\nD: e\n", "D= e;", 17);
}

static void test_find(void)
{
    static const char message[] = "To: one\r\nSUBJECT: two\r\nto: three\r\n\r\nCc: four\r\n";
    size_t len = sizeof message - 1;
    struct mime_field f;
    CU_ASSERT(mime_field_find(message, len, "to", &f));
    CU_ASSERT(f.value_len == 4 && memcmp(f.value, " one", 4) == 0);
    CU_ASSERT(mime_field_find(message, len, "Subject", &f));
    CU_ASSERT(mime_field_is(&f, "sUBJECT"));
    CU_ASSERT(!mime_field_is(&f, "Subjec"));
    CU_ASSERT(!mime_field_is(&f, "Subjects"));
    CU_ASSERT(!mime_field_find(message, len, "Cc", &f));
}

static void test_nul_bytes(void)
{
    static const char message[] = "A: b\0c\nD\0: e\n\nx";
    size_t pos = 0;
    struct mime_field f;
    CU_ASSERT(mime_field_next(message, sizeof message - 1, &pos, &f));
    CU_ASSERT_EQUAL(f.value_len, 4);
    CU_ASSERT(!mime_field_next(message, sizeof message - 1, &pos, &f));
    CU_ASSERT_EQUAL(mime_header_size(message, sizeof message - 1), 14);
}

extern const struct unit_test header_tests[];
const struct unit_test header_tests[] = {
    {"size of the block", test_sizes}, {"walks", test_walks}, {"find", test_find},
    {"NUL bytes", test_nul_bytes},     {NULL, NULL},
};
