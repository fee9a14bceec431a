#include "../unit.h"

#include "loader.h"

#include <string.h>

struct found {
    char text[4][128];
    int64_t received[4];
    size_t count;
};

static bool take(void *arg, const char *text, size_t len, int64_t received_ms)
{
    struct found *f = arg;
    if (f->count == 4 || len >= sizeof f->text[0])
        return false;
    memcpy(f->text[f->count], text, len);
    f->received[f->count++] = received_ms;
    return true;
}

static void test_two(void)
{
    static const char mbox[] = "From a@b Mon Jun  1 10:00:00 2026\n"
                               "Subject: one\n\nFirst\n>From here\n>>From there\n\n"
                               "From nobody\n"
                               "Subject: two\n\nNo\nFrom inside\n";
    struct found f = {0};
    CU_ASSERT(mbox_split(mbox, sizeof mbox - 1, take, &f));
    CU_ASSERT_EQUAL_FATAL(f.count, 2);
    CU_ASSERT_STRING_EQUAL(f.text[0], "Subject: one\n\nFirst\nFrom here\n>From there\n");
    CU_ASSERT_STRING_EQUAL(f.text[1], "Subject: two\n\nNo\nFrom inside\n");
    CU_ASSERT_EQUAL(f.received[0], 1780308000000);
    CU_ASSERT_EQUAL(f.received[1], INT64_MIN);
}

static void test_line_ends_stay(void)
{
    static const char mbox[] = "From x\r\nA: b\r\n\r\nt\r\n\r\nFrom y\r\nC: d";
    struct found f = {0};
    CU_ASSERT(mbox_split(mbox, sizeof mbox - 1, take, &f));
    CU_ASSERT_EQUAL_FATAL(f.count, 2);
    CU_ASSERT_STRING_EQUAL(f.text[0], "A: b\r\n\r\nt\r\n");
    CU_ASSERT_STRING_EQUAL(f.text[1], "C: d");
}

static void test_not_an_mbox(void)
{
    struct found f = {0};
    CU_ASSERT(!mbox_split("Subject: x\n", 11, take, &f));
    CU_ASSERT_EQUAL(f.count, 0);
}

extern const struct unit_test mbox_tests[];
const struct unit_test mbox_tests[] = {
    {"two messages, quoting undone", test_two},
    {"line ends stay", test_line_ends_stay},
    {"no mbox", test_not_an_mbox},
    {NULL, NULL},
};
