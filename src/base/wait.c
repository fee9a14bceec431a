#include "postern/base/wait.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TICK_MS 1000

bool wait_init(struct wait *w, struct error *e)
{
    memset(w, 0, sizeof *w);
    w->client_fd = -1;
    w->deadline_ms = CLOCK_NEVER;
    w->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->event_fd < 0)
        return error_set(e, ERROR_LOCAL,
                         "cannot open an eventfd: %s; raise the limit of open files",
                         strerror(errno));
    return true;
}

void wait_close(struct wait *w)
{
    if (w->event_fd >= 0)
        close(w->event_fd);
    w->event_fd = -1;
}

void wait_notify(struct wait *w)
{
    uint64_t one = 1;
    ssize_t ignored = write(w->event_fd, &one, sizeof one);
    (void)ignored; /* full means that it is awake anyway */
}

/* Looks at the events of the client's socket. True: the client is gone. */
static bool client_gone(struct wait *w, short events, int64_t now)
{
    if (events & (POLLERR | POLLHUP | POLLNVAL))
        return true;
    if (!(events & POLLRDHUP))
        return false;
    if (!w->half_closed_ms)
        w->half_closed_ms = now;
    return now - w->half_closed_ms >= WAIT_HALF_CLOSED_MS;
}

static bool ended(struct wait *w, int64_t now, short client_events, struct error *e)
{
    if (w->stop && atomic_load(w->stop)) {
        error_set(e, ERROR_CANCELED, "the service is stopping");
        return true;
    }
    if (client_gone(w, client_events, now)) {
        error_set(e, ERROR_CANCELED, "the client is gone");
        return true;
    }
    if (now >= w->deadline_ms) {
        error_set(e, ERROR_TIMEOUT, "it took too long");
        return true;
    }
    return false;
}

/* How long to sleep: to the deadline, the next tick, or the end of the half-closed grace. */
static int sleep_ms(const struct wait *w, int64_t now)
{
    int64_t until = w->deadline_ms;
    if (w->tick && until > now + TICK_MS)
        until = now + TICK_MS;
    if (w->half_closed_ms && until > w->half_closed_ms + WAIT_HALF_CLOSED_MS)
        until = w->half_closed_ms + WAIT_HALF_CLOSED_MS;
    if (until == CLOCK_NEVER)
        return -1;
    int64_t ms = until - now;
    return ms < 0 ? 0 : ms > 60000 ? 60000 : (int)ms;
}

bool wait_sleep(struct wait *w, struct error *e)
{
    /* Once FIN was seen, polling for it again would only spin. */
    short watch = w->half_closed_ms ? 0 : POLLRDHUP;
    struct pollfd fds[2] = {{.fd = w->event_fd, .events = POLLIN},
                            {.fd = w->client_fd, .events = watch}};
    int64_t now = clock_mono_ms();
    int n = poll(fds, 2, sleep_ms(w, now));
    now = clock_mono_ms();
    short client = n > 0 && w->client_fd >= 0 ? fds[1].revents : 0;
    if (w->half_closed_ms)
        client |= POLLRDHUP;
    if (n > 0 && (fds[0].revents & POLLIN)) {
        uint64_t count;
        ssize_t ignored = read(w->event_fd, &count, sizeof count);
        (void)ignored;
    }
    if (ended(w, now, client, e))
        return false;
    if (n == 0 && w->tick && !w->tick(w->tick_arg))
        return error_set(e, ERROR_CANCELED, "the client is gone");
    return true;
}

bool wait_ended(struct wait *w, struct error *e)
{
    struct pollfd fd = {.fd = w->client_fd, .events = POLLRDHUP};
    int n = w->client_fd >= 0 ? poll(&fd, 1, 0) : 0;
    return ended(w, clock_mono_ms(), n > 0 ? fd.revents : 0, e);
}

void wait_list_add(struct wait_list *l, struct wait *w)
{
    if (l->count == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 4;
        l->items = xreallocarray(l->items, l->cap, sizeof *l->items);
    }
    l->items[l->count++] = w;
}

void wait_list_remove(struct wait_list *l, struct wait *w)
{
    for (unsigned i = 0; i < l->count; i++) {
        if (l->items[i] == w) {
            l->items[i] = l->items[--l->count];
            return;
        }
    }
}

void wait_list_notify_all(struct wait_list *l)
{
    for (unsigned i = 0; i < l->count; i++)
        wait_notify(l->items[i]);
}

void wait_list_free(struct wait_list *l)
{
    free(l->items);
    memset(l, 0, sizeof *l);
}
