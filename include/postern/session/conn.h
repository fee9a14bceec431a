/*
 * The connection of one client: buffered lines in, buffered bytes out, TLS, timeouts. Owned by
 * its session thread. Everything blocks; everything ends when the client goes, a timeout passes
 * or the service stops.
 */
#ifndef POSTERN_SESSION_CONN_H
#define POSTERN_SESSION_CONN_H

#include "postern/base/config.h"
#include "postern/base/error.h"
#include "postern/base/wait.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct inventory_client; /* inventory.h */
struct session_conn;
struct session_gate; /* login.h */
struct session_tls;  /* tls.h */

/* How a server stops its connections, in two steps. Whoever sets a flag then notifies the wait of
 * each connection. */
struct session_stop {
    atomic_bool asked; /* no new commands: session_conn_line() says SESSION_LINE_STOP */
    atomic_bool now;   /* waits are cancelled, writes fail */
};

struct session_conn_settings {
    const char *id; /* copied */
    const struct sockaddr *address;
    socklen_t address_len;
    enum config_tls_mode tls_mode;
    struct session_tls *tls;         /* NULL: no certificate, TLS is not offered */
    bool plaintext_login;            /* a password may be taken without TLS */
    bool listed;                     /* the listener has `networks`, and the address is in them */
    struct session_gate *gate;       /* decides logins; outlives the connection */
    struct inventory_client *client; /* NULL: nobody remembers it; taken over, also on failure */
    const struct session_stop *stop; /* likewise */
    int64_t handshake_timeout_ms;
    int64_t write_timeout_ms; /* how long a client may read nothing */
};

/* For the server (and tests). Takes over `fd`, a connected stream socket, closed with the
 * connection and on failure too. With TLS_IMPLICIT the next call is session_conn_starttls(). */
struct session_conn *session_conn_new(int fd, const struct session_conn_settings *settings,
                                      struct error *e);
/* Sends what is pending if that needs no waiting, writes the client down, closes, clears the
 * caller's pointer. */
void session_conn_free(struct session_conn **c);

/* For the server, before anything else is read: bytes as they come off the socket, at least one and
 * at most `max`. Monotonic deadline. */
bool session_conn_raw(struct session_conn *c, void *data, size_t max, int64_t deadline_ms,
                      size_t *got, struct error *e);
/* For the server: whom a proxy speaks for. From now on that is the connection's address. */
void session_conn_set_client(struct session_conn *c, const struct sockaddr *address,
                             socklen_t address_len, bool plaintext_login);

enum session_line {
    SESSION_LINE_OK,
    SESSION_LINE_TOO_LONG, /* it was read to its end and dropped, but for its two ends: *line is
                              its first and its last SESSION_LINE_EDGE bytes; answer and go on */
    SESSION_LINE_NUL,      /* it held a NUL byte; *line is whole; likewise */
    SESSION_LINE_NOTIFIED, /* session_conn_line_or_notice() only: what came of a line is kept */
    SESSION_LINE_EOF,
    SESSION_LINE_TIMEOUT,
    SESSION_LINE_STOP,  /* the service stops */
    SESSION_LINE_FAILED /* reset, TLS error, or a line that never ends: just close */
};

/* The most that `max` may be. */
#define SESSION_LINE_MAX ((size_t)4 * 1024 * 1024)
/* A line this long is not waited for: SESSION_LINE_FAILED. */
#define SESSION_LINE_ENDLESS (2 * SESSION_LINE_MAX)
#define SESSION_LINE_EDGE    64

/* Reads a line, without its CRLF or LF, of at most `max` bytes, into a NUL-terminated buffer
 * that is good until the next call and wiped then. Output pending is flushed before it sleeps (so
 * pipelined answers leave together). The timeout is for the whole line: a byte a minute does not
 * stretch it. */
enum session_line session_conn_line(struct session_conn *c, size_t max, int64_t timeout_ms,
                                    char **line, size_t *len);
/* The same, but ends with SESSION_LINE_NOTIFIED when somebody notifies session_conn_wait(). */
enum session_line session_conn_line_or_notice(struct session_conn *c, size_t max,
                                              int64_t timeout_ms, char **line, size_t *len);
/* Bytes that are no line (IMAP literals): at least one and at most `max`, good until the next call
 * and wiped then. The timeout is for this piece. Never TOO_LONG or NUL. */
enum session_line session_conn_bytes(struct session_conn *c, size_t max, int64_t timeout_ms,
                                     const char **data, size_t *len);

/* Appends to the output; sends when the buffer is full. False: the client is gone or does not
 * read for the write timeout; from then on everything fails. */
bool session_conn_write(struct session_conn *c, const void *data, size_t len);
bool session_conn_printf(struct session_conn *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool session_conn_flush(struct session_conn *c);

/* STARTTLS, STLS: discards input that came before the handshake (RFC 2595 section 2: command
 * injection), then does it. */
bool session_conn_starttls(struct session_conn *c, struct error *e);
bool session_conn_tls_active(const struct session_conn *c);
/* "1.0" … "1.3"; static, NULL without TLS. */
const char *session_conn_tls_version(const struct session_conn *c);
/* SHA-256 of the certificate whose key the client proved to have, 64 lower-case hex digits; NULL:
 * it showed none (listeners ask with client-certificates only). Nobody has vouched for it. */
const char *session_conn_client_fingerprint(const struct session_conn *c);
/* May STLS be offered here and now? */
bool session_conn_tls_offered(const struct session_conn *c);
/* May a password be taken here and now? (TLS, or loopback, or allow-plaintext.) */
bool session_conn_login_allowed(const struct session_conn *c);
/* Has the listener `networks` of its own, which the address is in? */
bool session_conn_listed(const struct session_conn *c);

/* The wait of this session: its client socket, the stop flag. */
struct wait *session_conn_wait(struct session_conn *c);
const char *session_conn_id(const struct session_conn *c);      /* "p3-1f", in every log line */
const char *session_conn_address(const struct session_conn *c); /* "192.0.2.7" */
const struct sockaddr *session_conn_sockaddr(const struct session_conn *c);
struct session_gate *session_conn_gate(const struct session_conn *c);
/* What is learnt of the client; NULL: nobody remembers it. */
struct inventory_client *session_conn_client(const struct session_conn *c);
/* Any thread: leaves what was learnt so far for inventory_flush(). */
void session_conn_leave_client(struct session_conn *c);
/* "RETR 7" and the like, for whoever asks what the connection is doing; copied. */
#define SESSION_STATE_SIZE 64
void session_conn_set_state(struct session_conn *c, const char *state);
/* Any thread. */
void session_conn_state(struct session_conn *c, char out[SESSION_STATE_SIZE]);
bool session_conn_stopping(const struct session_conn *c);
uint64_t session_conn_bytes_in(const struct session_conn *c);
uint64_t session_conn_bytes_out(const struct session_conn *c);

#endif
