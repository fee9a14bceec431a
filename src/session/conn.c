#include "postern/session/conn.h"

#include "address.h"
#include "transport.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/clock.h"
#include "postern/session/inventory.h"
#include "postern/session/tls.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_CHUNK  4096
#define FIRST_CHUNK 512 /* after an idle time */
#define OUTPUT_MAX  ((size_t)64 * 1024)
#define ID_SIZE     24
#define INPUT_SLACK (READ_CHUNK + 2) /* what one read may add to a line that is not over */

struct session_conn {
    struct transport io;
    struct buf in;                         /* freed while idle; wiped, since it held passwords */
    size_t in_pos;                         /* where the next line starts */
    size_t taken;                          /* bytes handed out last, a line's end included */
    char edges[2 * SESSION_LINE_EDGE + 1]; /* both ends of a line that was too long */
    size_t edges_len;
    struct buf out;
    bool failed; /* writing is over */
    bool tls_here;
    struct session_tls_facts tls_facts; /* once it is here */
    enum config_tls_mode tls_mode;
    struct session_tls *tls;
    bool plaintext_login;
    bool listed;
    struct session_gate *gate;
    struct inventory_client *client;
    int64_t handshake_timeout_ms;
    int64_t write_timeout_ms;
    struct sockaddr_storage peer;
    char id[ID_SIZE];
    char address[ADDRESS_SIZE];
    atomic_uint_least64_t bytes_in;
    atomic_uint_least64_t bytes_out;
    pthread_mutex_t state_lock;
    char state[SESSION_STATE_SIZE];
};

struct session_conn *session_conn_new(int fd, const struct session_conn_settings *s,
                                      struct error *e)
{
    struct session_conn *c = xcalloc(1, sizeof *c);
    c->client = s->client;
    if (!transport_open(&c->io, fd, s->stop, e)) {
        inventory_client_end(&c->client, 0, 0);
        free(c);
        return NULL;
    }
    buf_init(&c->in, SESSION_LINE_MAX + INPUT_SLACK);
    buf_init(&c->out, OUTPUT_MAX);
    session_conn_set_client(c, s->address, s->address_len, s->plaintext_login);
    snprintf(c->id, sizeof c->id, "%s", s->id);
    c->tls_mode = s->tls_mode;
    c->tls = session_tls_ref(s->tls);
    c->listed = s->listed;
    c->gate = s->gate;
    c->handshake_timeout_ms = s->handshake_timeout_ms;
    c->write_timeout_ms = s->write_timeout_ms;
    pthread_mutex_init(&c->state_lock, NULL);
    return c;
}

void session_conn_set_client(struct session_conn *c, const struct sockaddr *address,
                             socklen_t address_len, bool plaintext_login)
{
    memset(&c->peer, 0, sizeof c->peer);
    memcpy(&c->peer, address, address_len < sizeof c->peer ? address_len : sizeof c->peer);
    address_format((const struct sockaddr *)&c->peer, c->address);
    c->plaintext_login = plaintext_login;
    inventory_peer(c->client, address);
}

void session_conn_free(struct session_conn **conn)
{
    struct session_conn *c = *conn;
    if (!c)
        return;
    size_t put;
    if (!c->failed && c->out.len)
        transport_write(&c->io, c->out.data, c->out.len, 0, &put);
    inventory_client_end(&c->client, c->bytes_in, c->bytes_out);
    transport_close(&c->io);
    session_tls_unref(&c->tls);
    buf_free_secret(&c->in);
    buf_free(&c->out);
    pthread_mutex_destroy(&c->state_lock);
    free(c);
    *conn = NULL;
}

/* ---- input ---- */

/* Forgets what was handed out last. */
static void drop_taken(struct session_conn *c)
{
    explicit_bzero(c->edges, c->edges_len);
    c->edges_len = 0;
    if (!c->taken)
        return;
    explicit_bzero(c->in.data + c->in_pos, c->taken);
    c->in_pos += c->taken;
    c->taken = 0;
    if (c->in_pos == c->in.len) {
        buf_clear(&c->in);
        c->in_pos = 0;
    }
}

static enum session_line line_result(enum transport_result r)
{
    switch (r) {
    case TRANSPORT_OK:
        return SESSION_LINE_OK;
    case TRANSPORT_EOF:
        return SESSION_LINE_EOF;
    case TRANSPORT_TIMEOUT:
        return SESSION_LINE_TIMEOUT;
    case TRANSPORT_STOP:
        return SESSION_LINE_STOP;
    case TRANSPORT_NOTIFIED:
        return SESSION_LINE_NOTIFIED;
    case TRANSPORT_FAILED:
        break;
    }
    return SESSION_LINE_FAILED;
}

bool session_conn_raw(struct session_conn *c, void *data, size_t max, int64_t deadline_ms,
                      size_t *got, struct error *e)
{
    switch (transport_read(&c->io, data, max, deadline_ms, false, got)) {
    case TRANSPORT_OK:
        return true;
    case TRANSPORT_TIMEOUT:
        return error_set(e, ERROR_TIMEOUT, "it did not come in time");
    default:
        return error_set(e, ERROR_CANCELED, "the connection was closed before");
    }
}

/* Reads more behind what is there. Between lines the buffer is made only when bytes have come, so
 * that an idle connection holds none; a piece on the stack serves for the first of them. */
static enum session_line fill(struct session_conn *c, int64_t deadline, bool literal, bool notice)
{
    char piece[FIRST_CHUNK];
    size_t got = 0;
    if (c->in_pos) {
        buf_consume(&c->in, c->in_pos);
        c->in_pos = 0;
    }
    bool idle = c->in.len == 0 && !literal;
    if (idle)
        buf_free_secret(&c->in);
    else
        buf_reserve(&c->in, READ_CHUNK);
    if (c->out.len == 0)
        buf_free(&c->out);
    char *to = idle ? piece : c->in.data + c->in.len;
    enum transport_result r =
        transport_read(&c->io, to, idle ? sizeof piece : READ_CHUNK, deadline, notice, &got);
    if (r != TRANSPORT_OK)
        return line_result(r);
    c->bytes_in += got;
    if (idle) {
        /* Room at once: growing step by step would leave unwiped copies behind. */
        buf_reserve(&c->in, READ_CHUNK);
        buf_append(&c->in, piece, got);
        explicit_bzero(piece, got);
    } else {
        c->in.len += got;
        c->in.data[c->in.len] = '\0';
    }
    return SESSION_LINE_OK;
}

/* Of a line that comes in pieces and is dropped, its two ends are kept. */
static void keep_edges(struct session_conn *c, const char *data, size_t len)
{
    char *last = c->edges + SESSION_LINE_EDGE;
    while (len && c->edges_len < SESSION_LINE_EDGE) {
        c->edges[c->edges_len++] = *data++;
        len--;
    }
    if (len > SESSION_LINE_EDGE) {
        data += len - SESSION_LINE_EDGE;
        len = SESSION_LINE_EDGE;
    }
    size_t room = 2 * SESSION_LINE_EDGE - c->edges_len;
    if (len > room) {
        size_t had = c->edges_len - SESSION_LINE_EDGE, surplus = len - room;
        memmove(last, last + surplus, had - surplus);
        c->edges_len -= surplus;
    }
    memcpy(c->edges + c->edges_len, data, len);
    c->edges_len += len;
}

static enum session_line too_long(struct session_conn *c, char **line, size_t *len)
{
    c->edges[c->edges_len] = '\0';
    *line = c->edges;
    *len = c->edges_len;
    return SESSION_LINE_TOO_LONG;
}

/* Hands out the line whose LF is at `end`. */
static enum session_line take(struct session_conn *c, const char *end, size_t max, char **line,
                              size_t *len)
{
    char *start = c->in.data + c->in_pos;
    size_t n = (size_t)(end - start);
    c->taken = n + 1;
    if (n && start[n - 1] == '\r')
        n--;
    start[n] = '\0';
    if (n > max) {
        keep_edges(c, start, n);
        return too_long(c, line, len);
    }
    *line = start;
    *len = n;
    return memchr(start, '\0', n) ? SESSION_LINE_NUL : SESSION_LINE_OK;
}

/* The rest of an overlong line is read and dropped piece by piece; what of it is in the buffer
 * never grows beyond max and one read. */
static enum session_line drop_overlong(struct session_conn *c, int64_t deadline, char **line,
                                       size_t *len)
{
    size_t dropped = 0;
    for (;;) {
        char *start = c->in.data + c->in_pos;
        char *end = memchr(start, '\n', c->in.len - c->in_pos);
        size_t n = end ? (size_t)(end - start) : c->in.len - c->in_pos;
        keep_edges(c, start, end && n && end[-1] == '\r' ? n - 1 : n);
        if (end) {
            if (n == 0 && c->edges[c->edges_len - 1] == '\r') /* its CR came in the piece before */
                c->edges_len--;
            c->taken = n + 1;
            return too_long(c, line, len);
        }
        dropped += n;
        if (dropped > SESSION_LINE_ENDLESS)
            return SESSION_LINE_FAILED;
        c->in_pos = c->in.len;
        enum session_line r = fill(c, deadline, false, false);
        if (r != SESSION_LINE_OK)
            return r;
    }
}

static enum session_line read_line(struct session_conn *c, size_t max, int64_t timeout_ms,
                                   bool notice, char **line, size_t *len)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    size_t seen = 0; /* bytes of this line known to hold no LF */
    drop_taken(c);
    if (session_conn_stopping(c))
        return SESSION_LINE_STOP;
    for (;;) {
        size_t have = c->in.len - c->in_pos;
        char *start = have ? c->in.data + c->in_pos : NULL;
        char *end = have > seen ? memchr(start + seen, '\n', have - seen) : NULL;
        if (end)
            return take(c, end, max, line, len);
        if (have > max + 1) /* a CR may stand before the LF that is still to come */
            return drop_overlong(c, deadline, line, len);
        seen = have;
        if (!session_conn_flush(c))
            return SESSION_LINE_FAILED;
        enum session_line r = fill(c, deadline, false, notice);
        if (r != SESSION_LINE_OK)
            return r;
    }
}

enum session_line session_conn_line(struct session_conn *c, size_t max, int64_t timeout_ms,
                                    char **line, size_t *len)
{
    return read_line(c, max, timeout_ms, false, line, len);
}

enum session_line session_conn_line_or_notice(struct session_conn *c, size_t max,
                                              int64_t timeout_ms, char **line, size_t *len)
{
    return read_line(c, max, timeout_ms, true, line, len);
}

enum session_line session_conn_bytes(struct session_conn *c, size_t max, int64_t timeout_ms,
                                     const char **data, size_t *len)
{
    drop_taken(c);
    if (session_conn_stopping(c))
        return SESSION_LINE_STOP;
    if (c->in.len == c->in_pos) {
        if (!session_conn_flush(c))
            return SESSION_LINE_FAILED;
        enum session_line r = fill(c, clock_mono_ms() + timeout_ms, true, false);
        if (r != SESSION_LINE_OK)
            return r;
    }
    size_t have = c->in.len - c->in_pos;
    *data = c->in.data + c->in_pos;
    *len = c->taken = have < max ? have : max;
    return SESSION_LINE_OK;
}

/* ---- output ---- */

bool session_conn_flush(struct session_conn *c)
{
    size_t sent = 0;
    while (!c->failed && sent < c->out.len) {
        size_t put = 0;
        int64_t deadline = clock_mono_ms() + c->write_timeout_ms;
        if (transport_write(&c->io, c->out.data + sent, c->out.len - sent, deadline, &put) !=
            TRANSPORT_OK)
            c->failed = true;
        sent += put;
        c->bytes_out += put;
    }
    buf_clear(&c->out);
    return !c->failed;
}

bool session_conn_write(struct session_conn *c, const void *data, size_t len)
{
    const char *from = data;
    while (len && !c->failed) {
        size_t room = OUTPUT_MAX - c->out.len;
        size_t n = len < room ? len : room;
        buf_append(&c->out, from, n);
        from += n;
        len -= n;
        if (c->out.len == OUTPUT_MAX)
            session_conn_flush(c);
    }
    return !c->failed;
}

bool session_conn_printf(struct session_conn *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = xvasprintf(fmt, ap);
    va_end(ap);
    bool ok = session_conn_write(c, text, strlen(text));
    free(text);
    return ok;
}

/* ---- TLS ---- */

bool session_conn_starttls(struct session_conn *c, struct error *e)
{
    if (!c->tls || c->tls_here)
        return error_set(e, ERROR_LOCAL, "TLS is not offered on this connection");
    if (!session_conn_flush(c))
        return error_set(e, ERROR_CANCELED, "the client is gone");
    buf_free_secret(&c->in);
    c->in_pos = c->taken = 0;
    int64_t deadline = clock_mono_ms() + c->handshake_timeout_ms;
    if (!transport_handshake(&c->io, c->tls, deadline, e)) {
        c->failed = true;
        if (c->io.ssl)
            inventory_tls_failed(c->client, session_tls_offered(c->io.ssl), e->text);
        return false;
    }
    session_tls_describe(c->io.ssl, &c->tls_facts);
    inventory_tls(c->client, c->tls_facts.number, c->tls_facts.cipher);
    c->tls_here = true;
    return true;
}

bool session_conn_tls_active(const struct session_conn *c)
{
    return c->tls_here;
}

const char *session_conn_tls_version(const struct session_conn *c)
{
    return c->tls_facts.version;
}

const char *session_conn_client_fingerprint(const struct session_conn *c)
{
    return c->tls_facts.fingerprint[0] ? c->tls_facts.fingerprint : NULL;
}

bool session_conn_tls_offered(const struct session_conn *c)
{
    return c->tls && c->tls_mode == TLS_STARTTLS && !c->tls_here;
}

bool session_conn_login_allowed(const struct session_conn *c)
{
    return c->tls_here || c->plaintext_login;
}

bool session_conn_listed(const struct session_conn *c)
{
    return c->listed;
}

/* ---- what it is ---- */

struct wait *session_conn_wait(struct session_conn *c)
{
    return &c->io.wait;
}

const char *session_conn_id(const struct session_conn *c)
{
    return c->id;
}

const char *session_conn_address(const struct session_conn *c)
{
    return c->address;
}

const struct sockaddr *session_conn_sockaddr(const struct session_conn *c)
{
    return (const struct sockaddr *)&c->peer;
}

struct session_gate *session_conn_gate(const struct session_conn *c)
{
    return c->gate;
}

struct inventory_client *session_conn_client(const struct session_conn *c)
{
    return c->client;
}

void session_conn_leave_client(struct session_conn *c)
{
    inventory_client_leave(c->client, c->bytes_in, c->bytes_out);
}

void session_conn_set_state(struct session_conn *c, const char *state)
{
    pthread_mutex_lock(&c->state_lock);
    snprintf(c->state, sizeof c->state, "%s", state);
    pthread_mutex_unlock(&c->state_lock);
}

void session_conn_state(struct session_conn *c, char out[SESSION_STATE_SIZE])
{
    pthread_mutex_lock(&c->state_lock);
    memcpy(out, c->state, SESSION_STATE_SIZE);
    pthread_mutex_unlock(&c->state_lock);
}

bool session_conn_stopping(const struct session_conn *c)
{
    return atomic_load(&c->io.stop->asked) || atomic_load(&c->io.stop->now);
}

uint64_t session_conn_bytes_in(const struct session_conn *c)
{
    return c->bytes_in;
}

uint64_t session_conn_bytes_out(const struct session_conn *c)
{
    return c->bytes_out;
}
