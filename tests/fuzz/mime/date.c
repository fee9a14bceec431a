/* Dates: what was parsed is written in a form that parses to the same moment. */
#include "../fuzz.h"

#include "postern/mime/date.h"

#include <string.h>

/* Four digits of year; smaller ones are written as they are and mean another century. */
#define YEAR_1000_MS  INT64_C(-30610224000000)
#define YEAR_10000_MS INT64_C(253402300800000)
#define ZONES_MS      INT64_C(360000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mime_date d, again;
    char text[MIME_DATE_SIZE];
    if (!mime_date_parse((const char *)data, size, &d))
        return 0;
    FUZZ_CHECK(d.zone_minutes >= -5999 && d.zone_minutes <= 5999);
    mime_date_format(d.wall_ms, d.zone_minutes, text);
    if (d.wall_ms < YEAR_1000_MS + ZONES_MS || d.wall_ms >= YEAR_10000_MS - ZONES_MS)
        return 0;
    FUZZ_CHECK(mime_date_parse(text, strlen(text), &again));
    FUZZ_CHECK(d.wall_ms - again.wall_ms >= 0 && d.wall_ms - again.wall_ms < 1000);
    FUZZ_CHECK(again.zone_minutes == d.zone_minutes);
    return 0;
}
