#include "listener.h"

#include "address.h"

#include "postern/base/alloc.h"
#include "postern/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *advice(int cause, int family)
{
    switch (cause) {
    case EADDRINUSE:
        return "; another program listens there, or a listener of before on part of it, which a "
               "restart frees";
    case EADDRNOTAVAIL:
        return "; no interface has that address";
    case EACCES:
        if (family != AF_UNIX)
            return "; ports below 1024 need CAP_NET_BIND_SERVICE";
        break;
    default:
        break;
    }
    return family == AF_UNIX ? "; the directory must be there and writable for the user of the "
                               "service, and what is not a socket there is for you to remove"
                             : "";
}

static bool fail(const struct config_listener *l, const char *what, struct error *e)
{
    int cause = errno;
    return error_set(e, ERROR_LOCAL, "listener \"%s\": cannot %s %s: %s%s", l->name, what,
                     l->address, strerror(cause), advice(cause, l->sockaddr.ss_family));
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
    if (bound.any.sa_family == AF_UNIX)
        log_info("listener \"%s\": listening on %s", l->name, l->address);
    else
        log_info("listener \"%s\": listening on %s%s%s:%u", l->name, v6 ? "[" : "", address,
                 v6 ? "]" : "", address_port(&bound.any));
}

static void set_options(int fd, int family)
{
    int on = 1;
    if (family == AF_UNIX)
        return;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* "[::]" and "0.0.0.0" are two listeners on every system. */
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
}

static bool open_socket(struct listener *item, struct error *e)
{
    const struct config_listener *l = item->config;
    const struct sockaddr *address = (const struct sockaddr *)&l->sockaddr;
    item->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (item->fd < 0)
        return fail(l, "open a socket for", e);
    set_options(item->fd, address->sa_family);
    bool bound = address->sa_family == AF_UNIX ? local_socket_bind(item->fd, l, &item->file)
                                               : bind(item->fd, address, l->sockaddr_len) == 0;
    if (!bound)
        return fail(l, "bind", e);
    if (listen(item->fd, SOMAXCONN) < 0)
        return fail(l, "listen on", e);
    item->loopback = l->loopback;
    log_bound(item->fd, l);
    return true;
}

/* Where systemd's socket listens shows only now, so what the check of the configuration looks at
 * elsewhere is looked at here. */
static bool inherit_socket(struct listener *item, struct error *e)
{
    const struct config_listener *l = item->config;
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    item->fd = local_socket_inherit(config_listener_socket_name(l), e);
    if (item->fd < 0)
        return error_prefix(e, "listener \"%s\": ", l->name);
    int flags = fcntl(item->fd, F_GETFL);
    if (getsockname(item->fd, (struct sockaddr *)&bound, &len) < 0 || flags < 0 ||
        fcntl(item->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return fail(l, "look at", e);
    item->loopback = address_loopback((struct sockaddr *)&bound);
    if (l->tls == TLS_NONE && !item->loopback && !l->allow_plaintext)
        return error_set(e, ERROR_LOCAL,
                         "listener \"%s\": the socket from systemd would take passwords in the "
                         "clear from other machines; set tls, or write allow-plaintext = yes",
                         l->name);
    log_bound(item->fd, l);
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
            (address->sa_family == AF_UNIX || address_port(address) ||
             strcmp(before->name, l->name) == 0))
            return &old->items[i];
    }
    return NULL;
}

static void take_over(struct listener *item, const struct listener *before)
{
    item->fd = before->fd;
    item->file = before->file;
    item->loopback = before->loopback;
    item->inherited = true;
    if (item->file.inode)
        local_socket_set_mode(item->config);
}

static bool open_one(struct listener *item, const struct config *config,
                     const struct listener_set *old, struct error *e)
{
    const struct config_listener *l = item->config;
    if (l->tls != TLS_NONE) {
        item->tls = session_tls_new(&config->tls, l, e);
        if (!item->tls)
            return error_prefix(e, "listener \"%s\": ", l->name);
    }
    if (config_listener_socket_name(l))
        return inherit_socket(item, e);
    const struct listener *before = same_socket(old, l);
    if (!before)
        return open_socket(item, e);
    take_over(item, before);
    return true;
}

bool listener_set_open(struct listener_set *set, const struct config *config,
                       const struct listener_set *old, struct error *e)
{
    set->items = xcalloc(config->listener_count, sizeof *set->items);
    set->count = 0;
    while (set->count < config->listener_count) {
        struct listener *item = &set->items[set->count];
        item->config = &config->listeners[set->count++];
        item->fd = -1;
        if (!open_one(item, config, old, e)) {
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
        if (!l->inherited && l->fd >= 0 && !handed_over(l->fd, successor)) {
            local_socket_remove(l->config, &l->file);
            close(l->fd);
        }
        session_tls_unref(&l->tls);
    }
    free(set->items);
    set->items = NULL;
    set->count = 0;
}
