#include <config.h>

#include "session.h"

#include "respond.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/pop3/pop3.h"
#include "postern/session/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 2449 section 4: 255 octets; one line more generous costs nothing. */
#define LINE_MAX_OCTETS 510
/* RFC 5034 section 4: an initial response may be this long. */
#define AUTH_LINE_MAX 12288
/* Whoever sends this many in a row does not speak POP3. */
#define BAD_COMMANDS_MAX 20

enum state { AUTHORIZATION = 1, TRANSACTION = 2, ANY = 3 };

static void capa(struct pop3_session *s, const struct pop3_command *c);
static void stls(struct pop3_session *s, const struct pop3_command *c);

static const struct {
    void (*run)(struct pop3_session *s, const struct pop3_command *c);
    enum state state;
} handlers[POP3_VERBS] = {
    [POP3_APOP] = {pop3_apop, AUTHORIZATION},
    [POP3_AUTH] = {pop3_auth, AUTHORIZATION},
    [POP3_CAPA] = {capa, ANY},
    [POP3_DELE] = {pop3_dele, TRANSACTION},
    [POP3_LIST] = {pop3_list, TRANSACTION},
    [POP3_NOOP] = {pop3_noop, TRANSACTION},
    [POP3_PASS] = {pop3_pass, AUTHORIZATION},
    [POP3_QUIT] = {pop3_quit, ANY},
    [POP3_RETR] = {pop3_retr, TRANSACTION},
    [POP3_RSET] = {pop3_rset, TRANSACTION},
    [POP3_STAT] = {pop3_stat, TRANSACTION},
    [POP3_STLS] = {stls, AUTHORIZATION},
    [POP3_TOP] = {pop3_top, TRANSACTION},
    [POP3_UIDL] = {pop3_uidl, TRANSACTION},
    [POP3_USER] = {pop3_user, AUTHORIZATION},
};

static const char *const syntax_replies[] = {
    [POP3_SYNTAX_OK] = NULL,
    [POP3_SYNTAX_VERB] = "-ERR unknown command\r\n",
    [POP3_SYNTAX_NUMBER] = "-ERR a number is needed here\r\n",
    [POP3_SYNTAX_MISSING] = "-ERR an argument is missing\r\n",
    [POP3_SYNTAX_SURPLUS] = "-ERR too many arguments\r\n",
};

static void capa(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    session_conn_printf(s->conn, "+OK capabilities follow\r\n"
                                 "TOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"
                                 "EXPIRE NEVER\r\n");
    if (!s->ticket && session_conn_tls_offered(s->conn))
        session_conn_printf(s->conn, "STLS\r\n");
    if (session_conn_login_allowed(s->conn)) {
        struct buf names = BUF_INIT(POP3_MECHANISMS_MAX);
        session_sasl_list(s->conn, PROTOCOL_POP3, " ", "", &names);
        session_conn_printf(s->conn, "USER\r\nSASL%s\r\n", buf_str(&names));
        buf_free(&names);
    }
    /* The version is nobody's business before login. */
    session_conn_printf(s->conn, "IMPLEMENTATION Postern%s\r\n.\r\n",
                        s->ticket ? "-" PACKAGE_VERSION : "");
}

static void stls(struct pop3_session *s, const struct pop3_command *c)
{
    struct error e = ERROR_INIT;
    (void)c;
    if (!session_conn_tls_offered(s->conn)) {
        session_conn_printf(s->conn, session_conn_tls_active(s->conn)
                                         ? "-ERR TLS is active already\r\n"
                                         : "-ERR TLS is not offered here\r\n");
        return;
    }
    session_conn_printf(s->conn, "+OK begin TLS\r\n");
    /* RFC 2595 section 4: what was said before the handshake does not count. */
    free(s->user);
    s->user = NULL;
    if (!session_conn_starttls(s->conn, &e)) {
        log_error_value(LOG_LEVEL_INFO, &e, "STLS from %s failed", session_conn_address(s->conn));
        s->over = "a failed TLS handshake";
    }
}

static void count_bad(struct pop3_session *s)
{
    if (++s->bad_commands < BAD_COMMANDS_MAX)
        return;
    session_conn_printf(s->conn, "-ERR too many bad commands, goodbye\r\n");
    s->over = "too many bad commands";
}

static void note_state(struct pop3_session *s, const struct pop3_command *c)
{
    char state[SESSION_STATE_SIZE];
    if (c->number != POP3_NO_NUMBER)
        snprintf(state, sizeof state, "%s %llu", pop3_verb_name(c->verb),
                 (unsigned long long)c->number);
    else
        snprintf(state, sizeof state, "%s", pop3_verb_name(c->verb));
    session_conn_set_state(s->conn, state);
}

static void run_command(struct pop3_session *s, char *line, size_t len)
{
    struct pop3_command c;
    enum state state = s->ticket ? TRANSACTION : AUTHORIZATION;
    pop3_parse(line, &c);
    if (len > LINE_MAX_OCTETS && c.verb != POP3_AUTH) {
        session_conn_printf(s->conn, "-ERR the line is too long\r\n");
        count_bad(s);
    } else if (c.syntax != POP3_SYNTAX_OK) {
        if (c.syntax == POP3_SYNTAX_VERB)
            inventory_command(session_conn_client(s->conn), INVENTORY_UNKNOWN);
        session_conn_printf(s->conn, "%s", syntax_replies[c.syntax]);
        count_bad(s);
    } else if (!(handlers[c.verb].state & state)) {
        session_conn_printf(s->conn, "-ERR %s is valid %s login only\r\n", pop3_verb_name(c.verb),
                            state == TRANSACTION ? "before" : "after");
        count_bad(s);
    } else {
        s->bad_commands = 0;
        note_state(s, &c);
        inventory_command(session_conn_client(s->conn), pop3_verb_name(c.verb));
        handlers[c.verb].run(s, &c);
        session_conn_set_state(s->conn, "idle");
    }
}

static int64_t line_timeout(const struct pop3_session *s)
{
    if (s->ticket)
        return session_ticket_config(s->ticket)->limits.idle_timeout_ms;
    int64_t left = s->login_deadline_ms - clock_mono_ms();
    return left > 0 ? left : 0;
}

/* Reads one command and answers it. */
static void next_command(struct pop3_session *s)
{
    char *line;
    size_t len;
    switch (session_conn_line(s->conn, AUTH_LINE_MAX, line_timeout(s), &line, &len)) {
    case SESSION_LINE_OK:
        run_command(s, line, len);
        return;
    case SESSION_LINE_TOO_LONG:
        session_conn_printf(s->conn, "-ERR the line is too long\r\n");
        count_bad(s);
        return;
    case SESSION_LINE_NUL:
        session_conn_printf(s->conn, "-ERR a NUL byte has no place in a command\r\n");
        count_bad(s);
        return;
    case SESSION_LINE_TIMEOUT:
        s->over = "silence"; /* RFC 1939 section 3: without a word, deleting nothing */
        break;
    case SESSION_LINE_STOP:
        session_conn_printf(s->conn, "-ERR [SYS/TEMP] the service is stopping\r\n");
        s->over = "the service stops";
        break;
    case SESSION_LINE_EOF:
        s->over = "the client without QUIT";
        break;
    case SESSION_LINE_NOTIFIED: /* only where it is asked for */
    case SESSION_LINE_FAILED:
        s->over = "a broken connection";
        break;
    }
}

/* A probe that never logs in is worth no line of an ordinary log. */
static void log_end(const struct pop3_session *s)
{
    size_t marked = s->drop ? pop3_maildrop_marked_count(s->drop) : 0;
    log_write(s->ticket ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
              "session ended after %lld s by %s: %u retrieved, %u deleted of %zu marked, "
              "%llu bytes received, %llu bytes sent",
              (long long)((clock_mono_ms() - s->began_ms) / CLOCK_SECOND), s->over, s->retrieved,
              s->deleted, marked, (unsigned long long)session_conn_bytes_in(s->conn),
              (unsigned long long)session_conn_bytes_out(s->conn));
}

/* With a timestamp where a login may sign in with APOP (RFC 1939 section 7), also by the TLS that
 * is still to come, since there is no second greeting. */
static void greet(struct pop3_session *s)
{
    unsigned proofs = session_login_proofs(s->conn, PROTOCOL_POP3);
    if ((proofs & 1u << SESSION_PROOF_APOP) &&
        (session_conn_login_allowed(s->conn) || session_conn_tls_offered(s->conn)))
        session_challenge(s->timestamp);
    session_conn_printf(s->conn, "+OK Postern is ready%s%s\r\n", *s->timestamp ? " " : "",
                        s->timestamp);
}

static void run(struct session_conn *conn, struct mailbox_registry *mailboxes,
                const struct config *config)
{
    struct pop3_session s = {.conn = conn,
                             .mailboxes = mailboxes,
                             .config = config,
                             .began_ms = clock_mono_ms(),
                             .login_deadline_ms =
                                 clock_mono_ms() + config->limits.login_timeout_ms};
    session_conn_set_state(conn, "idle");
    greet(&s);
    while (!s.over)
        next_command(&s);
    session_conn_flush(conn);
    log_end(&s);
    pop3_sign_out(&s);
    free(s.user);
}

const struct session_protocol pop3_protocol = {
    .protocol = PROTOCOL_POP3,
    .run = run,
    .too_many = "-ERR [SYS/TEMP] too many connections, try again later\r\n",
};
