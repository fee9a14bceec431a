#include "respond.h"

#include "postern/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEMP "[SYS/TEMP] " /* RFC 3206: goes away by itself */
#define PERM "[SYS/PERM] " /* needs somebody */
#define NONE ""

static const struct {
    const char *code;
    const char *text;
} replies[] = {
    [ERROR_NONE] = {TEMP, "internal error"},
    [ERROR_CANCELED] = {TEMP, "interrupted, the service is stopping"},
    [ERROR_GONE] = {NONE, "the message is gone, it was moved or deleted meanwhile"},
    [ERROR_FOLDER_GONE] = {PERM, "the folder of this login does not exist in the mailbox"},
    [ERROR_MAILBOX_GONE] = {PERM, "there is no such mailbox in Microsoft 365"},
    [ERROR_CONFLICT] = {TEMP, "the mailbox was changed at the same moment, try again"},
    [ERROR_DENIED] = {PERM, "Microsoft 365 denies access to the mailbox, see the service's log"},
    [ERROR_SIGN_IN] = {PERM, "the service cannot sign in to Microsoft 365, see its log"},
    [ERROR_RESYNC] = {TEMP, "the mailbox must be read anew, try again"},
    [ERROR_THROTTLED] = {TEMP, "Microsoft 365 is slowing this mailbox down, try again later"},
    [ERROR_TEMPORARY] = {TEMP, "Microsoft 365 does not answer now, try again later"},
    [ERROR_TIMEOUT] = {TEMP, "Microsoft 365 took too long, try again later"},
    [ERROR_TOO_BIG] = {PERM, "the message is larger than the service's limit"},
    [ERROR_QUOTA] = {TEMP, "the mailbox is full"},
    [ERROR_ANSWER] = {TEMP, "Microsoft 365 gave a broken answer, try again later"},
    [ERROR_REQUEST] = {TEMP, "Microsoft 365 refused the request, see the service's log"},
    [ERROR_LOCAL] = {TEMP, "local trouble of the service, see its log"},
    [ERROR_READ_ONLY] = {PERM, "this login may only read"},
    [ERROR_EXISTS] = {PERM, "it exists already"},
    [ERROR_HAS_CHILDREN] = {PERM, "there are folders in it"},
    [ERROR_CANNOT] = {PERM, "Microsoft 365 does not allow that"},
    [ERROR_UNKNOWN_WRITE] = {TEMP, "the outcome is not known, look before trying again"},
};

const char *pop3_error_code(enum error_kind kind)
{
    return replies[kind].code;
}

const char *pop3_error_text(enum error_kind kind)
{
    return replies[kind].text;
}

/* A status line is printable ASCII (RFC 2449 section 4); names of mailboxes need not be. */
static void keep_plain(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
    }
}

void pop3_error_line(const struct error *e, bool progress, char out[POP3_REPLY_MAX])
{
    bool own_progress = progress && e->kind == ERROR_TIMEOUT && e->text[0];
    const char *text = own_progress ? e->text : e->advice[0] ? e->advice : replies[e->kind].text;
    char id[sizeof e->request_id + 16] = "";
    if (e->request_id[0])
        snprintf(id, sizeof id, " (request-id %s)", e->request_id);
    /* The text is cut rather than the request-id, with which one finds the rest in the log. */
    snprintf(out, POP3_REPLY_MAX, "-ERR %s%s%.300s%s\r\n", replies[e->kind].code,
             own_progress ? "the first synchronisation is under way: " : "", text, id);
    keep_plain(out, strlen(out) - strlen("\r\n"));
}

void pop3_fail(struct session_conn *conn, const struct error *e, const char *what, ...)
{
    char line[POP3_REPLY_MAX], name[POP3_REPLY_MAX];
    va_list ap;
    va_start(ap, what);
    vsnprintf(name, sizeof name, what, ap);
    va_end(ap);
    /* A message that went away and a client that did are nobody's fault. */
    enum log_level level =
        e->kind == ERROR_GONE || e->kind == ERROR_CANCELED ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
    log_error_value(level, e, "%s failed", name);
    pop3_error_line(e, false, line);
    session_conn_printf(conn, "%s", line);
}
