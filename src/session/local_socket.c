#include "local_socket.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#define SELF_SIZE 40

/* Removes a socket's file if nobody listens there. False: it is no such file, with errno. */
static bool remove_stale(const struct sockaddr_un *address)
{
    struct stat st;
    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    int rc = connect(fd, (const struct sockaddr *)address, sizeof *address);
    int cause = rc < 0 ? errno : EADDRINUSE;
    close(fd);
    if (cause != ECONNREFUSED) {
        errno = cause == EAGAIN ? EADDRINUSE : cause; /* its queue is full: somebody listens */
        return false;
    }
    return unlink(address->sun_path) == 0 || errno == ENOENT;
}

/* By a descriptor of the file itself: where the directory is another user's, the name may lead
 * elsewhere by now. */
static bool set_mode(const struct config_listener *l, struct stat *st)
{
    const struct sockaddr_un *address = (const void *)&l->sockaddr;
    char self[SELF_SIZE];
    int fd = open(address->sun_path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    bool ok = fstat(fd, st) == 0 && S_ISSOCK(st->st_mode) && chmod(self, l->socket_mode) == 0;
    close(fd);
    return ok;
}

bool local_socket_bind(int fd, const struct config_listener *l, struct local_socket *out)
{
    const struct sockaddr_un *address = (const void *)&l->sockaddr;
    struct stat st;
    if (!remove_stale(address) || bind(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        return false;
    /* Whoever comes before that, or before listen(), is refused by the kernel. */
    bool ok = set_mode(l, &st);
    out->device = ok ? st.st_dev : 0;
    out->inode = ok ? st.st_ino : 0;
    return ok;
}

void local_socket_set_mode(const struct config_listener *l)
{
    struct stat st;
    set_mode(l, &st); /* false: somebody removed it, and the next start makes it anew */
}

void local_socket_remove(const struct config_listener *l, const struct local_socket *s)
{
    const struct sockaddr_un *address = (const void *)&l->sockaddr;
    struct stat st;
    if (s->inode && lstat(address->sun_path, &st) == 0 && st.st_dev == s->device &&
        st.st_ino == s->inode)
        unlink(address->sun_path);
}

#ifdef HAVE_SYSTEMD

static void free_names(char **names)
{
    for (char **n = names; n && *n; n++)
        free(*n);
    free(names);
}

/* The one of that name; -1: none, -2: several. */
static int find(const char *name, char **names, int count)
{
    int found = -1;
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            found = found == -1 ? SD_LISTEN_FDS_START + i : -2;
    }
    return found;
}

int local_socket_inherit(const char *name, struct error *e)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(0, &names);
    int fd = find(name, names, count);
    free_names(names);
    if (fd == -2)
        error_set(e, ERROR_LOCAL,
                  "systemd hands over several sockets named \"%s\" and a listener has one: give "
                  "each a socket unit with a FileDescriptorName of its own",
                  name);
    else if (fd < 0)
        error_set(e, ERROR_LOCAL,
                  "systemd hands over no socket named \"%s\": start the socket unit with "
                  "FileDescriptorName=%s and let it start the service",
                  name, name);
    else if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
        error_set(e, ERROR_LOCAL,
                  "the socket \"%s\" from systemd is no listening stream socket: its unit needs "
                  "ListenStream= and Accept=no",
                  name);
    else if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0)
        error_set(e, ERROR_LOCAL, "cannot take the socket \"%s\": %s", name, strerror(errno));
    else
        return fd;
    return -1;
}

#else

int local_socket_inherit(const char *name, struct error *e)
{
    error_set(e, ERROR_LOCAL,
              "the socket \"%s\" cannot be taken from systemd: this postern was built without "
              "libsystemd",
              name);
    return -1;
}

#endif
