#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define HOST_BYTES 8 /* of an IPv6 address: the part below its /64 */

/* The four bytes of an IPv4 address, mapped ones too; NULL if it is none. */
static const unsigned char *ipv4_bytes(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return (const unsigned char *)&((const struct sockaddr_in *)(const void *)address)
            ->sin_addr;
    if (address->sa_family != AF_INET6)
        return NULL;
    const struct in6_addr *a = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    return IN6_IS_ADDR_V4MAPPED(a) ? a->s6_addr + 12 : NULL;
}

void address_format(const struct sockaddr *address, char out[ADDRESS_SIZE])
{
    const unsigned char *v4 = ipv4_bytes(address);
    if (v4)
        inet_ntop(AF_INET, v4, out, ADDRESS_SIZE);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, out,
                  ADDRESS_SIZE);
    else
        snprintf(out, ADDRESS_SIZE, "local");
}

void address_key(const struct sockaddr *address, char out[ADDRESS_SIZE])
{
    if (address->sa_family != AF_INET6 || ipv4_bytes(address)) {
        address_format(address, out);
        return;
    }
    struct sockaddr_in6 net = *(const struct sockaddr_in6 *)(const void *)address;
    memset(net.sin6_addr.s6_addr + sizeof net.sin6_addr - HOST_BYTES, 0, HOST_BYTES);
    inet_ntop(AF_INET6, &net.sin6_addr, out, ADDRESS_SIZE);
}

bool address_loopback(const struct sockaddr *address)
{
    const unsigned char *v4 = ipv4_bytes(address);
    if (v4)
        return v4[0] == 127;
    if (address->sa_family != AF_INET6)
        return address->sa_family == AF_UNIX;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

in_port_t address_port(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    if (address->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    return 0;
}

bool address_equal(const struct sockaddr *a, const struct sockaddr *b)
{
    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_INET) {
        const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;
        return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
    }
    if (a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *x = (const void *)a, *y = (const void *)b;
        return x->sin6_port == y->sin6_port && x->sin6_scope_id == y->sin6_scope_id &&
               memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0;
    }
    if (a->sa_family == AF_UNIX) {
        const struct sockaddr_un *x = (const void *)a, *y = (const void *)b;
        return strcmp(x->sun_path, y->sun_path) == 0;
    }
    return false;
}
