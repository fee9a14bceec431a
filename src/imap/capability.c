/* What the server can do, as CAPABILITY tells it (RFC 3501 section 7.2.1). */
#include "session.h"

enum { BEFORE_LOGIN = 1, AFTER_LOGIN = 2, ALWAYS = 3 };

/* A word stands here only if what it promises works in every detail. Clients that ask only once do
 * so before login, so nearly all is told there too. */
static const struct {
    const char *words;
    unsigned when;
} capabilities[] = {
    {"IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE UNSELECT CONDSTORE", ALWAYS},
    {"UIDPLUS MOVE MULTIAPPEND BINARY", ALWAYS},
    {"ESEARCH WITHIN SORT ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES", ALWAYS},
    {"CHILDREN SPECIAL-USE LIST-EXTENDED LIST-STATUS STATUS=SIZE OBJECTID", ALWAYS},
    {"SASL-IR", BEFORE_LOGIN},
};

static void put_login(const struct imap_session *s, struct buf *out)
{
    if (session_conn_tls_offered(s->conn))
        buf_puts(out, " STARTTLS");
    if (!session_conn_login_allowed(s->conn))
        buf_puts(out, " LOGINDISABLED");
    session_sasl_list(s->conn, PROTOCOL_IMAP, " AUTH=", "", out);
}

void imap_put_capabilities(const struct imap_session *s, struct buf *out)
{
    unsigned now = s->ticket ? AFTER_LOGIN : BEFORE_LOGIN;
    buf_puts(out, "CAPABILITY");
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        if (capabilities[i].when & now)
            buf_printf(out, " %s", capabilities[i].words);
    }
    buf_printf(out, " APPENDLIMIT=%zu", imap_config(s)->limits.max_message_size);
    if (!s->ticket)
        put_login(s, out);
}
