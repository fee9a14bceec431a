/* QUIT: the UPDATE state of RFC 1939 section 6. */
#include "respond.h"
#include "session.h"

#include "postern/base/log.h"

#include <stdlib.h>

/* Deletes what is marked. Once QUIT is read this runs to its end, whoever hangs up; only the end
 * of a stop's grace time cuts it short. */
static bool delete_marked(struct pop3_session *s, struct mailbox_delete_result *result,
                          struct error *e)
{
    struct wait *w = session_conn_wait(s->conn);
    int client_fd = w->client_fd;
    size_t count;
    uint32_t *uids = pop3_maildrop_marked_uids(s->drop, &count);
    w->client_fd = -1;
    bool ok = mailbox_delete(s->folder, uids, count, s->login->expunge, w, result, e);
    w->client_fd = client_fd;
    free(uids);
    return ok;
}

static void update(struct pop3_session *s)
{
    struct error e = ERROR_INIT;
    struct mailbox_delete_result result = {0};
    size_t marked = pop3_maildrop_marked_count(s->drop);
    if (marked == 0) {
        session_conn_printf(s->conn, "+OK goodbye\r\n");
        return;
    }
    bool ok = delete_marked(s, &result, &e);
    s->deleted = (unsigned)result.deleted;
    if (ok) {
        session_conn_printf(s->conn, "+OK goodbye, %zu message%s deleted\r\n", result.deleted,
                            result.deleted == 1 ? "" : "s");
        return;
    }
    /* A failure before the first message leaves all of them undone. */
    size_t undone = marked - result.deleted;
    log_error_value(LOG_LEVEL_ERROR, &e, "QUIT: %zu of %zu messages could not be deleted", undone,
                    marked);
    session_conn_printf(s->conn, "-ERR %s%zu of %zu messages could not be deleted: %s%s%s%s\r\n",
                        pop3_error_code(e.kind), undone, marked, pop3_error_text(e.kind),
                        e.request_id[0] ? " (request-id " : "", e.request_id,
                        e.request_id[0] ? ")" : "");
}

void pop3_quit(struct pop3_session *s, const struct pop3_command *c)
{
    (void)c;
    if (s->ticket)
        update(s);
    else
        session_conn_printf(s->conn, "+OK goodbye\r\n");
    s->over = "QUIT";
}
