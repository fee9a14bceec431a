#include "postern/mime/date.h"

#include "postern/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

/* RFC 5322 section 4.3. The letters of military zones were defined with the wrong sign for years,
 * so they are unknown but for Z. */
static const struct {
    const char *name;
    int minutes;
} zones[] = {{"UT", 0},     {"UTC", 0},    {"GMT", 0},    {"Z", 0},
             {"EST", -300}, {"EDT", -240}, {"CST", -360}, {"CDT", -300},
             {"MST", -420}, {"MDT", -360}, {"PST", -480}, {"PDT", -420}};

#define NUMBER_DIGITS_MAX 9

enum token { TOKEN_END, TOKEN_NUMBER, TOKEN_WORD, TOKEN_PLUS, TOKEN_MINUS, TOKEN_COLON, TOKEN_BAD };

struct lexer {
    const char *p;
    const char *end;
    const char *word;
    size_t len; /* of the word, or the count of digits */
    int number;
};

struct parts {
    int day, month, year;     /* 0: not seen; month 1 to 12 */
    int hour, minute, second; /* hour -1: not seen */
    int zone;
    bool zone_seen, zone_known;
};

/* White space, commas, dots and comments mean nothing between the parts. */
static const char *skip_filling(const char *p, const char *end)
{
    int depth = 0;
    for (; p < end; p++) {
        if (*p == '(')
            depth++;
        else if (*p == ')' && depth > 0)
            depth--;
        else if (*p == '\\' && depth > 0 && end - p > 1)
            p++;
        else if (depth == 0 && (!strchr(" \t\r\n,.", *p) || !*p))
            break;
    }
    return p;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static enum token next_token(struct lexer *l)
{
    l->p = skip_filling(l->p, l->end);
    l->word = l->p;
    if (l->p == l->end)
        return TOKEN_END;
    enum token token = TOKEN_BAD;
    if (is_digit(*l->p)) {
        l->number = 0;
        for (; l->p < l->end && is_digit(*l->p) && l->p - l->word < NUMBER_DIGITS_MAX; l->p++)
            l->number = l->number * 10 + (*l->p - '0');
        token = l->p < l->end && is_digit(*l->p) ? TOKEN_BAD : TOKEN_NUMBER;
    } else if (is_letter(*l->p)) {
        while (l->p < l->end && is_letter(*l->p))
            l->p++;
        token = TOKEN_WORD;
    } else {
        char c = *l->p++;
        token = c == '+' ? TOKEN_PLUS : c == '-' ? TOKEN_MINUS : c == ':' ? TOKEN_COLON : TOKEN_BAD;
    }
    l->len = (size_t)(l->p - l->word);
    return token;
}

/* Index of the name that the word is, or begins with at least three letters; -1 if none. */
static int find_name(const struct lexer *l, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (l->len >= 3 && l->len <= strlen(names[i]) &&
            strncasecmp(l->word, names[i], l->len) == 0)
            return i;
    }
    return -1;
}

static bool take_word(const struct lexer *l, struct parts *d)
{
    int month = find_name(l, months, 12);
    if (month >= 0) {
        bool first = d->month == 0;
        d->month = month + 1;
        return first;
    }
    if (find_name(l, days, 7) >= 0)
        return true;
    if (d->hour < 0)
        return false;
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        if (strlen(zones[i].name) == l->len && strncasecmp(l->word, zones[i].name, l->len) == 0) {
            d->zone = zones[i].minutes;
            d->zone_known = true;
        }
    }
    d->zone_seen = true;
    return true;
}

/* Reads ":MM[:SS]" behind an hour. */
static bool take_time(struct lexer *l, struct parts *d)
{
    if (d->hour >= 0 || l->len > 2)
        return false;
    d->hour = l->number;
    next_token(l);
    if (next_token(l) != TOKEN_NUMBER || l->len > 2)
        return false;
    d->minute = l->number;
    struct lexer back = *l;
    if (next_token(l) != TOKEN_COLON) {
        *l = back;
        return true;
    }
    if (next_token(l) != TOKEN_NUMBER || l->len > 2)
        return false;
    d->second = l->number;
    return true;
}

/* "+hhmm", "+hmm", "+hh:mm" or "+hh" behind the time. */
static bool take_zone(struct lexer *l, bool minus, struct parts *d)
{
    if (next_token(l) != TOKEN_NUMBER || l->len > 4)
        return false;
    int hours = l->len > 2 ? l->number / 100 : l->number;
    int minutes = l->len > 2 ? l->number % 100 : 0;
    struct lexer back = *l;
    if (l->len <= 2 && next_token(l) == TOKEN_COLON && next_token(l) == TOKEN_NUMBER)
        minutes = l->number;
    else
        *l = back;
    if (minutes > 59)
        return false;
    d->zone = (minus ? -1 : 1) * (hours * 60 + minutes);
    d->zone_known = !minus || d->zone != 0;
    d->zone_seen = true;
    return true;
}

static int full_year(int year, size_t digits)
{
    if (digits <= 2)
        return year + (year < 50 ? 2000 : 1900);
    return digits == 3 ? year + 1900 : year;
}

static bool take_number(struct lexer *l, struct parts *d)
{
    struct lexer ahead = *l;
    if (next_token(&ahead) == TOKEN_COLON)
        return take_time(l, d);
    if (d->day == 0 && l->len <= 2) {
        d->day = l->number;
        return d->day > 0;
    }
    if (d->year != 0 || l->len > 4 || d->month == 0)
        return false;
    d->year = full_year(l->number, l->len);
    return d->year > 0;
}

static bool read_parts(struct lexer *l, struct parts *d)
{
    for (;;) {
        bool ok = true;
        enum token token = next_token(l);
        /* What follows a whole date, such as a zone's name out of brackets, is decoration. */
        bool whole = d->day && d->month && d->year && d->hour >= 0 && d->zone_seen;
        if (token == TOKEN_END || whole)
            return true;
        if (token == TOKEN_NUMBER)
            ok = take_number(l, d);
        else if (token == TOKEN_WORD)
            ok = take_word(l, d);
        else if ((token == TOKEN_PLUS || token == TOKEN_MINUS) && d->hour >= 0)
            ok = take_zone(l, token == TOKEN_MINUS, d);
        else if (token != TOKEN_MINUS) /* "21-Nov-26" */
            ok = false;
        if (!ok)
            return false;
    }
}

static bool is_leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool exists(const struct parts *d)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (!d->day || !d->month || !d->year || d->hour < 0)
        return false;
    int last = month_days[d->month - 1] + (d->month == 2 && is_leap_year(d->year));
    return d->day <= last && d->hour <= 23 && d->minute <= 59 && d->second <= 60;
}

/* "2026-11-21T05:44:24+01:00", also with a space for the T. */
static bool parse_iso(const char *value, size_t len, struct mime_date *date)
{
    if (len < 11 || value[4] != '-' || !is_digit(value[3]) ||
        !clock_parse_iso(value, len, &date->wall_ms))
        return false;
    date->zone_minutes = 0;
    date->zone_known = true;
    return true;
}

bool mime_date_parse(const char *value, size_t len, struct mime_date *date)
{
    struct lexer l = {.p = skip_filling(value, value + len), .end = value + len};
    struct parts d = {.hour = -1};
    while (l.end > l.p && strchr(" \t\r\n", l.end[-1]) && l.end[-1])
        l.end--;
    if (parse_iso(l.p, (size_t)(l.end - l.p), date))
        return true;
    if (!read_parts(&l, &d) || !exists(&d))
        return false;
    struct tm tm = {.tm_year = d.year - 1900,
                    .tm_mon = d.month - 1,
                    .tm_mday = d.day,
                    .tm_hour = d.hour,
                    .tm_min = d.minute,
                    .tm_sec = d.second};
    int64_t seconds = (int64_t)timegm(&tm) - (int64_t)d.zone * 60;
    *date = (struct mime_date){seconds * CLOCK_SECOND, d.zone, d.zone_known};
    return true;
}

void mime_date_format(int64_t wall_ms, int zone_minutes, char out[MIME_DATE_SIZE])
{
    int64_t local_ms = wall_ms + (int64_t)zone_minutes * 60 * CLOCK_SECOND;
    time_t seconds = (time_t)(local_ms / CLOCK_SECOND - (local_ms % CLOCK_SECOND < 0));
    int offset = zone_minutes < 0 ? -zone_minutes : zone_minutes;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    snprintf(out, MIME_DATE_SIZE, "%.3s, %d %.3s %d %02d:%02d:%02d %c%02d%02d", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
             zone_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
}
