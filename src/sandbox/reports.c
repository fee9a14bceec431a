#include "reports.h"

#include "permission.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FUNCTION     "getEmailAppUsageUserDetail"
#define DAY_MS       (24 * 3600 * CLOCK_SECOND)
#define REFRESH_DAYS 2 /* the service is so far behind */
#define DATES_MAX    30
#define TOKEN_BYTES  48
#define REPORT_MAX   ((size_t)64 * 1024 * 1024)
#define BOM          "\xEF\xBB\xBF"

static const char columns[] =
    "Report Refresh Date,User Principal Name,Display Name,Is Deleted,Deleted Date,"
    "Last Activity Date,Mail For Mac,Outlook For Mac,Outlook For Windows,Outlook For Mobile,"
    "Other For Mobile,Outlook For Web,POP3 App,IMAP4 App,SMTP App,Report Period\r\n";

/* What of the past a report tells: so many days up to its date, or one day. */
struct span {
    int64_t first_ago, last_ago;
    const char *name; /* its column Report Period */
};

struct report_user *reports_user(struct reports *reports, const char *upn)
{
    for (size_t i = 0; i < reports->count; i++) {
        if (strcasecmp(reports->users[i]->upn, upn) == 0)
            return reports->users[i];
    }
    struct report_user *user = xcalloc(1, sizeof *user);
    *user = (struct report_user){.upn = xstrdup(upn),
                                 .name = xstrdup(upn),
                                 .cell = xstrdup("Undetermined"),
                                 .days_ago = {-1, -1, -1}};
    reports->users =
        xreallocarray(reports->users, reports->count + 1, sizeof(struct report_user *));
    reports->users[reports->count++] = user;
    return user;
}

bool reports_is_wanted(const struct request *r)
{
    return r->segment_count == 3 && strcmp(r->segments[1], "reports") == 0;
}

/* "2026-11-19", so many days before the report's date. */
static void format_date(const struct sandbox *s, int64_t days_ago, char out[11])
{
    char date[CLOCK_ISO_SIZE];
    clock_format_iso(s->reports.made_ms - (REFRESH_DAYS + days_ago) * DAY_MS, date);
    snprintf(out, 11, "%.10s", date);
}

static bool parse_date(const struct sandbox *s, const char *text, struct span *out)
{
    char date[11];
    for (int64_t ago = 0; ago < DATES_MAX; ago++) {
        format_date(s, ago, date);
        if (strcmp(date, text) == 0) {
            *out = (struct span){.first_ago = ago, .last_ago = ago, .name = "1"};
            return true;
        }
    }
    return false;
}

/* "getEmailAppUsageUserDetail(period='D7')" or "…(date=2026-11-01)". */
static bool parse_call(struct call *c, struct span *out)
{
    static const struct {
        const char *argument, *name;
        int64_t days;
    } periods[] = {{"(period='D7')", "7", 7},
                   {"(period='D30')", "30", 30},
                   {"(period='D90')", "90", 90},
                   {"(period='D180')", "180", 180}};
    const char *text = c->r->segments[2];
    if (strncasecmp(text, FUNCTION, sizeof FUNCTION - 1) != 0)
        return false;
    text += sizeof FUNCTION - 1;
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        if (strcasecmp(text, periods[i].argument) == 0) {
            *out = (struct span){.last_ago = periods[i].days - 1, .name = periods[i].name};
            return true;
        }
    }
    size_t len = strlen(text);
    return len == sizeof "(date=2026-11-01)" - 1 && strncmp(text, "(date=", 6) == 0 &&
           text[len - 1] == ')' && parse_date(c->s, arena_strndup(c->r->arena, text + 6, 10), out);
}

/* A field of CSV (RFC 4180). */
static void put_field(struct buf *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        buf_puts(out, text);
        return;
    }
    buf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"')
            buf_putc(out, '"');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

/* A name as the tenant's setting has it: as it is, or a digest that says nothing. */
static void put_name(struct buf *out, const struct settings *s, const char *name)
{
    uint8_t digest[SHA256_SIZE];
    char hex[33];
    if (!s->report_concealed) {
        put_field(out, name);
        return;
    }
    sha256(name, strlen(name), digest);
    hex_encode(digest, 16, hex);
    for (char *p = hex; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    buf_puts(out, hex);
}

static bool was_used(const struct report_user *user, size_t app, const struct span *span)
{
    return user->days_ago[app] >= span->first_ago && user->days_ago[app] <= span->last_ago;
}

static void put_user(struct buf *out, const struct sandbox *s, const struct report_user *user,
                     const struct span *span)
{
    char refreshed[11], date[11] = "";
    int64_t newest = -1;
    for (size_t app = 0; app < REPORT_APPS; app++) {
        if (user->days_ago[app] >= 0 && (newest < 0 || user->days_ago[app] < newest))
            newest = user->days_ago[app];
    }
    format_date(s, 0, refreshed);
    if (newest >= 0)
        format_date(s, newest, date);
    buf_printf(out, "%s,", refreshed);
    put_name(out, &s->settings, user->upn);
    buf_putc(out, ',');
    put_name(out, &s->settings, user->name);
    buf_printf(out, ",%s,%s,%s,,,,,,", user->deleted ? "True" : "False",
               user->deleted ? refreshed : "", date);
    for (size_t app = 0; app < REPORT_APPS; app++) {
        buf_putc(out, ',');
        if (was_used(user, app, span))
            put_field(out, user->cell);
    }
    buf_printf(out, ",%s\r\n", span->name);
}

static char *make_report(struct sandbox *s, const struct span *span)
{
    struct buf out = BUF_INIT(REPORT_MAX);
    buf_printf(&out, BOM "%s", columns);
    for (size_t i = 0; i < s->model.count; i++)
        reports_user(&s->reports, s->model.mailboxes[i]->upn);
    for (size_t i = 0; i < s->reports.count; i++)
        put_user(&out, s, s->reports.users[i], span);
    return buf_steal(&out);
}

static void free_download(struct report_download *d)
{
    free(d->token);
    free(d->csv);
    *d = (struct report_download){0};
}

/* A new place in the ring; its URL is the only credential. */
static const char *publish(struct sandbox *s, char *csv)
{
    struct report_download *d = &s->reports.downloads[s->reports.next++ % REPORT_DOWNLOADS_MAX];
    uint8_t bytes[TOKEN_BYTES];
    struct buf token = BUF_INIT(TOKEN_BYTES * 2);
    random_bytes(bytes, sizeof bytes);
    base64url_encode(bytes, sizeof bytes, &token);
    free_download(d);
    d->token = buf_steal(&token);
    d->csv = csv;
    d->expires_ms = clock_mono_ms() + s->settings.report_life_s * CLOCK_SECOND;
    return d->token;
}

void reports_handle(struct call *c)
{
    struct span span = {.first_ago = 0};
    const char *format = request_param(c->r, "$format");
    if (strcmp(c->r->method, "GET") != 0)
        graph_method_error(c);
    else if (!parse_call(c, &span))
        graph_error(c, 400, "BadRequest", "Invalid function or parameter value: '%s'.",
                    c->r->segments[2]);
    else if (format && strcmp(format, "text/csv") != 0)
        graph_error(c, 400, "BadRequest", "The format '%s' is not supported.", format);
    else if (graph_check_options(c) && permission_reports(c)) {
        const char *token = publish(c->s, make_report(c->s, &span));
        answer_header(c->a, "Location",
                      arena_printf(c->r->arena, "%s/data/download/%s", c->s->upload_origin, token));
        answer_header(c->a, "Content-Type", "text/plain");
        c->a->status = 302;
    }
}

bool reports_is_download(const struct request *r)
{
    return r->segment_count == 3 && strcmp(r->segments[0], "data") == 0 &&
           strcmp(r->segments[1], "download") == 0;
}

static const struct report_download *find_download(const struct reports *reports, const char *token)
{
    for (size_t i = 0; i < REPORT_DOWNLOADS_MAX; i++) {
        const struct report_download *d = &reports->downloads[i];
        if (d->token && strcmp(d->token, token) == 0 && clock_mono_ms() < d->expires_ms)
            return d;
    }
    return NULL;
}

void reports_download(struct sandbox *s, const struct request *r, struct answer *a)
{
    const struct report_download *d = find_download(&s->reports, r->segments[2]);
    answer_header(a, "Content-Type", d ? "application/octet-stream" : "text/plain");
    if (request_header(r, "Authorization")) {
        journal_violation(&s->journal, "report-authorization",
                          "%s /data/download: a token for a URL that is its own credential",
                          r->method);
        a->status = 400;
    } else if (strcmp(r->method, "GET") != 0) {
        a->status = 405;
    } else if (!d) {
        a->status = 404;
    } else {
        a->status = 200;
        buf_puts(&a->body, d->csv);
    }
}

void reports_free(struct reports *reports)
{
    for (size_t i = 0; i < reports->count; i++) {
        free(reports->users[i]->upn);
        free(reports->users[i]->name);
        free(reports->users[i]->cell);
        free(reports->users[i]);
    }
    free(reports->users);
    for (size_t i = 0; i < REPORT_DOWNLOADS_MAX; i++)
        free_download(&reports->downloads[i]);
    *reports = (struct reports){.count = 0};
}
