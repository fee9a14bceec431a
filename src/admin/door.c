#include "door.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 32

int admin_door_open(const struct config *config, struct error *e)
{
    const struct sockaddr *address = (const void *)&config->admin_sockaddr;
    const int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address, config->admin_sockaddr_len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    if (fd >= 0)
        close(fd);
    error_set(e, ERROR_LOCAL, "cannot listen on %s, the address of the admin endpoint: %s%s",
              config->admin_address, strerror(why),
              why == EADDRINUSE ? "; another program, or a listener, has that port"
              : why == EACCES   ? "; choose a port from 1024 on"
                                : "");
    return -1;
}

unsigned admin_door_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_storage storage;
    } address = {.storage = {0}};
    socklen_t len = sizeof address;
    /* The port stands at the same place for both families. */
    return getsockname(fd, &address.any, &len) == 0 ? ntohs(address.v4.sin_port) : 0;
}
