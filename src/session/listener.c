#include "listener.h"

#include "address.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool fail(int fd, const struct config_listener *l, const char *what, struct error *e)
{
    int cause = errno;
    if (fd >= 0)
        close(fd);
    return error_set(e, ERROR_LOCAL, "listener \"%s\": cannot %s %s: %s%s", l->name, what,
                     l->address, strerror(cause),
                     cause == EADDRINUSE      ? "; another program has that port"
                     : cause == EACCES        ? "; ports below 1024 need CAP_NET_BIND_SERVICE"
                     : cause == EADDRNOTAVAIL ? "; no interface has that address"
                                              : "");
}

/* With the port that the kernel chose, where the configuration says 0. */
static void log_bound(int fd, const struct config_listener *l)
{
    char address[ADDRESS_SIZE];
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
    } bound = {.storage = {0}};
    socklen_t len = sizeof bound;
    if (getsockname(fd, &bound.any, &len) < 0)
        return;
    bool v6 = bound.any.sa_family == AF_INET6;
    address_format(&bound.any, address);
    log_info("listener \"%s\": listening on %s%s%s:%u", l->name, v6 ? "[" : "", address,
             v6 ? "]" : "", address_port(&bound.any));
}

static bool open_socket(const struct config_listener *l, int *out, struct error *e)
{
    const struct sockaddr *address = (const struct sockaddr *)&l->sockaddr;
    int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(fd, l, "open a socket for", e);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* "[::]" and "0.0.0.0" are two listeners on every system. */
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, address, l->sockaddr_len) < 0)
        return fail(fd, l, "bind", e);
    if (listen(fd, SOMAXCONN) < 0)
        return fail(fd, l, "listen on", e);
    log_bound(fd, l);
    *out = fd;
    return true;
}

/* The socket that is open already. On port 0 many may stand, each with a port of its own that
 * only the name tells. */
static struct listener *same_socket(const struct listener_set *old, const struct config_listener *l)
{
    const struct sockaddr *address = (const struct sockaddr *)&l->sockaddr;
    for (size_t i = 0; old && i < old->count; i++) {
        const struct config_listener *before = old->items[i].config;
        if (address_equal((const struct sockaddr *)&before->sockaddr, address) &&
            (address_port(address) || strcmp(before->name, l->name) == 0))
            return &old->items[i];
    }
    return NULL;
}

static bool open_one(struct listener *item, const struct config *config,
                     const struct config_listener *l, const struct listener_set *old,
                     struct error *e)
{
    item->config = l;
    if (l->tls != TLS_NONE) {
        item->tls = session_tls_new(&config->tls, l, e);
        if (!item->tls)
            return error_prefix(e, "listener \"%s\": ", l->name);
    }
    const struct listener *before = same_socket(old, l);
    if (before) {
        item->fd = before->fd;
        item->inherited = true;
        return true;
    }
    return open_socket(l, &item->fd, e);
}

bool listener_set_open(struct listener_set *set, const struct config *config,
                       const struct listener_set *old, struct error *e)
{
    set->items = xcalloc(config->listener_count, sizeof *set->items);
    for (set->count = 0; set->count < config->listener_count; set->count++) {
        struct listener *item = &set->items[set->count];
        item->fd = -1;
        if (!open_one(item, config, &config->listeners[set->count], old, e)) {
            session_tls_unref(&item->tls);
            listener_set_close(set, NULL);
            return false;
        }
    }
    return true;
}

/* Makes the socket the successor's own. */
static bool handed_over(int fd, struct listener_set *successor)
{
    for (size_t i = 0; successor && i < successor->count; i++) {
        if (successor->items[i].fd == fd) {
            successor->items[i].inherited = false;
            return true;
        }
    }
    return false;
}

void listener_set_close(struct listener_set *set, struct listener_set *successor)
{
    for (size_t i = 0; i < set->count; i++) {
        struct listener *l = &set->items[i];
        if (!l->inherited && !handed_over(l->fd, successor))
            close(l->fd);
        session_tls_unref(&l->tls);
    }
    free(set->items);
    set->items = NULL;
    set->count = 0;
}
