/*
 * The sockets of listeners that are no address of their own making: Unix sockets, and what
 * systemd hands over. Main thread only.
 */
#ifndef SESSION_LOCAL_SOCKET_H
#define SESSION_LOCAL_SOCKET_H

#include "postern/base/config.h"
#include "postern/base/error.h"

#include <stdbool.h>
#include <sys/types.h>

/* The file that a Unix socket made, so that no other is removed in its place. */
struct local_socket {
    dev_t device;
    ino_t inode; /* 0: none */
};

/* Binds and makes its file with the listener's mode. A file that is left of a socket on which
 * nobody listens any more is taken away first; anything else there stays, and false comes back with
 * errno. */
bool local_socket_bind(int fd, const struct config_listener *l, struct local_socket *out);
/* After a reload. */
void local_socket_set_mode(const struct config_listener *l);
/* Removes the file if it is still that one. */
void local_socket_remove(const struct config_listener *l, const struct local_socket *s);

/* A descriptor of the listening stream socket that systemd handed over under this name, to be
 * closed (systemd's own stays open, so that a reload may ask again); -1: `e` says why. */
int local_socket_inherit(const char *name, struct error *e);

#endif
