#include "../unit.h"

#include "postern/mime/msgid.h"

#include <string.h>

/* All ids of a value, each followed by a bar. */
static void check(const char *value, const char *want)
{
    struct buf id = BUF_INIT(strlen(value)), all = BUF_INIT(1000);
    for (size_t pos = 0; mime_msgid_next(value, strlen(value), &pos, &id);)
        buf_printf(&all, "%s|", buf_str(&id));
    CU_ASSERT_STRING_EQUAL(buf_str(&all), want);
    if (strcmp(buf_str(&all), want) != 0)
        printf("\n\"%s\" gave \"%s\", not \"%s\"\n", value, buf_str(&all), want);
    buf_free(&id);
    buf_free(&all);
}

static void test_ids(void)
{
    check("<a@b>", "a@b|");
    check(" <a@b>\r\n <c@d><e@f> ", "a@b|c@d|e@f|");
    check("Anna's message of today <a@b>", "a@b|");
    check("< a (x) @ b >", "a@b|");
    check("<\"a b\"@c>", "a b@c|");
    check("<\"a\\\"<>@b\"@c>", "a\"<>@b@c|");
}

static void test_what_is_none(void)
{
    check("", "");
    check("a@b", "");
    check("<a@b", "");
    check("<ab> <@b> <a@> <>", "");
    check("<a@b <c@d>", "c@d|");
    check("<\"a@b>", "");
    check("<a(@b>", "");
}

extern const struct unit_test msgid_tests[];
const struct unit_test msgid_tests[] = {
    {"ids", test_ids},
    {"what is none", test_what_is_none},
    {NULL, NULL},
};
