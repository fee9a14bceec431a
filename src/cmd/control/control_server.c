/* The control socket in serve: one thread, one connection after the other, each for a short time.
 */
#include "control.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/base/thread.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAITING_MAX 16 /* connections that have not been looked at */
#define READ_MS     (2 * CLOCK_SECOND)
#define ANSWER_MS   (60 * CLOCK_SECOND)
#define WRITE_MS    (10 * CLOCK_SECOND)
#define RESOURCE_MS 200 /* no descriptor is left: until the next try */

struct control {
    char *socket_path;
    const struct control_handler *handlers;
    void *arg;
    int fd;
    pthread_t thread;
    struct wait wait;
    atomic_bool stop;
};

/* Sleeps until the descriptor is ready. False: too late, or the service stops. */
static bool ready(struct control *c, int fd, short events, int64_t until)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events},
                            {.fd = c->wait.event_fd, .events = POLLIN}};
    while (!atomic_load(&c->stop)) {
        int64_t left = until - clock_mono_ms();
        if (left <= 0 || poll(fds, 2, left > CLOCK_SECOND ? CLOCK_SECOND : (int)left) < 0)
            return false;
        if (fds[0].revents)
            return true;
        if (fds[1].revents) {
            struct error ignored = ERROR_INIT;
            wait_sleep(&c->wait, &ignored); /* takes the notification, which is for nobody here */
        }
    }
    return false;
}

static bool may_ask(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return false;
    if (peer.uid == 0 || peer.uid == geteuid())
        return true;
    log_warning("the control socket refuses process %ld of user %ld", (long)peer.pid,
                (long)peer.uid);
    return false;
}

/* One line, without its end. */
static bool read_line(struct control *c, int fd, struct buf *line)
{
    int64_t until = clock_mono_ms() + READ_MS;
    while (ready(c, fd, POLLIN, until)) {
        char piece[1024];
        ssize_t n = recv(fd, piece, sizeof piece, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n <= 0 || !buf_append(line, piece, (size_t)n))
            return false;
        char *end = memchr(line->data, '\n', line->len);
        if (end) {
            line->len = (size_t)(end - line->data);
            *end = '\0';
            return true;
        }
    }
    return false;
}

static void write_answer(struct control *c, int fd, struct json_object *answer)
{
    size_t len;
    const char *text =
        json_object_to_json_string_length(answer, JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    int64_t until = clock_mono_ms() + WRITE_MS;
    struct buf line = BUF_INIT(CONTROL_ANSWER_MAX);
    if (!buf_append(&line, text, len) || !buf_putc(&line, '\n')) {
        buf_clear(&line);
        buf_puts(&line, "{\"error\":\"the answer is too large\"}\n");
    }
    for (size_t at = 0; at < line.len;) {
        ssize_t n = send(fd, line.data + at, line.len - at, MSG_DONTWAIT | MSG_NOSIGNAL);
        bool later = n < 0 && (errno == EINTR || errno == EAGAIN);
        if (n <= 0 && !(later && ready(c, fd, POLLOUT, until)))
            break;
        at += n > 0 ? (size_t)n : 0;
    }
    buf_free(&line);
}

static bool handle(struct control *c, const struct control_request *r, struct json_object *answer,
                   struct error *e)
{
    const struct control_handler *h = c->handlers;
    while (h->name && strcmp(h->name, r->words[0]) != 0)
        h++;
    if (!h->name)
        return error_set(e, ERROR_REQUEST,
                         "this serve knows no request \"%s\"; it is of another version of postern "
                         "and should be restarted",
                         r->words[0]);
    if (r->count - 1 != h->words)
        return error_set(e, ERROR_REQUEST, "\"%s\" wants %zu words behind it, and has %zu", h->name,
                         h->words, r->count - 1);
    c->wait.deadline_ms = clock_mono_ms() + ANSWER_MS;
    bool ok = h->answer(c->arg, r->words + 1, answer, &c->wait, e);
    c->wait.deadline_ms = CLOCK_NEVER;
    return ok;
}

static void converse(struct control *c, int fd)
{
    struct buf line = BUF_INIT(CONTROL_REQUEST_MAX + 1);
    struct control_request request = {.count = 0};
    struct error e = ERROR_INIT;
    if (!may_ask(fd))
        return;
    bool ok = read_line(c, fd, &line);
    if (ok || line.overflow) {
        struct json_object *answer = json_object_new_object();
        /* Over the limit there is no line, and the parser says so. */
        ok = control_request_parse(buf_str(&line), ok ? line.len : CONTROL_REQUEST_MAX + 1,
                                   &request, &e) &&
             handle(c, &request, answer, &e);
        if (ok) {
            json_object_object_add(answer, "ok", json_object_new_boolean(true));
        } else {
            json_object_put(answer);
            answer = json_object_new_object();
            json_object_object_add(answer, "error", json_object_new_string(e.text));
        }
        write_answer(c, fd, answer);
        json_object_put(answer);
    }
    control_request_free(&request);
    buf_free(&line);
}

static void *control_main(void *arg)
{
    struct control *c = arg;
    while (!atomic_load(&c->stop)) {
        if (!ready(c, c->fd, POLLIN, clock_mono_ms() + ANSWER_MS))
            continue;
        int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            converse(c, fd);
            close(fd);
        } else if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED) {
            ready(c, -1, 0, clock_mono_ms() + RESOURCE_MS);
        }
    }
    return NULL;
}

static bool open_socket(struct control *c, const char *state_dir, struct error *e)
{
    /* Whoever made it is dead, or it would hold the lock of the state directory. */
    if (unlink(c->socket_path) < 0 && errno != ENOENT)
        return error_set(e, ERROR_LOCAL, "cannot remove %s: %s", c->socket_path, strerror(errno));
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode of an unbound socket is what its name begins with. */
    if (c->fd < 0 || fchmod(c->fd, 0600) < 0 || !control_attach(c->fd, state_dir, CONTROL_BIND) ||
        listen(c->fd, WAITING_MAX) < 0)
        return error_set(e, ERROR_LOCAL, "cannot listen on %s: %s", c->socket_path,
                         strerror(errno));
    return true;
}

static void release(struct control *c)
{
    wait_close(&c->wait);
    if (c->fd >= 0)
        close(c->fd);
    free(c->socket_path);
    free(c);
}

struct control *control_start(const char *state_dir, const struct control_handler *handlers,
                              void *arg, struct error *e)
{
    struct control *c = xcalloc(1, sizeof *c);
    c->handlers = handlers;
    c->arg = arg;
    c->fd = -1;
    c->socket_path = xasprintf("%s/control", state_dir);
    bool ok = wait_init(&c->wait, e);
    c->wait.stop = &c->stop;
    if (ok && open_socket(c, state_dir, e) &&
        thread_start(&c->thread, "control", THREAD_STACK_WORKER, control_main, c, e))
        return c;
    release(c);
    return NULL;
}

void control_wake(struct control *c)
{
    if (c)
        wait_notify(&c->wait);
}

void control_stop(struct control **control)
{
    struct control *c = *control;
    if (!c)
        return;
    atomic_store(&c->stop, true);
    wait_notify(&c->wait);
    pthread_join(c->thread, NULL);
    unlink(c->socket_path);
    release(c);
    *control = NULL;
}
