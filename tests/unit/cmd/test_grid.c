/* The table for the terminal. */
#include "grid.h"

#include "../unit.h"

#include <locale.h>
#include <string.h>

static const struct grid_column columns[] = {
    {"NAME", 4, false}, {"N", 0, true}, {"LAST", 4, false}};

/* What is printed of these rows. */
static const char *printed(const char *const *cells, unsigned width)
{
    static char text[2000];
    struct grid *g = grid_new(columns, 3);
    while (*cells)
        grid_put(g, *cells++);
    FILE *out = tmpfile();
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    grid_print(g, width, out);
    CU_ASSERT_EQUAL(grid_terminal_width(out), 0);
    rewind(out);
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    fclose(out);
    grid_free(&g);
    return text;
}

static const char *const rows[] = {"short", "1", "x", "a longer one", "1234", "and the end", NULL};

static void test_wide(void)
{
    CU_ASSERT_STRING_EQUAL(printed(rows, 0), "NAME             N  LAST\n"
                                             "short            1  x\n"
                                             "a longer one  1234  and the end\n");
    CU_ASSERT_STRING_EQUAL(printed(rows, 31), printed(rows, 0));
    const char *const none[] = {NULL};
    CU_ASSERT_STRING_EQUAL(printed(none, 80), "NAME  N  LAST\n");
}

static void test_squeezed(void)
{
    CU_ASSERT_STRING_EQUAL(printed(rows, 30), "NAME            N  LAST\n"
                                              "short           1  x\n"
                                              "a longer o~  1234  and the end\n");
    CU_ASSERT_STRING_EQUAL(printed(rows, 20), "NAME       N  LAST\n"
                                              "short      1  x\n"
                                              "a lon~  1234  and t~\n");
    /* Narrower than its least widths it stays as it is, and a line breaks. */
    CU_ASSERT_STRING_EQUAL(printed(rows, 1), "NAME     N  LAST\n"
                                             "sho~     1  x\n"
                                             "a l~  1234  and~\n");
}

static void test_other_letters(void)
{
    static const char *const cells[] = {"\xc3\xbc\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xb6",
                                        "1",
                                        "x",
                                        "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2",
                                        "2",
                                        "y",
                                        NULL};
    setenv("LC_ALL", "C", 1);
    CU_ASSERT_STRING_EQUAL(printed(cells, 0), "NAME   N  LAST\n"
                                              "?????  1  x\n"
                                              "???    2  y\n");
    setenv("LC_ALL", "C.UTF-8", 1);
    if (setlocale(LC_CTYPE, "")) {
        CU_ASSERT_STRING_EQUAL(printed(cells, 0),
                               "NAME    N  LAST\n"
                               "\xc3\xbc\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xb6   1  x\n"
                               "\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2  2  y\n");
        /* A character that takes two columns is not halved. */
        CU_ASSERT_STRING_EQUAL(printed(cells, 13), "NAME  N  LAST\n"
                                                   "\xc3\xbc\xc3\xb6\xc3\xa4~  1  x\n"
                                                   "\xe6\xbc\xa2~   2  y\n");
    }
    unsetenv("LC_ALL");
    setlocale(LC_CTYPE, "C");
}

extern const struct unit_test grid_tests[];
const struct unit_test grid_tests[] = {
    {"as wide as it takes", test_wide},
    {"squeezed", test_squeezed},
    {"letters of other scripts", test_other_letters},
    {NULL, NULL},
};
