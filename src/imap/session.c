#include "session.h"

#include "read.h"
#include "respond.h"

#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/imap/imap.h"
#include "postern/session/inventory.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Whoever sends this many in a row before login does not speak IMAP. Afterwards nobody is cut
 * off for it. */
#define BAD_COMMANDS_MAX 20
/* Clients give up on a silent server after a minute, some after half of one. */
#define KEEPALIVE_MS    (15 * CLOCK_SECOND)
#define IDLE_TIMEOUT_MS (30 * 60 * CLOCK_SECOND) /* RFC 3501 section 5.4: not less */

/* ---- time ---- */

const struct config *imap_config(const struct imap_session *s)
{
    return s->ticket ? session_ticket_config(s->ticket) : s->config;
}

int64_t imap_patience_ms(const struct imap_session *s)
{
    int64_t ms =
        s->ticket ? imap_config(s)->limits.idle_timeout_ms : s->login_deadline_ms - clock_mono_ms();
    if (s->ticket && ms < IDLE_TIMEOUT_MS)
        ms = IDLE_TIMEOUT_MS;
    return ms > 0 ? ms : 0;
}

/* While a command waits. A client that is gone shows where that matters: in the wait itself. */
static bool keep_alive(void *arg)
{
    struct imap_session *s = arg;
    int64_t now = clock_mono_ms();
    if (now < s->keepalive_due_ms)
        return true;
    s->keepalive_due_ms = now + KEEPALIVE_MS;
    imap_untagged(s, "OK still working on it");
    session_conn_flush(s->conn);
    return true;
}

struct wait *imap_wait(struct imap_session *s)
{
    struct wait *w = session_conn_wait(s->conn);
    w->client_fd = s->client_fd;
    w->deadline_ms = CLOCK_NEVER;
    w->tick = keep_alive;
    w->tick_arg = s;
    return w;
}

struct wait *imap_wait_to_end(struct imap_session *s)
{
    struct wait *w = imap_wait(s);
    w->client_fd = -1;
    return w;
}

static void end_wait(struct imap_session *s)
{
    struct wait *w = imap_wait(s);
    w->tick = NULL;
}

/* ---- commands ---- */

/* Takes the name off the arguments: "UID FETCH" is one. False: there is no such command. */
static bool find_verb(struct imap_command *c)
{
    if (imap_arg_is_atom(&c->args[0], "UID") && c->args[1].type == IMAP_ARG_ATOM) {
        c->uid = true;
        c->args++;
        c->count--;
    }
    c->verb = imap_verb_find(c->args[0].text, c->uid);
    c->args++;
    c->count--;
    return c->verb != NULL;
}

/* Why the command cannot be given now; NULL: it can. */
static const char *out_of_place(const struct imap_session *s, const struct imap_verb *v)
{
    if (v->where & IMAP_ANY_STATE)
        return NULL;
    if (v->where & IMAP_NOT_AUTHENTICATED)
        return s->ticket ? "you are logged in already" : NULL;
    if (!s->ticket)
        return "log in first";
    return (v->where & IMAP_SELECTED) && !s->selected ? "select a folder first" : NULL;
}

/* False: it was answered. READ-ONLY is about the selected folder (RFC 3501 section 7.1), which a
 * read-only login can open in no other way; what it may do at all is NOPERM (RFC 5530). */
static bool may_write(struct imap_session *s, const struct imap_command *c)
{
    if (c->verb->where & IMAP_WRITES_ELSEWHERE && s->login->read_only)
        imap_no(s, c, "NOPERM", "this login may only read");
    else if (c->verb->where & IMAP_WRITES && s->selected->read_only)
        imap_no(s, c, "READ-ONLY",
                s->login->read_only ? "this login may only read"
                                    : "the folder was opened by EXAMINE");
    else
        return true;
    return false;
}

static void run_command(struct imap_session *s, struct imap_command *c)
{
    char state[SESSION_STATE_SIZE];
    unsigned bad = s->bad_commands;
    if (!find_verb(c)) {
        inventory_command(session_conn_client(s->conn), INVENTORY_UNKNOWN);
        imap_bad(s, c, "there is no such command");
        return;
    }
    const char *misplaced = out_of_place(s, c->verb);
    if (misplaced) {
        imap_bad(s, c, "%s", misplaced);
        return;
    }
    if (!may_write(s, c))
        return;
    snprintf(state, sizeof state, "%s%s", c->uid ? "UID " : "", c->verb->name);
    session_conn_set_state(s->conn, state);
    inventory_command(session_conn_client(s->conn), state);
    s->keepalive_due_ms = clock_mono_ms() + KEEPALIVE_MS;
    s->commands++;
    c->verb->handle(s, c);
    end_wait(s);
    if (s->bad_commands == bad)
        s->bad_commands = 0;
    session_conn_set_state(s->conn, "idle");
}

/* Reads one command and answers it. */
static void next_command(struct imap_session *s)
{
    struct imap_command c;
    bool secret = !s->ticket;
    if (imap_read(s, &c))
        run_command(s, &c);
    imap_read_end(s);
    if (secret)
        arena_clear_secret(s->arena);
    else
        arena_clear(s->arena);
    if (!s->ticket && !s->over && s->bad_commands >= BAD_COMMANDS_MAX) {
        imap_untagged(s, "BYE too many bad commands, goodbye");
        s->over = "too many bad commands";
    }
}

/* ---- the session ---- */

static void greet(struct imap_session *s)
{
    struct buf words = BUF_INIT(IMAP_CAPABILITIES_MAX);
    imap_put_capabilities(s, &words);
    imap_untagged(s, "OK [%s] Postern is ready", buf_str(&words));
    buf_free(&words);
}

/* A probe that never logs in is worth no line of an ordinary log. */
static void log_end(const struct imap_session *s)
{
    log_write(s->ticket ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG,
              "session ended after %lld s by %s: %u commands, %llu bytes received, "
              "%llu bytes sent",
              (long long)((clock_mono_ms() - s->began_ms) / CLOCK_SECOND), s->over, s->commands,
              (unsigned long long)session_conn_bytes_in(s->conn),
              (unsigned long long)session_conn_bytes_out(s->conn));
}

static void run(struct session_conn *conn, struct mailbox_registry *mailboxes,
                const struct config *config)
{
    int64_t now = clock_mono_ms();
    struct imap_session s = {.conn = conn,
                             .mailboxes = mailboxes,
                             .config = config,
                             .arena = arena_new(),
                             .input = imap_input_new(),
                             .client_fd = session_conn_wait(conn)->client_fd,
                             .began_ms = now,
                             .login_deadline_ms = now + config->limits.login_timeout_ms};
    session_conn_set_state(conn, "idle");
    greet(&s);
    while (!s.over)
        next_command(&s);
    session_conn_flush(conn);
    log_end(&s);
    imap_unselect(&s);
    imap_sign_out(&s);
    imap_input_free(&s.input);
    arena_free(&s.arena);
}

const struct session_protocol imap_protocol = {
    .protocol = PROTOCOL_IMAP,
    .run = run,
    .too_many = "* BYE [UNAVAILABLE] too many connections, try again later\r\n",
};
