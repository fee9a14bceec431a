#include "transport.h"

#include "postern/base/clock.h"
#include "postern/session/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define POLL_MAX_MS 60000

/* What else ends a sleep. */
enum { UNTIL_ASKED = 1, UNTIL_NOTIFIED = 2 };

bool transport_open(struct transport *t, int fd, const struct session_stop *stop, struct error *e)
{
    memset(t, 0, sizeof *t);
    t->fd = fd;
    t->stop = stop;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        close(fd);
        return error_set(e, ERROR_LOCAL, "cannot prepare a client's socket: %s", strerror(errno));
    }
    if (!wait_init(&t->wait, e)) {
        close(fd);
        return false;
    }
    t->wait.client_fd = fd;
    t->wait.stop = &stop->now;
    return true;
}

void transport_close(struct transport *t)
{
    if (t->ssl) {
        ERR_clear_error();
        if (!t->broken && SSL_is_init_finished(t->ssl))
            SSL_shutdown(t->ssl); /* close_notify, as far as it goes without waiting */
        SSL_free(t->ssl);
    }
    close(t->fd);
    wait_close(&t->wait);
}

static void drain(int event_fd)
{
    uint64_t count;
    ssize_t ignored = read(event_fd, &count, sizeof count);
    (void)ignored;
}

static int poll_ms(int64_t deadline, int64_t now)
{
    int64_t left = deadline - now;
    return left < 0 ? 0 : left > POLL_MAX_MS ? POLL_MAX_MS : (int)left;
}

static bool stopping(const struct transport *t, unsigned until)
{
    return atomic_load(&t->stop->now) || ((until & UNTIL_ASKED) && atomic_load(&t->stop->asked));
}

/* Sleeps until the socket is ready for `events`; what is wrong with it (reset, hang-up) shows in
 * the call that follows. */
static enum transport_result sleep_for(struct transport *t, short events, int64_t deadline,
                                       unsigned until)
{
    for (;;) {
        if (stopping(t, until))
            return TRANSPORT_STOP;
        struct pollfd fds[2] = {{.fd = t->fd, .events = events},
                                {.fd = t->wait.event_fd, .events = POLLIN}};
        int n = poll(fds, 2, poll_ms(deadline, clock_mono_ms()));
        if (n < 0 && errno != EINTR)
            return TRANSPORT_FAILED;
        if (n > 0 && fds[0].revents)
            return TRANSPORT_OK; /* a notification beside it is kept for the next sleep */
        if (n > 0)
            drain(t->wait.event_fd);
        if (n > 0 && (until & UNTIL_NOTIFIED) && !stopping(t, until))
            return TRANSPORT_NOTIFIED;
        if (clock_mono_ms() >= deadline)
            return TRANSPORT_TIMEOUT;
    }
}

/* What an SSL call that did not succeed wants: OK means to call it again. */
static enum transport_result after_ssl(struct transport *t, int rc, int64_t deadline,
                                       unsigned until)
{
    switch (SSL_get_error(t->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return sleep_for(t, POLLIN, deadline, until);
    case SSL_ERROR_WANT_WRITE:
        return sleep_for(t, POLLOUT, deadline, until);
    case SSL_ERROR_ZERO_RETURN:
        return TRANSPORT_EOF;
    default:
        t->broken = true; /* after these SSL_shutdown() must not be called */
        return TRANSPORT_FAILED;
    }
}

static enum transport_result after_errno(struct transport *t, short events, int64_t deadline,
                                         unsigned until)
{
    if (errno == EINTR)
        return TRANSPORT_OK;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return TRANSPORT_FAILED;
    return sleep_for(t, events, deadline, until);
}

enum transport_result transport_read(struct transport *t, void *data, size_t len, int64_t deadline,
                                     bool notice, size_t *got)
{
    unsigned until = UNTIL_ASKED | (notice ? UNTIL_NOTIFIED : 0);
    enum transport_result again;
    do {
        if (t->ssl) {
            ERR_clear_error();
            int rc = SSL_read_ex(t->ssl, data, len, got);
            if (rc > 0)
                return TRANSPORT_OK;
            again = after_ssl(t, rc, deadline, until);
        } else {
            ssize_t n = recv(t->fd, data, len, 0);
            *got = n > 0 ? (size_t)n : 0;
            if (n >= 0)
                return n > 0 ? TRANSPORT_OK : TRANSPORT_EOF;
            again = after_errno(t, POLLIN, deadline, until);
        }
    } while (again == TRANSPORT_OK);
    return again;
}

enum transport_result transport_write(struct transport *t, const void *data, size_t len,
                                      int64_t deadline, size_t *put)
{
    enum transport_result again;
    do {
        if (t->ssl) {
            ERR_clear_error();
            int rc = SSL_write_ex(t->ssl, data, len, put);
            if (rc > 0)
                return TRANSPORT_OK;
            again = after_ssl(t, rc, deadline, 0);
        } else {
            ssize_t n = send(t->fd, data, len, MSG_NOSIGNAL);
            *put = n > 0 ? (size_t)n : 0;
            if (n > 0)
                return TRANSPORT_OK;
            again = after_errno(t, POLLOUT, deadline, 0);
        }
    } while (again == TRANSPORT_OK);
    return again;
}

static bool handshake_failed(enum transport_result how, struct error *e)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    switch (how) {
    case TRANSPORT_TIMEOUT:
        return error_set(e, ERROR_TIMEOUT, "the client did not finish the TLS handshake in time");
    case TRANSPORT_STOP:
        return error_set(e, ERROR_CANCELED, "the service is stopping");
    default:
        return error_set(e, ERROR_CANCELED, "the TLS handshake failed: %s",
                         reason ? reason : "the client closed the connection");
    }
}

bool transport_handshake(struct transport *t, struct session_tls *tls, int64_t deadline,
                         struct error *e)
{
    t->ssl = session_tls_accept(tls, t->fd, e);
    if (!t->ssl)
        return false;
    for (;;) {
        ERR_clear_error();
        int rc = SSL_accept(t->ssl);
        if (rc == 1)
            return true;
        enum transport_result again = after_ssl(t, rc, deadline, UNTIL_ASKED);
        if (again != TRANSPORT_OK) {
            t->broken = true;
            return handshake_failed(again, e);
        }
    }
}
