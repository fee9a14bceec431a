/* IDLE (RFC 2177): says what changes as it changes, and sleeps in between. */
#include "commands.h"
#include "read.h"
#include "respond.h"

#include "postern/base/clock.h"
#include "postern/base/thread.h"
#include "postern/mailbox/flags.h"

#include <strings.h>

/* Nobody but DONE is expected; what else comes is told by its beginning. */
#define LINE_MAX_OCTETS 1024

/* Tells and sends all there is to tell. Sending may take a notification in; so one more look. */
static void tell_all(struct imap_session *s)
{
    struct mailbox_view *before;
    do {
        before = s->selected ? s->selected->whole : NULL;
        imap_sync(s, IMAP_SYNC_ALL);
        session_conn_flush(s->conn);
    } while (s->selected && s->selected->whole != before);
}

/* Until a line comes, or something that ends the session. */
static enum session_line idle(struct imap_session *s, char **line)
{
    int64_t deadline = clock_mono_ms() + imap_patience_ms(s);
    enum session_line r;
    size_t len;
    do {
        tell_all(s);
        r = session_conn_line_or_notice(s->conn, LINE_MAX_OCTETS, deadline - clock_mono_ms(), line,
                                        &len);
    } while (r == SESSION_LINE_NOTIFIED);
    return r;
}

void imap_idle(struct imap_session *s, const struct imap_command *c)
{
    struct wait *w = session_conn_wait(s->conn);
    struct imap_selected *sel = s->selected;
    char *line = NULL;
    if (c->count) {
        imap_bad(s, c, "IDLE takes no arguments");
        return;
    }
    imap_fetch_forget(s); /* an idle session holds little memory */
    session_conn_printf(s->conn, "+ idling\r\n");
    thread_trim_stack();
    if (sel)
        mailbox_watch(sel->folder, sel->read_only, w);
    enum session_line r = idle(s, &line);
    if (sel)
        mailbox_unwatch(sel->folder, w);
    if (r == SESSION_LINE_OK && strcasecmp(line, "DONE") == 0)
        imap_done(s, c, NULL, "IDLE completed");
    else if (r == SESSION_LINE_OK || r == SESSION_LINE_TOO_LONG || r == SESSION_LINE_NUL)
        imap_bad(s, c, "DONE ends IDLE, nothing else does");
    else
        imap_input_ended(s, r);
}
