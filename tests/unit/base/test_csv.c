#include "../unit.h"

#include "postern/base/csv.h"

#include <string.h>

/* All records of a text, fields between bars, records ended by LF; "!" and the error at a fault. */
static void read_all(const char *text, size_t len, struct buf *out)
{
    struct arena *a = arena_new();
    struct error e = ERROR_INIT;
    struct csv csv;
    struct csv_record record;
    enum csv_result result;
    csv_open(&csv, text, len);
    while ((result = csv_next(&csv, a, &record, &e)) == CSV_RECORD) {
        for (size_t i = 0; i < record.count; i++)
            buf_printf(out, "%s%s", i ? "|" : "", record.fields[i]);
        buf_putc(out, '\n');
    }
    if (result == CSV_FAULT)
        buf_printf(out, "!%s", e.text);
    CU_ASSERT_EQUAL(csv_next(&csv, a, &record, &e), CSV_END);
    arena_free(&a);
}

static void test_read(void)
{
    static const struct {
        const char *text, *read;
    } cases[] = {
        {"", ""},
        {"\n\r\n", ""},
        {"a", "a\n"},
        {"a,b\r\nc,d\r\n", "a|b\nc|d\n"},
        {"a,b\nc,d", "a|b\nc|d\n"},
        {",\n", "|\n"},
        {"a,,", "a||\n"},
        {"\xef\xbb\xbf"
         "a,b\n",
         "a|b\n"},
        {"\xef\xbb\xbf\"a\",b\n", "a|b\n"},
        {"\"a,b\",\"c\"\"d\"\n", "a,b|c\"d\n"},
        {"\"a\r\nb\",c\r\nd,e", "a\r\nb|c\nd|e\n"},
        {"\"\",\"\"", "|\n"},
        {"\"\"\"\"", "\"\n"},
        {"a\rb,c\r\n", "a\rb|c\n"},
        {"a\r", "a\n"},
        {"a b, c \n", "a b| c \n"},
        {"\"a", "!line 1: a quote is never closed"},
        {"\"a\"\"", "!line 1: a quote is never closed"},
        {"x\n\"a\"b\n", "x\n!line 2: text follows a closing quote"},
        {"\"1\n2\n3\" ", "!line 3: text follows a closing quote"},
        {"a\"b\n", "!line 1: a quote stands inside a field"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_INIT(4096);
        read_all(cases[i].text, strlen(cases[i].text), &out);
        CU_ASSERT_STRING_EQUAL(buf_str(&out), cases[i].read);
        if (strcmp(buf_str(&out), cases[i].read) != 0)
            printf("\n  case %zu: %s\n", i, buf_str(&out));
        buf_free(&out);
    }
}

static void test_nul(void)
{
    struct buf out = BUF_INIT(4096);
    read_all("a\0b,c\n", 6, &out);
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "!line 1: a field has a NUL in it");
    buf_free(&out);
}

static void count_of(const char *text, size_t len, enum csv_result want, size_t count)
{
    struct arena *a = arena_new();
    struct error e = ERROR_INIT;
    struct csv csv;
    struct csv_record record;
    csv_open(&csv, text, len);
    CU_ASSERT_EQUAL(csv_next(&csv, a, &record, &e), want);
    if (want == CSV_RECORD)
        CU_ASSERT_EQUAL(record.count, count);
    arena_free(&a);
}

static void test_limits(void)
{
    static char text[CSV_FIELD_MAX + 3];
    memset(text, ',', sizeof text);
    count_of(text, CSV_FIELDS_MAX - 1, CSV_RECORD, CSV_FIELDS_MAX);
    count_of(text, CSV_FIELDS_MAX, CSV_FAULT, 0);
    memset(text, 'x', sizeof text);
    count_of(text, CSV_FIELD_MAX, CSV_RECORD, 1);
    count_of(text, CSV_FIELD_MAX + 1, CSV_FAULT, 0);
    text[0] = text[CSV_FIELD_MAX + 1] = '"';
    count_of(text, CSV_FIELD_MAX + 2, CSV_RECORD, 1);
}

static void test_put(void)
{
    static const char *const fields[] = {"",     "a",  "a,b",  "\"",      "a\"b", "a\nb",
                                         "\n\r", " a", "a b ", "o'brien", "\",\""};
    struct buf out = BUF_INIT(4096);
    struct arena *a = arena_new();
    struct error e = ERROR_INIT;
    struct csv csv;
    struct csv_record record;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (i)
            buf_putc(&out, ',');
        CU_ASSERT_TRUE(csv_put(&out, fields[i]));
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), ",a,\"a,b\",\"\"\"\",\"a\"\"b\","));
    csv_open(&csv, buf_str(&out), out.len);
    CU_ASSERT_EQUAL(csv_next(&csv, a, &record, &e), CSV_RECORD);
    CU_ASSERT_EQUAL(record.count, sizeof fields / sizeof *fields);
    for (size_t i = 0; i < record.count; i++)
        CU_ASSERT_STRING_EQUAL(record.fields[i], fields[i]);
    arena_free(&a);
    buf_free(&out);
    struct buf small = BUF_INIT(3);
    CU_ASSERT_FALSE(csv_put(&small, "a,b"));
    buf_free(&small);
}

static void test_formulas(void)
{
    static const struct {
        const char *field, *written;
    } fields[] = {{"=1+1", "'=1+1"},
                  {"+1", "'+1"},
                  {"-1", "'-1"},
                  {"@a", "'@a"},
                  {"\tx", "'\tx"},
                  {"a=b", "a=b"},
                  {"=a,\"b\"", "\"'=a,\"\"b\"\"\""},
                  {"\r=1", "\"'\r=1\""}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct buf out = BUF_INIT(64);
        CU_ASSERT_TRUE(csv_put(&out, fields[i].field));
        CU_ASSERT_STRING_EQUAL(buf_str(&out), fields[i].written);
        buf_free(&out);
    }
}

const struct unit_test csv_tests[] = {{"read", test_read},         {"nul", test_nul},
                                      {"limits", test_limits},     {"put", test_put},
                                      {"formulas", test_formulas}, {NULL, NULL}};
