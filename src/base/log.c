#include "postern/base/log.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/clock.h"
#include "postern/base/file.h"
#include "postern/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* <syslog.h> has macros of our names; only these three calls are wanted from it. */
extern void openlog(const char *ident, int option, int facility);
extern void syslog(int priority, const char *format, ...);
#define SYSLOG_PID      0x01
#define SYSLOG_FACILITY (2 << 3) /* LOG_MAIL */

#define LINE_MAX_BYTES 4096
#define CONTEXT_MAX    96

enum sink { SINK_STDERR, SINK_SYSLOG, SINK_FILE };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum sink sink = SINK_STDERR;
static int fd = STDERR_FILENO;
static _Atomic enum log_level level = LOG_LEVEL_INFO;
static _Atomic enum log_format format = LOG_TEXT;

static _Thread_local char session[CONTEXT_MAX];
static _Thread_local char login[CONTEXT_MAX];
static _Thread_local char mailbox[CONTEXT_MAX];

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const int level_syslog[] = {3, 4, 6, 7};

bool log_target_is_file(const char *target)
{
    return target && strcmp(target, "syslog") != 0 && strcmp(target, "stderr") != 0;
}

bool log_open(const struct log_settings *s, struct error *e)
{
    enum sink want = SINK_STDERR;
    int new_fd = STDERR_FILENO;
    if (s->target && strcmp(s->target, "syslog") == 0) {
        want = SINK_SYSLOG;
        openlog("postern", SYSLOG_PID, SYSLOG_FACILITY);
    } else if (log_target_is_file(s->target)) {
        want = SINK_FILE;
        new_fd = open(s->target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
        if (new_fd < 0)
            return error_set(e, ERROR_LOCAL, "cannot open the log file %s: %s", s->target,
                             strerror(errno));
    }
    pthread_mutex_lock(&lock);
    if (sink == SINK_FILE)
        close(fd);
    sink = want;
    fd = new_fd;
    pthread_mutex_unlock(&lock);
    atomic_store(&level, s->level);
    atomic_store(&format, s->format);
    return true;
}

bool log_enabled(enum log_level l)
{
    return l <= atomic_load(&level);
}

static void set_context(char *slot, const char *value)
{
    snprintf(slot, CONTEXT_MAX, "%s", value ? value : "");
}

void log_set_session(const char *value)
{
    set_context(session, value);
}

void log_set_login(const char *value)
{
    set_context(login, value);
}

void log_set_mailbox(const char *value)
{
    set_context(mailbox, value);
}

static void put_safe(struct buf *b, const char *text, bool json)
{
    for (const char *s = text; *s;) {
        size_t n = text_utf8_len(s);
        if (n == 0) {
            buf_printf(b, json ? "\\u00%02x" : "\\x%02x", (unsigned char)*s++);
        } else if (n == 1 && (*s < 0x20 || *s == 0x7f)) {
            buf_printf(b, json ? "\\u%04x" : "\\x%02x", (unsigned char)*s++);
        } else if (text_is_trick(s, n)) {
            for (; n; n--)
                buf_printf(b, json ? "\\u00%02x" : "\\x%02x", (unsigned char)*s++);
        } else {
            if (json && (*s == '"' || *s == '\\'))
                buf_putc(b, '\\');
            buf_append(b, s, n);
            s += n;
        }
    }
}

static void put_context(struct buf *b, bool json, const char *name, const char *value)
{
    if (!value[0])
        return;
    buf_printf(b, json ? ",\"%s\":\"" : " %s=", name);
    put_safe(b, value, json);
    if (json)
        buf_putc(b, '"');
}

static void compose(struct buf *b, enum log_level l, const char *text, bool stamp)
{
    bool json = atomic_load(&format) == LOG_JSON;
    char date[CLOCK_ISO_SIZE];
    int64_t now = clock_wall_ms();
    clock_format_iso(now, date);
    date[19] = '\0'; /* the Z comes behind the milliseconds */
    int ms = (int)(((now % 1000) + 1000) % 1000);
    if (json)
        buf_printf(b, "{\"time\":\"%s.%03dZ\",\"level\":\"%s\"", date, ms, level_names[l]);
    else if (stamp)
        buf_printf(b, "%s.%03dZ %s", date, ms, level_names[l]);
    else
        buf_puts(b, level_names[l]);
    put_context(b, json, "session", session);
    put_context(b, json, "login", login);
    put_context(b, json, "mailbox", mailbox);
    buf_puts(b, json ? ",\"message\":\"" : ": ");
    put_safe(b, text, json);
    if (json)
        buf_puts(b, "\"}");
}

void log_write(enum log_level l, const char *fmt, ...)
{
    if (!log_enabled(l))
        return;
    char text[LINE_MAX_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);

    struct buf line = BUF_INIT((size_t)LINE_MAX_BYTES * 8);
    pthread_mutex_lock(&lock);
    compose(&line, l, text, sink != SINK_SYSLOG);
    if (sink == SINK_SYSLOG) {
        syslog(level_syslog[l], "%s", buf_str(&line));
    } else {
        buf_putc(&line, '\n');
        file_write_all(fd, line.data, line.len);
    }
    pthread_mutex_unlock(&lock);
    buf_free(&line);
}

void log_error_value(enum log_level l, const struct error *e, const char *fmt, ...)
{
    char what[LINE_MAX_BYTES / 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    bool tell_id = e->request_id[0] && !strstr(e->text, e->request_id);
    log_write(l, "%s: %s (%s%s%s%s%s)", what, e->text, error_kind_name(e->kind),
              e->code[0] ? ", " : "", e->code, tell_id ? ", request-id " : "",
              tell_id ? e->request_id : "");
}
