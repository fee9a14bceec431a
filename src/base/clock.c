#include "postern/base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static atomic_bool test_on;
static _Atomic int64_t test_mono;
static _Atomic int64_t test_wall;

static int64_t read_clock_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return atomic_load(&test_on) ? atomic_load(&test_mono) : read_clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_wall_ms(void)
{
    return clock_wall_us() / 1000;
}

int64_t clock_wall_us(void)
{
    return atomic_load(&test_on) ? atomic_load(&test_wall) * 1000 : read_clock_us(CLOCK_REALTIME);
}

void clock_test_set(int64_t mono_ms, int64_t wall_ms)
{
    atomic_store(&test_mono, mono_ms);
    atomic_store(&test_wall, wall_ms);
    atomic_store(&test_on, true);
}

void clock_test_off(void)
{
    atomic_store(&test_on, false);
}

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static bool digits(const char **p, const char *end, int count, int *out)
{
    int n = 0;
    if (end - *p < count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9')
            return false;
        n = n * 10 + (c - '0');
    }
    *p += count;
    *out = n;
    return true;
}

static bool literal(const char **p, const char *end, char want)
{
    if (*p == end || **p != want)
        return false;
    (*p)++;
    return true;
}

static bool parse_day(const char **p, const char *end, int64_t *days)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y, m, d;
    if (!digits(p, end, 4, &y) || !literal(p, end, '-') || !digits(p, end, 2, &m) ||
        !literal(p, end, '-') || !digits(p, end, 2, &d) || m < 1 || m > 12 || d < 1)
        return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > lengths[m - 1] + (m == 2 && leap))
        return false;
    *days = days_from_civil(y, m, d);
    return true;
}

/* Milliseconds of ".1234567"; digits past the third are read and dropped. */
static int fraction(const char **p, const char *end)
{
    int ms = 0, scale = 100;
    if (*p == end || **p != '.')
        return 0;
    for ((*p)++; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
        ms += (**p - '0') * scale;
        scale /= 10;
    }
    return ms;
}

bool clock_parse_iso(const char *s, size_t len, int64_t *wall_ms)
{
    const char *p = s, *end = s + len;
    int64_t days;
    int h, min, sec = 0, oh = 0, om = 0, sign = 0;
    if (!parse_day(&p, end, &days) || p == end || (*p != 'T' && *p != 't' && *p != ' '))
        return false;
    p++;
    if (!digits(&p, end, 2, &h) || !literal(&p, end, ':') || !digits(&p, end, 2, &min))
        return false;
    if (literal(&p, end, ':') && !digits(&p, end, 2, &sec))
        return false;
    if (h > 23 || min > 59 || sec > 60)
        return false;
    int ms = fraction(&p, end);
    if (p < end && (*p == '+' || *p == '-')) {
        sign = *p++ == '+' ? 1 : -1;
        if (!digits(&p, end, 2, &oh) || !literal(&p, end, ':') || !digits(&p, end, 2, &om) ||
            oh > 23 || om > 59)
            return false;
    } else if (p < end && (*p == 'Z' || *p == 'z')) {
        p++;
    }
    if (p != end)
        return false;
    int64_t seconds = days * 86400 + h * 3600 + min * 60 + sec - sign * (oh * 3600 + om * 60);
    *wall_ms = seconds * 1000 + ms;
    return true;
}

void clock_format_iso(int64_t wall_ms, char out[CLOCK_ISO_SIZE])
{
    time_t t = (time_t)(wall_ms >= 0 ? wall_ms / 1000 : (wall_ms - 999) / 1000);
    struct tm tm;
    if (!gmtime_r(&t, &tm) || strftime(out, CLOCK_ISO_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, CLOCK_ISO_SIZE, "1970-01-01T00:00:00Z");
}

bool clock_parse_day(const char *s, int64_t *wall_ms)
{
    const char *end = s + strlen(s);
    int64_t days;
    if (!parse_day(&s, end, &days) || s != end)
        return false;
    *wall_ms = days * 86400000;
    return true;
}
