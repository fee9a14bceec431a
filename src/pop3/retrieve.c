/*
 * RETR and TOP. The body is whole in hand before "+OK" is said (an error is never mail); if
 * reading it from the disk fails half-way, the connection is cut without the final dot, so that
 * no client takes the piece for the message.
 */
#include "respond.h"
#include "session.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/mime/crlf.h"
#include "postern/session/inventory.h"

#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)16 * 1024)
/* A bare CR or LF becomes two bytes, a dot may be doubled behind each. */
#define WIRE_MAX (3 * PIECE + 8)

/* How much of a message is wanted, seen as its wire form goes by. */
struct cut {
    bool whole;    /* RETR: all of it */
    bool in_body;  /* the blank line has gone by */
    bool mid_line; /* the piece before ended inside a line */
    bool after_cr; /* ... with a CR */
    size_t lines;  /* body lines still wanted */
    uint64_t wanted_octets;
};

static struct mailbox_body *fetch(struct pop3_session *s, size_t index, const char *verb)
{
    struct error e = ERROR_INIT;
    struct wait *w = session_conn_wait(s->conn);
    struct mailbox_body *body = pop3_maildrop_body(s->drop, index, w, &e);
    if (!body)
        pop3_fail(s->conn, &e, "%s %zu (UID %u)", verb, index + 1,
                  pop3_maildrop_uid(s->drop, index));
    return body;
}

/* How many bytes of this piece belong to what is wanted; *done: nothing after them does. Works on
 * the wire form, where every line ends with CRLF and a blank line is nothing but that. */
static size_t cut_piece(struct cut *cut, const char *data, size_t len, bool *done)
{
    const char *p = data, *end = data + len;
    *done = false;
    while (!cut->whole && p < end) {
        if (cut->in_body && cut->lines == 0) {
            *done = true;
            break;
        }
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        bool blank = !cut->mid_line && (cut->after_cr ? lf == p : lf == p + 1);
        if (!lf) {
            /* A piece may end between the CR and the LF of a blank line. */
            cut->after_cr = !cut->mid_line && !cut->after_cr && end - p == 1 && *p == '\r';
            cut->mid_line = !cut->after_cr;
            return len;
        }
        cut->mid_line = cut->after_cr = false;
        if (cut->in_body)
            cut->lines--;
        else
            cut->in_body = blank;
        p = lf + 1;
    }
    return cut->whole ? len : (size_t)(p - data);
}

/* Sends a message or its top, without the final dot. False: it could not be read, or is not what
 * was announced. */
static bool send_body(struct pop3_session *s, const struct mailbox_body *body, struct cut *cut,
                      struct error *e)
{
    struct mime_crlf crlf;
    struct buf wire = BUF_INIT(WIRE_MAX);
    char *piece = xmalloc(PIECE);
    uint64_t offset = 0, size = mailbox_body_raw_size(body);
    bool ok = true, done = false;
    mime_crlf_init(&crlf, true);
    while (ok && !done) {
        size_t want = size - offset < PIECE ? (size_t)(size - offset) : PIECE;
        ssize_t n = want ? mailbox_body_read(body, offset, piece, want, e) : 0;
        if (n < 0 || (n == 0 && want)) {
            ok = n < 0 ? false : error_set(e, ERROR_LOCAL, "the stored message ends too early");
            break;
        }
        offset += (uint64_t)n;
        buf_clear(&wire);
        bool last = offset == size;
        ok = mime_crlf_feed(&crlf, piece, (size_t)n, &wire) &&
             (!last || mime_crlf_end(&crlf, &wire));
        if (!ok) {
            error_set(e, ERROR_LOCAL, "a piece of the message does not fit its buffer");
            break;
        }
        size_t keep = cut_piece(cut, buf_str(&wire), wire.len, &done);
        done = done || last;
        if (!session_conn_write(s->conn, buf_str(&wire), keep))
            ok = error_set(e, ERROR_CANCELED, "the client is gone or does not read");
    }
    if (ok && cut->whole && crlf.octets != cut->wanted_octets)
        ok = error_set(e, ERROR_LOCAL, "the stored message has not the size it should have");
    free(piece);
    buf_free(&wire);
    return ok;
}

static bool transmit(struct pop3_session *s, struct mailbox_body *body, struct cut *cut,
                     size_t index)
{
    struct error e = ERROR_INIT;
    bool ok = send_body(s, body, cut, &e);
    if (ok) {
        session_conn_printf(s->conn, ".\r\n");
    } else {
        log_error_value(e.kind == ERROR_CANCELED ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, &e,
                        "message %zu (UID %u) was cut off and the connection closed", index + 1,
                        pop3_maildrop_uid(s->drop, index));
        s->over = "a message that was cut off";
    }
    mailbox_body_unref(&body);
    return ok;
}

void pop3_retr(struct pop3_session *s, const struct pop3_command *c)
{
    size_t index;
    struct mailbox_body *body;
    if (!pop3_named_message(s, c, &index) || !(body = fetch(s, index, "RETR")))
        return;
    struct cut all = {.whole = true, .wanted_octets = mailbox_body_wire_size(body)};
    session_conn_printf(s->conn, "+OK %llu octets\r\n", (unsigned long long)all.wanted_octets);
    if (transmit(s, body, &all, index)) {
        s->retrieved++;
        inventory_fetched(session_conn_client(s->conn), 1);
    }
}

void pop3_top(struct pop3_session *s, const struct pop3_command *c)
{
    size_t index;
    struct mailbox_body *body;
    if (!pop3_named_message(s, c, &index) || !(body = fetch(s, index, "TOP")))
        return;
    struct cut top = {.lines = c->lines > SIZE_MAX ? SIZE_MAX : (size_t)c->lines};
    session_conn_printf(s->conn, "+OK top of message %zu follows\r\n", index + 1);
    transmit(s, body, &top, index);
}
