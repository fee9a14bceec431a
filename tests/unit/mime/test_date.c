#include "../unit.h"

#include "oracle.h"
#include "postern/mime/date.h"

#include <string.h>

static void test_as_python(void)
{
    for (size_t i = 0; i < sizeof oracle_dates / sizeof *oracle_dates; i++) {
        struct mime_date d = {0};
        bool valid = mime_date_parse(oracle_dates[i].in, strlen(oracle_dates[i].in), &d);
        CU_ASSERT_EQUAL(valid, oracle_dates[i].valid);
        CU_ASSERT_EQUAL(d.wall_ms, oracle_dates[i].seconds * 1000);
    }
}

static const struct {
    const char *in;
    const char *out; /* written in its own zone; NULL: not a date */
    bool zone_known;
} cases[] = {
    {"Sat, 21 Nov 2026 05:44:24 -0330", "Sat, 21 Nov 2026 05:44:24 -0330", true},
    {" sat,(c) 21(\\)(n)) NOV\r\n 2026 05 : 44 : 24 (z) +0100 (CET)",
     "Sat, 21 Nov 2026 05:44:24 +0100", true},
    {"21 Nov 2026 05:44:24 -0000", "Sat, 21 Nov 2026 05:44:24 +0000", false},
    {"21 Nov 2026 05:44:24", "Sat, 21 Nov 2026 05:44:24 +0000", false},
    {"21 Nov 2026 05:44:24 A", "Sat, 21 Nov 2026 05:44:24 +0000", false},
    {"21 Nov 2026 05:44:24 CEST", "Sat, 21 Nov 2026 05:44:24 +0000", false},
    {"21 Nov 2026 05:44:24 +01:30", "Sat, 21 Nov 2026 05:44:24 +0130", true},
    {"21 Nov 2026 05:44:24 +01", "Sat, 21 Nov 2026 05:44:24 +0100", true},
    {"21 Nov 2026 05:44:24 +130", "Sat, 21 Nov 2026 05:44:24 +0130", true},
    {"21 Nov 2026 05:44:24 +0100 junk !", "Sat, 21 Nov 2026 05:44:24 +0100", true},
    {"Sat Nov 21 05:44:24 +0100 2026", "Sat, 21 Nov 2026 05:44:24 +0100", true},
    {"Sat Nov 21 05:44:24 EST 2026", "Sat, 21 Nov 2026 05:44:24 -0500", true},
    {"21 Nov 126 05:44:24 GMT", "Sat, 21 Nov 2026 05:44:24 +0000", true},
    {"2026-11-21T05:44:24+01:00", "Sat, 21 Nov 2026 04:44:24 +0000", true},
    {" 2026-11-21 05:44:24Z ", "Sat, 21 Nov 2026 05:44:24 +0000", true},
    {"30 Jun 2026 23:59:60 +0000", "Wed, 1 Jul 2026 00:00:00 +0000", true},
    {"30 Feb 2026 00:00:00 +0000", NULL, false},
    {"29 Feb 2026 00:00:00 +0000", NULL, false},
    {"29 Feb 2100 00:00:00 +0000", NULL, false},
    {"31 Apr 2026 00:00:00 +0000", NULL, false},
    {"0 Nov 2026 00:00:00 +0000", NULL, false},
    {"21 Nov 2026 24:00:00 +0000", NULL, false},
    {"21 Nov 2026 00:60:00 +0000", NULL, false},
    {"21 Nov 2026 00:00:61 +0000", NULL, false},
    {"21 Nov 2026 00:00: +0000", NULL, false},
    {"21 Nov 2026 00:00:00 +0060", NULL, false},
    {"21 Nov 2026 00:00:00 +00000", NULL, false},
    {"21 Nov 20260 00:00:00 +0000", NULL, false},
    {"21 Nov 0 00:00:00", "Tue, 21 Nov 2000 00:00:00 +0000", false},
    {"21 Nov 0000 00:00:00", NULL, false},
    {"99999999999999999999 Nov 2026 00:00:00", NULL, false},
    {"21 Nov Dec 2026 00:00:00", NULL, false},
    {"21 No 2026 00:00:00", NULL, false},
    {"21 Nov 2026 1:2:3:4", NULL, false},
    {"(21 Nov 2026 00:00:00", NULL, false},
    {"+", NULL, false},
};

static void test_every_kind(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mime_date d;
        char text[MIME_DATE_SIZE];
        bool valid = mime_date_parse(cases[i].in, strlen(cases[i].in), &d);
        CU_ASSERT_EQUAL(valid, cases[i].out != NULL);
        if (valid != (cases[i].out != NULL))
            printf("\n\"%s\"\n", cases[i].in);
        if (!valid || !cases[i].out)
            continue;
        mime_date_format(d.wall_ms, d.zone_minutes, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].out);
        if (strcmp(text, cases[i].out) != 0)
            printf("\n\"%s\" gave \"%s\"\n", cases[i].in, text);
        CU_ASSERT_EQUAL(d.zone_known, cases[i].zone_known);
    }
}

static void test_round_trip(void)
{
    int64_t year_1000 = -30610224000000, year_10000 = 253402300800000,
            step = (int64_t)3700 * 86399000;
    for (int64_t ms = year_1000 + 86400000; ms < year_10000; ms += step) {
        char text[MIME_DATE_SIZE];
        struct mime_date d;
        mime_date_format(ms, -345, text);
        CU_ASSERT(mime_date_parse(text, strlen(text), &d));
        CU_ASSERT_EQUAL(d.wall_ms, ms);
        CU_ASSERT_EQUAL(d.zone_minutes, -345);
    }
}

extern const struct unit_test date_tests[];
const struct unit_test date_tests[] = {
    {"as Python parses", test_as_python},
    {"every kind", test_every_kind},
    {"round trip", test_round_trip},
    {NULL, NULL},
};
