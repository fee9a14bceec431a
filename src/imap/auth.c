/* Signing in: LOGIN, AUTHENTICATE (RFC 3501 section 6.2, RFC 4959), STARTTLS (RFC 2595). */
#include "commands.h"
#include "respond.h"

#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/base/table.h"

static bool login_allowed(struct imap_session *s, const struct imap_command *c)
{
    if (session_conn_login_allowed(s->conn))
        return true;
    imap_no(s, c, "PRIVACYREQUIRED",
            session_conn_tls_offered(s->conn) ? "no password without TLS: say STARTTLS first"
                                              : "no password without TLS");
    return false;
}

static void answer_refusal(struct imap_session *s, const struct imap_command *c)
{
    imap_no(s, c, "AUTHENTICATIONFAILED", "login refused");
    if (++s->refused < SESSION_REFUSED_MAX)
        return;
    imap_untagged(s, "BYE login refused too often, goodbye");
    s->over = "logins refused";
}

void imap_sign_out(struct imap_session *s)
{
    mailbox_account_release(&s->account);
    session_ticket_release(&s->ticket);
    table_free(&s->tree_asked);
    s->login = NULL;
}

static void open_account(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    struct buf words = BUF_INIT(IMAP_CAPABILITIES_MAX);
    s->login = session_ticket_login(s->ticket);
    s->account = mailbox_account_get(s->mailboxes, session_ticket_principal(s->ticket),
                                     session_ticket_mailbox(s->ticket), &e);
    if (!s->account) {
        imap_sign_out(s);
        imap_fail(s, c, &e);
        return;
    }
    imap_put_capabilities(s, &words);
    imap_done(s, c, buf_str(&words), "logged in");
    buf_free(&words);
}

static void answer_sasl(struct imap_session *s, const struct imap_command *c,
                        enum session_sasl result)
{
    switch (result) {
    case SESSION_SASL_OK:
        break;
    case SESSION_SASL_UNKNOWN:
        imap_no(s, c, "CANNOT", "unknown authentication mechanism, or not here");
        break;
    case SESSION_SASL_CANCELLED:
        imap_bad(s, c, "authentication cancelled");
        break;
    case SESSION_SASL_NOT_BASE64:
        imap_bad(s, c, "not base64");
        break;
    case SESSION_SASL_MALFORMED:
        imap_bad(s, c, "malformed response");
        break;
    case SESSION_SASL_STOP:
        imap_untagged(s, "BYE the service is stopping, try again later");
        s->over = "the service stops";
        break;
    case SESSION_SASL_ENDED: /* the client is gone, or said nothing for too long */
        imap_untagged(s, "BYE the login was not finished, goodbye");
        s->over = "broken off during the login";
        break;
    }
}

/* `exchange`: the SASL one that the credentials came by, NULL: none. */
static void refuse(struct imap_session *s, const struct imap_command *c,
                   const struct session_exchange *exchange)
{
    enum session_sasl told = SESSION_SASL_OK;
    if (exchange)
        told = session_sasl_refused(s->conn, exchange, s->login_deadline_ms);
    if (told == SESSION_SASL_OK)
        answer_refusal(s, c);
    else
        answer_sasl(s, c, told);
}

static void sign_in(struct imap_session *s, const struct imap_command *c,
                    const struct session_credentials *credentials,
                    const struct session_exchange *exchange)
{
    enum session_login result =
        session_login_check(s->conn, PROTOCOL_IMAP, credentials, &s->ticket);
    /* The delays before an answer are ours; what follows has its time anew. */
    s->login_deadline_ms = clock_mono_ms() + s->config->limits.login_timeout_ms;
    switch (result) {
    case SESSION_LOGIN_OK:
        open_account(s, c);
        break;
    case SESSION_LOGIN_REFUSED:
        refuse(s, c, exchange);
        break;
    case SESSION_LOGIN_BUSY:
        imap_no(s, c, "UNAVAILABLE", "too many sessions or attempts, try again later");
        break;
    case SESSION_LOGIN_UNAVAILABLE:
        imap_no(s, c, "UNAVAILABLE",
                "Microsoft 365 cannot be asked about the token now, try again later");
        break;
    case SESSION_LOGIN_ENDED:
        s->over = "broken off during the login";
        break;
    }
}

void imap_login(struct imap_session *s, const struct imap_command *c)
{
    const struct session_credentials credentials = {
        .mechanism = "LOGIN command",
        .proof = SESSION_PROOF_PASSWORD,
        .name = imap_arg_astring(&c->args[0]),
        .secret = c->count == 2 ? imap_arg_astring(&c->args[1]) : NULL};
    if (!credentials.name || !credentials.secret)
        imap_bad(s, c, "LOGIN takes a name and a password");
    else if (login_allowed(s, c))
        sign_in(s, c, &credentials, NULL);
}

/* ---- AUTHENTICATE ---- */

void imap_authenticate(struct imap_session *s, const struct imap_command *c)
{
    const char *mechanism = imap_arg_astring(&c->args[0]);
    const char *initial = c->count == 2 ? imap_arg_astring(&c->args[1]) : NULL;
    struct session_exchange exchange;
    if (!mechanism || c->count > 2 || (c->count == 2 && !initial)) {
        imap_bad(s, c, "AUTHENTICATE takes a mechanism and perhaps its first response");
        return;
    }
    if (!login_allowed(s, c))
        return;
    enum session_sasl result = session_sasl_ask(s->conn, PROTOCOL_IMAP, mechanism, initial,
                                                s->login_deadline_ms, &exchange);
    if (result == SESSION_SASL_OK)
        sign_in(s, c, &exchange.credentials, &exchange);
    else
        answer_sasl(s, c, result);
    session_exchange_free(&exchange);
}

/* ---- STARTTLS ---- */

void imap_starttls(struct imap_session *s, const struct imap_command *c)
{
    struct error e = ERROR_INIT;
    if (c->count) {
        imap_bad(s, c, "STARTTLS takes no arguments");
        return;
    }
    if (!session_conn_tls_offered(s->conn)) {
        imap_bad(s, c,
                 session_conn_tls_active(s->conn) ? "TLS is active already"
                                                  : "TLS is not offered here");
        return;
    }
    imap_done(s, c, NULL, "begin TLS");
    if (!session_conn_starttls(s->conn, &e)) {
        log_error_value(LOG_LEVEL_INFO, &e, "STARTTLS from %s failed",
                        session_conn_address(s->conn));
        s->over = "a failed TLS handshake";
    }
}
