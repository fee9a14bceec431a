/*
 * Listening sockets, as the config names them. Main thread only.
 */
#ifndef SESSION_LISTENER_H
#define SESSION_LISTENER_H

#include "local_socket.h"

#include "postern/base/config.h"
#include "postern/base/error.h"
#include "postern/session/tls.h"

#include <stdbool.h>

struct listener {
    int fd;
    bool inherited; /* the socket belongs to the set before this one until that is let go */
    const struct config_listener *config;
    struct session_tls *tls; /* NULL: none */
    struct local_socket file;
    bool loopback; /* where it listens, as bound */
};

struct listener_set {
    struct listener *items; /* one per listener of the config, in its order */
    size_t count;
};

/* Makes the sockets and TLS contexts of `config`; sockets of `old` on the same address are taken
 * over. On false nothing has changed. The config must outlive the set. */
bool listener_set_open(struct listener_set *set, const struct config *config,
                       const struct listener_set *old, struct error *e);
/* Closes what `successor` (may be NULL) did not take over. */
void listener_set_close(struct listener_set *set, struct listener_set *successor);

#endif
