#include "respond.h"

#include "utf7.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define QUOTED_MAX 1000 /* a longer string goes as a literal */
#define NAME_MAX_OCTETS                                                                            \
    ((size_t)64 * 1024) /* of a mailbox name in UTF-7, beyond any that Graph has */
#define NUL_STAND_IN '\x80'

/* ---- errors ---- */

#define SEE_LOG "; see the service's log"

/* `own`: the error's own text says more to the client, since it speaks of what it asked for. */
static const struct {
    const char *code;
    const char *text;
    bool own;
} replies[] = {
    [ERROR_NONE] = {"SERVERBUG", "internal error" SEE_LOG, false},
    [ERROR_CANCELED] = {"UNAVAILABLE", "interrupted, the service is stopping", false},
    [ERROR_GONE] = {"EXPUNGEISSUED", "a message is gone, it was moved or deleted meanwhile", false},
    [ERROR_FOLDER_GONE] = {"NONEXISTENT", "there is no such folder", false},
    [ERROR_MAILBOX_GONE] = {"CONTACTADMIN", "there is no such mailbox in Microsoft 365", false},
    [ERROR_CONFLICT] = {"INUSE", "it was changed at the same moment, try again", false},
    [ERROR_DENIED] = {"NOPERM", "Microsoft 365 denies access" SEE_LOG, false},
    [ERROR_SIGN_IN] = {"AUTHORIZATIONFAILED", "the service cannot sign in to Microsoft 365" SEE_LOG,
                       false},
    [ERROR_RESYNC] = {"UNAVAILABLE", "the folder must be read anew, try again", false},
    [ERROR_THROTTLED] = {"UNAVAILABLE",
                         "Microsoft 365 is slowing this mailbox down, try again later", false},
    [ERROR_TEMPORARY] = {"UNAVAILABLE", "Microsoft 365 does not answer now, try again later",
                         false},
    [ERROR_TIMEOUT] = {"UNAVAILABLE", "Microsoft 365 took too long, try again later", false},
    [ERROR_TOO_BIG] = {"TOOBIG", "it is larger than the service's limit", true},
    [ERROR_QUOTA] = {"OVERQUOTA", "the mailbox is full", false},
    [ERROR_ANSWER] = {"UNAVAILABLE", "Microsoft 365 gave a broken answer, try again later", false},
    [ERROR_REQUEST] = {"SERVERBUG", "Microsoft 365 refused the request" SEE_LOG, false},
    [ERROR_LOCAL] = {"UNAVAILABLE", "local trouble of the service" SEE_LOG, false},
    [ERROR_READ_ONLY] = {"NOPERM", "this login may only read", false},
    [ERROR_EXISTS] = {"ALREADYEXISTS", "it exists already", true},
    [ERROR_HAS_CHILDREN] = {"HASCHILDREN", "there are folders in it, delete those first", true},
    [ERROR_CANNOT] = {"CANNOT", "Microsoft 365 does not allow that", true},
    [ERROR_UNKNOWN_WRITE] = {"UNAVAILABLE", "the outcome is not known, look before trying again",
                             false},
};

/* A message that went away, a name that is not there, a client that left: nobody's fault. */
static enum log_level level_of(enum error_kind kind)
{
    switch (kind) {
    case ERROR_CANCELED:
    case ERROR_GONE:
    case ERROR_FOLDER_GONE:
    case ERROR_TOO_BIG:
    case ERROR_READ_ONLY:
    case ERROR_EXISTS:
    case ERROR_HAS_CHILDREN:
    case ERROR_CANNOT:
        return LOG_LEVEL_INFO;
    default:
        return LOG_LEVEL_WARNING;
    }
}

const char *imap_error_code(enum error_kind kind)
{
    return replies[kind].code;
}

/* RFC 3501 section 9: text is of 7-bit characters and no control ones. */
static void keep_plain(char *text)
{
    for (; *text; text++) {
        if (*text < 0x20 || *text > 0x7e)
            *text = '?';
    }
}

void imap_error_text(const struct error *e, char out[IMAP_ERROR_TEXT_SIZE])
{
    const char *text = replies[e->kind].own && e->text[0] ? e->text : replies[e->kind].text;
    if (e->advice[0])
        text = e->advice;
    snprintf(out, IMAP_ERROR_TEXT_SIZE, "%s%s%s%s", text, e->request_id[0] ? " (request-id " : "",
             e->request_id, e->request_id[0] ? ")" : "");
    keep_plain(out);
}

/* ---- ends of commands ---- */

static enum imap_sync sync_of(const struct imap_command *c)
{
    enum imap_sync sync = c->verb ? c->verb->sync : IMAP_SYNC_NONE;
    return c->uid && sync != IMAP_SYNC_NONE ? IMAP_SYNC_ALL : sync;
}

static void end(struct imap_session *s, const struct imap_command *c, const char *condition,
                const char *code, const char *fmt, va_list ap)
    __attribute__((format(printf, 5, 0)));

static void end(struct imap_session *s, const struct imap_command *c, const char *condition,
                const char *code, const char *fmt, va_list ap)
{
    char *text = xvasprintf(fmt, ap);
    keep_plain(text);
    session_conn_printf(s->conn, code ? "%s %s [%s] %s\r\n" : "%s %s %s%s\r\n", c->tag, condition,
                        code ? code : "", text);
    free(text);
}

void imap_done(struct imap_session *s, const struct imap_command *c, const char *code,
               const char *fmt, ...)
{
    va_list ap;
    imap_sync(s, sync_of(c));
    va_start(ap, fmt);
    end(s, c, "OK", code, fmt, ap);
    va_end(ap);
}

void imap_no(struct imap_session *s, const struct imap_command *c, const char *code,
             const char *fmt, ...)
{
    va_list ap;
    imap_sync(s, sync_of(c));
    va_start(ap, fmt);
    end(s, c, "NO", code, fmt, ap);
    va_end(ap);
}

void imap_bad(struct imap_session *s, const struct imap_command *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    end(s, c, "BAD", NULL, fmt, ap);
    va_end(ap);
    s->bad_commands++;
}

void imap_fail(struct imap_session *s, const struct imap_command *c, const struct error *e)
{
    char text[IMAP_ERROR_TEXT_SIZE];
    log_error_value(level_of(e->kind), e, "%s%s failed", c->uid ? "UID " : "", c->verb->name);
    imap_error_text(e, text);
    imap_no(s, c, replies[e->kind].code, "%s", text);
}

void imap_untagged(struct imap_session *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = xvasprintf(fmt, ap);
    va_end(ap);
    session_conn_printf(s->conn, "* %s\r\n", text);
    free(text);
}

void imap_send(struct imap_session *s, const struct buf *response)
{
    if (response->overflow)
        log_error("a response of more than %zu bytes is not sent; please report this",
                  response->max);
    else
        session_conn_write(s->conn, response->data, response->len);
}

/* ---- building ---- */

static bool fits_quoted(const char *text, size_t len)
{
    if (len > QUOTED_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '\0' || c == '\r' || c == '\n' || c > 0x7e)
            return false;
    }
    return true;
}

static bool put_quoted(struct buf *out, const char *text, size_t len)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, text[i]);
    }
    return buf_putc(out, '"');
}

void imap_hide_nuls(char *data, size_t len)
{
    for (char *p = data, *end = data + len; (p = memchr(p, '\0', (size_t)(end - p)));)
        *p = NUL_STAND_IN;
}

bool imap_put_string(struct buf *out, const char *text, size_t len)
{
    if (fits_quoted(text, len))
        return put_quoted(out, text, len);
    buf_printf(out, "{%zu}\r\n", len);
    size_t from = out->len;
    if (!buf_append(out, text, len))
        return false;
    imap_hide_nuls(out->data + from, len);
    return true;
}

bool imap_put_nstring(struct buf *out, const char *text, size_t len)
{
    return text ? imap_put_string(out, text, len) : buf_puts(out, "NIL");
}

static bool is_atom(const char *text)
{
    if (!*text || strcasecmp(text, "NIL") == 0)
        return false;
    for (; *text; text++) {
        if (*text <= 0x20 || *text > 0x7e || strchr("(){%*\"\\]", *text))
            return false;
    }
    return true;
}

bool imap_put_astring(struct buf *out, const char *text)
{
    return is_atom(text) ? buf_puts(out, text) : imap_put_string(out, text, strlen(text));
}

bool imap_put_mailbox(struct buf *out, const char *utf8)
{
    struct buf name = BUF_INIT(NAME_MAX_OCTETS);
    bool ok = imap_utf7_encode(utf8, &name) && imap_put_astring(out, buf_str(&name));
    buf_free(&name);
    return ok;
}

bool imap_put_object_id(struct buf *out, char kind, const uint8_t digest[SHA256_SIZE])
{
    return buf_putc(out, kind) && base64url_encode(digest, SHA256_SIZE, out);
}

bool imap_put_date(struct buf *out, int64_t wall_ms)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    /* Rounded down before 1970 too. */
    time_t seconds = (time_t)((wall_ms - (wall_ms < 0 ? 999 : 0)) / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return buf_printf(out, "\"%2d-%s-%04d %02d:%02d:%02d +0000\"", tm.tm_mday, months[tm.tm_mon],
                      tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void imap_refuse_flags(struct imap_session *s, const struct imap_command *c,
                       enum imap_flags_refusal refusal)
{
    if (refusal == IMAP_FLAGS_UNKNOWN)
        imap_no(s, c, "CANNOT", "there is no such system flag");
    else
        imap_no(s, c, "LIMIT", "the keywords of one command have at most %zu octets",
                IMAP_KEYWORDS_MAX);
}
