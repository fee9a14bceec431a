#include "logins_watch.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define LOOK_SECONDS  2
#define FRESH_SECONDS 3

/* What a file that was written or replaced differs in. */
struct look {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written, changed;
};

struct logins_watch {
    int poll_fd, timer_fd;
    char *path;
    struct look seen;
};

static bool add(int poll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return fd >= 0 && epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct logins_watch *logins_watch_new(int signal_fd, struct error *e)
{
    struct logins_watch *w = xcalloc(1, sizeof *w);
    w->poll_fd = epoll_create1(EPOLL_CLOEXEC);
    w->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (add(w->poll_fd, signal_fd) && add(w->poll_fd, w->timer_fd))
        return w;
    error_set(e, ERROR_LOCAL, "cannot watch files and signals: %s", strerror(errno));
    logins_watch_free(&w);
    return NULL;
}

void logins_watch_free(struct logins_watch **watch)
{
    struct logins_watch *w = *watch;
    *watch = NULL;
    if (!w)
        return;
    if (w->timer_fd >= 0)
        close(w->timer_fd);
    if (w->poll_fd >= 0)
        close(w->poll_fd);
    free(w->path);
    free(w);
}

int logins_watch_fd(const struct logins_watch *w)
{
    return w->poll_fd;
}

/* Zeros where there is no file, which is a difference too. */
static struct look look_at(const char *path)
{
    struct look look;
    struct stat st;
    memset(&look, 0, sizeof look);
    if (stat(path, &st) < 0)
        return look;
    look.device = st.st_dev;
    look.inode = st.st_ino;
    look.size = st.st_size;
    look.written = st.st_mtim;
    look.changed = st.st_ctim;
    return look;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same(const struct look *a, const struct look *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(&a->written, &b->written) && same_time(&a->changed, &b->changed);
}

void logins_watch_begin(struct logins_watch *w, const char *path)
{
    char *copy = xstrdup_null(path);
    time_t every = path ? LOOK_SECONDS : 0; /* 0 disarms it */
    const struct itimerspec timer = {.it_interval.tv_sec = every, .it_value.tv_sec = every};
    free(w->path);
    w->path = copy;
    w->seen = path ? look_at(path) : (struct look){0};
    if (w->seen.changed.tv_sec > clock_wall_ms() / CLOCK_SECOND - FRESH_SECONDS)
        memset(&w->seen, 0, sizeof w->seen);
    timerfd_settime(w->timer_fd, 0, &timer, NULL);
}

bool logins_watch_changed(struct logins_watch *w)
{
    uint64_t ticks;
    if (read(w->timer_fd, &ticks, sizeof ticks) < 0 || !w->path)
        return false;
    struct look now = look_at(w->path);
    bool changed = !same(&now, &w->seen);
    w->seen = now;
    return changed;
}
