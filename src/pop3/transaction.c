/* The commands that answer from the snapshot. */
#include "respond.h"
#include "session.h"

#include "postern/base/clock.h"

#include <stdlib.h>

bool pop3_named_message(struct pop3_session *s, const struct pop3_command *c, size_t *index)
{
    size_t count = pop3_maildrop_count(s->drop);
    if (c->number == 0 || c->number > count) {
        session_conn_printf(s->conn, "-ERR no such message, there are %zu\r\n", count);
        return false;
    }
    *index = (size_t)c->number - 1;
    if (!pop3_maildrop_marked(s->drop, *index))
        return true;
    session_conn_printf(s->conn, "-ERR message %zu is marked as deleted\r\n", *index + 1);
    return false;
}

/* How long exact sizes may take: clients give up on a silent server after a minute or so. */
static struct wait *size_wait(struct pop3_session *s)
{
    const struct config_limits *limits = &session_ticket_config(s->ticket)->limits;
    struct wait *w = session_conn_wait(s->conn);
    w->deadline_ms = s->login->exact_size == EXACT_SIZE_YES
                         ? CLOCK_NEVER
                         : clock_mono_ms() + limits->first_sync_wait_ms;
    return w;
}

static bool settle_sizes(struct pop3_session *s, const size_t *one)
{
    struct error e = ERROR_INIT;
    struct wait *w = size_wait(s);
    bool ok =
        one ? pop3_maildrop_settle_one(s->drop, *one, w, &e) : pop3_maildrop_settle(s->drop, w, &e);
    w->deadline_ms = CLOCK_NEVER;
    if (!ok)
        pop3_fail(s->conn, &e, "finding out sizes");
    return ok;
}

void pop3_stat(struct pop3_session *s, const struct pop3_command *c)
{
    size_t count;
    uint64_t octets;
    (void)c;
    if (!settle_sizes(s, NULL))
        return;
    pop3_maildrop_total(s->drop, &count, &octets);
    session_conn_printf(s->conn, "+OK %zu %llu\r\n", count, (unsigned long long)octets);
}

static void list_all(struct pop3_session *s)
{
    size_t count;
    uint64_t octets;
    if (!settle_sizes(s, NULL))
        return;
    pop3_maildrop_total(s->drop, &count, &octets);
    session_conn_printf(s->conn, "+OK %zu messages (%llu octets)\r\n", count,
                        (unsigned long long)octets);
    for (size_t i = 0; i < pop3_maildrop_count(s->drop); i++) {
        if (!pop3_maildrop_marked(s->drop, i) &&
            !session_conn_printf(s->conn, "%zu %llu\r\n", i + 1,
                                 (unsigned long long)pop3_maildrop_size(s->drop, i)))
            return;
    }
    session_conn_printf(s->conn, ".\r\n");
}

void pop3_list(struct pop3_session *s, const struct pop3_command *c)
{
    size_t index;
    if (c->number == POP3_NO_NUMBER)
        list_all(s);
    else if (pop3_named_message(s, c, &index) && settle_sizes(s, &index))
        session_conn_printf(s->conn, "+OK %zu %llu\r\n", index + 1,
                            (unsigned long long)pop3_maildrop_size(s->drop, index));
}

static void uidl_all(struct pop3_session *s)
{
    char uidl[POP3_UIDL_SIZE];
    session_conn_printf(s->conn, "+OK unique ids follow\r\n");
    for (size_t i = 0; i < pop3_maildrop_count(s->drop); i++) {
        if (pop3_maildrop_marked(s->drop, i))
            continue;
        pop3_maildrop_uidl(s->drop, i, uidl);
        if (!session_conn_printf(s->conn, "%zu %s\r\n", i + 1, uidl))
            return;
    }
    session_conn_printf(s->conn, ".\r\n");
}

void pop3_uidl(struct pop3_session *s, const struct pop3_command *c)
{
    char uidl[POP3_UIDL_SIZE];
    size_t index;
    if (c->number == POP3_NO_NUMBER) {
        uidl_all(s);
    } else if (pop3_named_message(s, c, &index)) {
        pop3_maildrop_uidl(s->drop, index, uidl);
        session_conn_printf(s->conn, "+OK %zu %s\r\n", index + 1, uidl);
    }
}

void pop3_dele(struct pop3_session *s, const struct pop3_command *c)
{
    size_t index;
    if (s->login->read_only) {
        session_conn_printf(s->conn, "-ERR %s%s\r\n", pop3_error_code(ERROR_READ_ONLY),
                            pop3_error_text(ERROR_READ_ONLY));
    } else if (pop3_named_message(s, c, &index)) {
        pop3_maildrop_mark(s->drop, index);
        session_conn_printf(s->conn, "+OK message %zu is marked as deleted\r\n", index + 1);
    }
}

void pop3_rset(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    pop3_maildrop_reset(s->drop);
    session_conn_printf(s->conn, "+OK %zu messages\r\n", pop3_maildrop_count(s->drop));
}

void pop3_noop(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    session_conn_printf(s->conn, "+OK\r\n");
}
