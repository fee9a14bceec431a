#include "request.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 64 /* "localhost", or an address, with its NUL */

/* Cuts "[::1]:80" and "name:80" into the name, and looks at the port. */
static bool split(const char *host, char name[HOST_MAX])
{
    size_t skip = *host == '[', len = strcspn(host + skip, skip ? "]" : ":");
    const char *after = host + skip + len;
    if (len == 0 || len >= HOST_MAX || (skip && *after++ != ']'))
        return false;
    memcpy(name, host + skip, len);
    name[len] = '\0';
    if (!*after)
        return true;
    return *after == ':' && strspn(after + 1, "0123456789") == strlen(after + 1);
}

bool admin_host_is_ours(const char *host)
{
    char name[HOST_MAX];
    struct in_addr four;
    struct in6_addr six;
    if (!host || !split(host, name))
        return false;
    if (*host == '[')
        return inet_pton(AF_INET6, name, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
    if (inet_pton(AF_INET, name, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    return strcasecmp(name, "localhost") == 0;
}

unsigned admin_request(const char *method, const char *host, const char *path,
                       enum admin_view *view)
{
    static const struct {
        const char *path;
        enum admin_view view;
    } routes[] = {{"/", ADMIN_PAGE}, {"/health", ADMIN_HEALTH}, {"/metrics", ADMIN_METRICS}};
    if (!admin_host_is_ours(host))
        return MHD_HTTP_FORBIDDEN;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(path, routes[i].path) == 0) {
            *view = routes[i].view;
            return MHD_HTTP_OK;
        }
    }
    return MHD_HTTP_NOT_FOUND;
}
