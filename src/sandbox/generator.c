#include "generator.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_LENGTH  76
#define FILL_MIN     3 /* the shortest closing line that can be made: one letter and CRLF */
#define INTERVAL_MS  ((int64_t)7 * 60 * 1000)
#define VARIED_SIZES (15 * 1024)

static const char *const hosts[] = {"web01", "web02", "db01", "db02", "mail01", "backup01", "fw01"};
static const char *const services[] = {"HTTP", "load", "disk /var",  "PostgreSQL",
                                       "ping", "swap", "certificate"};
static const char *const states[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
static const char *const people[] = {"Adele Vance",  "Megan Bowen",   "Alex Wilber",
                                     "Joni Sherman", "Lynne Robbins", "Nestor Wilke"};
static const char *const words[] = {"check",  "latency", "value",   "normal", "since",  "threshold",
                                    "sensor", "retry",   "restart", "queue",  "volume", "snapshot",
                                    "node",   "packet",  "uptime",  "cache"};

#define PICK(list, n) list[(n) % (sizeof list / sizeof list[0])]

/* splitmix64: small, and the same everywhere. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void format_date(int64_t ms, char *out, size_t size)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(out, size, "%s, %02d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday % 7], tm.tm_mday,
             months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void write_header(uint32_t seed, int64_t date_ms, uint64_t *state, struct buf *out)
{
    char date[48];
    format_date(date_ms, date, sizeof date);
    const char *host = PICK(hosts, next(state));
    uint64_t kind = next(state) % 3;
    buf_printf(out,
               "Received: from %s.contoso.com (192.0.2.%u)\r\n\tby mx.contoso.com with ESMTPS id "
               "%08x;\r\n\t%s\r\n",
               host, (unsigned)(next(state) % 250) + 1, (unsigned)seed, date);
    if (kind == 0)
        buf_printf(out,
                   "From: Monitoring <nagios@%s.contoso.com>\r\nSubject: ** %s: %s/%s is %s\r\n",
                   host, "PROBLEM", host, PICK(services, next(state)), PICK(states, next(state)));
    else if (kind == 1)
        buf_printf(out, "From: Helpdesk <tickets@contoso.com>\r\nSubject: [Ticket#%u] %s on %s\r\n",
                   (unsigned)seed, PICK(services, next(state)), host);
    else
        buf_printf(out,
                   "From: \"%s\" <scanner@%s.contoso.com>\r\n"
                   "Subject: =?utf-8?Q?Bericht_f=C3=BCr_%s_Nr._%u?=\r\n",
                   PICK(people, next(state)), host, host, (unsigned)seed);
    buf_printf(out,
               "To: Alerts <alerts@contoso.com>\r\nDate: %s\r\n"
               "Message-ID: <%08x.%08x@%s.contoso.com>\r\nMIME-Version: 1.0\r\n"
               "Content-Type: text/plain; charset=us-ascii\r\n"
               "Content-Transfer-Encoding: 7bit\r\n\r\n",
               date, (unsigned)seed, (unsigned)next(state), host);
}

void generator_write(uint32_t seed, size_t size, int64_t date_ms, struct buf *out)
{
    uint64_t state = seed;
    buf_clear(out);
    buf_reserve(out, size);
    write_header(seed, date_ms, &state, out);
    while (size - out->len > LINE_LENGTH * 2) {
        size_t start = out->len;
        while (out->len - start < LINE_LENGTH - 14) {
            buf_puts(out, PICK(words, next(&state)));
            buf_putc(out, out->len - start < LINE_LENGTH - 24 ? ' ' : '.');
        }
        buf_puts(out, "\r\n");
    }
    while (size - out->len > FILL_MIN - 1) {
        size_t left = size - out->len;
        size_t line = left > LINE_LENGTH ? left - LINE_LENGTH : left;
        if (line < FILL_MIN)
            line = FILL_MIN;
        for (size_t i = 0; i < line - 2; i++)
            buf_putc(out, (char)('a' + i % 26));
        buf_puts(out, "\r\n");
    }
}

void generator_write_head(uint32_t seed, int64_t date_ms, struct buf *out)
{
    uint64_t state = seed;
    buf_clear(out);
    write_header(seed, date_ms, &state, out);
}

bool generator_fill(struct folder *f, size_t count, size_t size, int64_t newest_ms)
{
    /* To the second, as Exchange keeps it, so that the Date header and the property agree. */
    int64_t newest = newest_ms / 1000 * 1000;
    for (size_t i = 0; i < count; i++) {
        uint32_t seed = (uint32_t)(f->mailbox->message_count + 1);
        uint64_t state = seed ^ 0x5bd1e995u;
        struct message_new n = {
            .seed = seed,
            .size = size ? size : GENERATED_SIZE_MIN + (size_t)(next(&state) % VARIED_SIZES),
            .received_ms = newest - (int64_t)(count - 1 - i) * INTERVAL_MS,
            .is_read = next(&state) % 3 == 0,
            .at_start = true,
        };
        if (!message_add(f, &n))
            return false;
    }
    return true;
}
