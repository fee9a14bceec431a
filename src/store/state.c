#include "postern/store/state.h"

#include "postern/base/alloc.h"
#include "postern/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PID_TEXT_MAX 24

struct store_lock {
    int fd;
};

/* Who wrote itself into the file, "" if nobody did. */
static void read_pid(int fd, char pid[PID_TEXT_MAX])
{
    ssize_t n = pread(fd, pid, PID_TEXT_MAX - 1, 0);
    pid[n > 0 ? n : 0] = '\0';
    pid[strspn(pid, "0123456789")] = '\0';
}

static bool refuse(int fd, const char *path, struct error *e)
{
    char pid[PID_TEXT_MAX];
    read_pid(fd, pid);
    return error_set(e, ERROR_LOCAL,
                     "%s is locked by process %s: another postern serves from this state "
                     "directory; stop it, or give this one a state-dir of its own",
                     path, pid[0] ? pid : "(unknown)");
}

static bool take(int fd, const char *path, struct error *e)
{
    int rc;
    do
        rc = flock(fd, LOCK_EX | LOCK_NB);
    while (rc < 0 && errno == EINTR);
    if (rc < 0 && errno == EWOULDBLOCK)
        return refuse(fd, path, e);
    char pid[PID_TEXT_MAX];
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (rc < 0 || fchmod(fd, 0600) < 0 || ftruncate(fd, 0) < 0 ||
        pwrite(fd, pid, (size_t)len, 0) != len)
        return error_set(e, ERROR_LOCAL, "cannot lock %s: %s", path, strerror(errno));
    return true;
}

struct store_lock *store_state_lock(const char *state_dir, struct error *e)
{
    if (!file_make_private_dir(state_dir, e))
        return NULL;
    char *path = xasprintf("%s/lock", state_dir);
    struct store_lock *l = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        error_set(e, ERROR_LOCAL, "cannot open %s: %s", path, strerror(errno));
    } else if (!take(fd, path, e)) {
        close(fd);
    } else {
        l = xmalloc(sizeof *l);
        l->fd = fd;
    }
    free(path);
    return l;
}

void store_state_unlock(struct store_lock **l)
{
    if (!*l)
        return;
    /* The file stays: removing it would let two others lock two different files. */
    close((*l)->fd);
    free(*l);
    *l = NULL;
}

/* The lock is tried only if the process that wrote itself into the file is there: trying it while
 * another starts would make that one believe that the directory is taken. */
bool store_state_is_locked(const char *state_dir, long *pid)
{
    char text[PID_TEXT_MAX] = "";
    char *path = xasprintf("%s/lock", state_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    free(path);
    if (fd < 0)
        return false;
    read_pid(fd, text);
    *pid = strtol(text, NULL, 10);
    bool locked = *pid > 0 && (kill((pid_t)*pid, 0) == 0 || errno == EPERM) &&
                  flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}
