/*
 * The socket under a connection, plain or TLS, as calls that sleep: until bytes move, the
 * deadline passes or the service stops. One thread, the session's.
 */
#ifndef SESSION_TRANSPORT_H
#define SESSION_TRANSPORT_H

#include "postern/base/error.h"
#include "postern/base/wait.h"
#include "postern/session/conn.h"

struct ssl_st;

struct transport {
    int fd;
    struct ssl_st *ssl; /* NULL: plain */
    struct wait wait;   /* of the session; its eventfd wakes a sleep here too */
    const struct session_stop *stop;
    bool broken; /* TLS failed for good: no goodbye is possible */
};

enum transport_result {
    TRANSPORT_OK,
    TRANSPORT_EOF,
    TRANSPORT_TIMEOUT,
    TRANSPORT_STOP,
    TRANSPORT_NOTIFIED,
    TRANSPORT_FAILED
};

/* Takes over `fd` (also on failure) and makes it non-blocking. */
bool transport_open(struct transport *t, int fd, const struct session_stop *stop, struct error *e);
void transport_close(struct transport *t);

/* At least one byte on OK. Ends with TRANSPORT_STOP as soon as a stop is asked for, and with
 * `notice` with TRANSPORT_NOTIFIED when the wait is notified. */
enum transport_result transport_read(struct transport *t, void *data, size_t len, int64_t deadline,
                                     bool notice, size_t *got);
/* At least one byte on OK. A stop that was only asked for does not end it. */
enum transport_result transport_write(struct transport *t, const void *data, size_t len,
                                      int64_t deadline, size_t *put);
/* Server side. `e` names the reason in TLS terms. */
bool transport_handshake(struct transport *t, struct session_tls *tls, int64_t deadline,
                         struct error *e);

#endif
