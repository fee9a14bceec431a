/* Signing in: USER and PASS, APOP (RFC 1939), AUTH (RFC 5034), and the way to the maildrop. */
#include "respond.h"
#include "session.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mailbox/view.h"

#include <stdlib.h>
#include <string.h>

static bool login_allowed(struct pop3_session *s)
{
    if (session_conn_login_allowed(s->conn))
        return true;
    session_conn_printf(s->conn, session_conn_tls_offered(s->conn)
                                     ? "-ERR [AUTH] no password without TLS: say STLS first\r\n"
                                     : "-ERR [AUTH] no password without TLS\r\n");
    return false;
}

/* ---- the maildrop ---- */

static void fail_open(struct pop3_session *s, const struct error *e, bool first)
{
    char line[POP3_REPLY_MAX];
    log_error_value(first && e->kind == ERROR_TIMEOUT ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, e,
                    "opening the mailbox failed");
    pop3_error_line(e, first, line);
    session_conn_printf(s->conn, "%s", line);
}

/* Has the folder been read before? Else what is waited for is its first synchronisation. */
static bool read_before(struct mailbox_folder *folder)
{
    struct mailbox_view *view = mailbox_folder_view(folder);
    bool known = view != NULL;
    if (view)
        mailbox_view_unref(&view);
    return known;
}

/* Opens the account and folder, waits for one sync round and takes the snapshot. */
static bool open_maildrop(struct pop3_session *s)
{
    const struct config_login *l = s->login;
    const struct config_limits *limits = &session_ticket_config(s->ticket)->limits;
    struct wait *w = session_conn_wait(s->conn);
    struct error e = ERROR_INIT;
    bool first = false;
    w->deadline_ms = clock_mono_ms() + limits->request_timeout_ms;
    s->account = mailbox_account_get(s->mailboxes, session_ticket_principal(s->ticket),
                                     session_ticket_mailbox(s->ticket), &e);
    if (s->account)
        s->folder = mailbox_folder_open(s->account, l->folder, w, &e);
    if (s->folder) {
        first = !read_before(s->folder);
        w->deadline_ms =
            clock_mono_ms() + (first ? limits->first_sync_wait_ms : limits->request_timeout_ms);
        if (mailbox_folder_sync(s->folder, l->read_only, w, &e))
            s->drop = pop3_maildrop_open(s->folder, l->serve_since_ms, l->exact_size);
    }
    w->deadline_ms = CLOCK_NEVER;
    if (!s->drop)
        fail_open(s, &e, first);
    return s->drop != NULL;
}

void pop3_sign_out(struct pop3_session *s)
{
    pop3_maildrop_free(&s->drop);
    mailbox_folder_release(&s->folder);
    mailbox_account_release(&s->account);
    session_ticket_release(&s->ticket);
    s->login = NULL;
}

/* ---- the check ---- */

static const char *const sasl_replies[] = {
    [SESSION_SASL_OK] = NULL,
    [SESSION_SASL_UNKNOWN] = "-ERR unknown authentication mechanism, or not here\r\n",
    [SESSION_SASL_CANCELLED] = "-ERR authentication cancelled\r\n",
    [SESSION_SASL_NOT_BASE64] = "-ERR not base64\r\n",
    [SESSION_SASL_MALFORMED] = "-ERR malformed response\r\n",
    [SESSION_SASL_STOP] = "-ERR [SYS/TEMP] the service is stopping\r\n",
    [SESSION_SASL_ENDED] = "",
};

static void answer_sasl(struct pop3_session *s, enum session_sasl result)
{
    session_conn_printf(s->conn, "%s", sasl_replies[result]);
    if (result == SESSION_SASL_STOP)
        s->over = "the service stops";
    else if (result == SESSION_SASL_ENDED)
        s->over = "broken off during the login";
}

static void answer_refusal(struct pop3_session *s)
{
    if (++s->refused < SESSION_REFUSED_MAX) {
        session_conn_printf(s->conn, "-ERR [AUTH] login refused\r\n");
        return;
    }
    session_conn_printf(s->conn, "-ERR [AUTH] login refused, too often now, goodbye\r\n");
    s->over = "logins refused";
}

/* `exchange`: the SASL one that the credentials came by, NULL: none. */
static void refuse(struct pop3_session *s, const struct session_exchange *exchange)
{
    enum session_sasl told = SESSION_SASL_OK;
    if (exchange)
        told = session_sasl_refused(s->conn, exchange, s->login_deadline_ms);
    if (told == SESSION_SASL_OK)
        answer_refusal(s);
    else
        answer_sasl(s, told);
}

static void sign_in(struct pop3_session *s, const struct session_credentials *credentials,
                    const struct session_exchange *exchange)
{
    enum session_login result =
        session_login_check(s->conn, PROTOCOL_POP3, credentials, &s->ticket);
    /* The delays before an answer are ours; what follows has its time anew. */
    s->login_deadline_ms = clock_mono_ms() + s->config->limits.login_timeout_ms;
    switch (result) {
    case SESSION_LOGIN_REFUSED:
        refuse(s, exchange);
        return;
    case SESSION_LOGIN_BUSY:
        session_conn_printf(s->conn, "-ERR [SYS/TEMP] too many sessions or attempts, try again "
                                     "later\r\n");
        return;
    case SESSION_LOGIN_UNAVAILABLE:
        session_conn_printf(s->conn, "-ERR [SYS/TEMP] Microsoft 365 cannot be asked about the "
                                     "token now, try again later\r\n");
        return;
    case SESSION_LOGIN_ENDED:
        s->over = "broken off during the login";
        return;
    case SESSION_LOGIN_OK:
        break;
    }
    s->login = session_ticket_login(s->ticket);
    if (open_maildrop(s))
        session_conn_printf(s->conn, "+OK %zu messages\r\n", pop3_maildrop_count(s->drop));
    else
        pop3_sign_out(s);
}

/* ---- USER and PASS ---- */

void pop3_user(struct pop3_session *s, const struct pop3_command *c)
{
    if (!login_allowed(s))
        return;
    free(s->user);
    s->user = xstrdup(c->text);
    session_conn_printf(s->conn, "+OK now the password\r\n"); /* whether it exists or not */
}

void pop3_pass(struct pop3_session *s, const struct pop3_command *c)
{
    if (!login_allowed(s))
        return;
    if (!s->user) {
        session_conn_printf(s->conn, "-ERR say USER first\r\n");
        return;
    }
    char *name = s->user;
    s->user = NULL; /* RFC 1939 section 7: after a failure USER comes first again */
    const struct session_credentials credentials = {
        .mechanism = "PASS", .proof = SESSION_PROOF_PASSWORD, .name = name, .secret = c->text};
    sign_in(s, &credentials, NULL);
    explicit_bzero(c->text, strlen(c->text));
    free(name);
}

/* ---- APOP ---- */

void pop3_apop(struct pop3_session *s, const struct pop3_command *c)
{
    const struct session_credentials credentials = {.mechanism = "APOP",
                                                    .proof = SESSION_PROOF_APOP,
                                                    .name = c->text,
                                                    .secret = c->initial,
                                                    .challenge = s->timestamp};
    if (!login_allowed(s))
        return;
    if (*s->timestamp)
        sign_in(s, &credentials, NULL);
    else
        session_conn_printf(s->conn, "-ERR no login has APOP here\r\n");
}

/* ---- AUTH ---- */

static void authenticate(struct pop3_session *s, const struct pop3_command *c)
{
    struct session_exchange exchange;
    enum session_sasl result = session_sasl_ask(s->conn, PROTOCOL_POP3, c->text, c->initial,
                                                s->login_deadline_ms, &exchange);
    if (result == SESSION_SASL_OK)
        sign_in(s, &exchange.credentials, &exchange);
    else
        answer_sasl(s, result);
    session_exchange_free(&exchange);
}

void pop3_auth(struct pop3_session *s, const struct pop3_command *c)
{
    struct buf names = BUF_INIT(POP3_MECHANISMS_MAX);
    if (c->text) {
        if (login_allowed(s))
            authenticate(s, c);
        return;
    }
    session_sasl_list(s->conn, PROTOCOL_POP3, "", "\r\n", &names);
    session_conn_printf(s->conn, "+OK mechanisms follow\r\n%s.\r\n", buf_str(&names));
    buf_free(&names);
}
