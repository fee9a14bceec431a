#include "proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define V1_PREFIX    "PROXY "
#define V1_MIN       15 /* "PROXY UNKNOWN\r\n" */
#define V1_FIELD_MAX 48
#define V2_VERSION   2
#define V2_LOCAL     0
#define V2_PROXY     1
#define V2_UNSPEC    0x00
#define V2_TCP4      0x11
#define V2_TCP6      0x21
#define V2_UNIX      0x31
#define SKIP_PIECE   512

static const uint8_t signature[] = {'\r', '\n', '\r', '\n', 0,   '\r',
                                    '\n', 'Q',  'U',  'I',  'T', '\n'};

static bool begins(const uint8_t *data, size_t len, const void *with, size_t with_len)
{
    return memcmp(data, with, len < with_len ? len : with_len) == 0;
}

static enum proxy_parsed tell(struct proxy_header *out, int family, const void *address,
                              in_port_t port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->client;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->client;
    out->told = true;
    if (family == AF_INET) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        memcpy(&v4->sin_addr, address, sizeof v4->sin_addr);
        out->client_len = sizeof *v4;
    } else {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        memcpy(&v6->sin6_addr, address, sizeof v6->sin6_addr);
        out->client_len = sizeof *v6;
    }
    return PROXY_WHOLE;
}

/* ---- version 1: a line of text ---- */

/* Takes a field up to the one space behind it, or the last up to the end of the line. */
static bool take_field(const char **line, char field[V1_FIELD_MAX], bool last)
{
    size_t n = strcspn(*line, " ");
    if (n == 0 || n >= V1_FIELD_MAX || ((*line)[n] == '\0') != last)
        return false;
    memcpy(field, *line, n);
    field[n] = '\0';
    *line += n + !last;
    return true;
}

static bool parse_port(const char *text, in_port_t *port)
{
    size_t digits = strspn(text, "0123456789");
    long n = strtol(text, NULL, 10);
    if (digits == 0 || digits > 5 || text[digits] || (text[0] == '0' && digits > 1) ||
        n > UINT16_MAX)
        return false;
    *port = htons((uint16_t)n);
    return true;
}

/* "TCP4 192.0.2.7 198.51.100.1 56324 143" */
static enum proxy_parsed parse_addresses(const char *line, struct proxy_header *out)
{
    char field[V1_FIELD_MAX];
    uint8_t source[sizeof(struct in6_addr)], destination[sizeof(struct in6_addr)];
    in_port_t port, unused;
    if (!take_field(&line, field, false))
        return PROXY_BAD;
    int family = strcmp(field, "TCP4") == 0 ? AF_INET : AF_INET6;
    if (family == AF_INET6 && strcmp(field, "TCP6") != 0)
        return PROXY_BAD;
    if (!take_field(&line, field, false) || inet_pton(family, field, source) != 1 ||
        !take_field(&line, field, false) || inet_pton(family, field, destination) != 1 ||
        !take_field(&line, field, false) || !parse_port(field, &port) ||
        !take_field(&line, field, true) || !parse_port(field, &unused))
        return PROXY_BAD;
    return tell(out, family, source, port);
}

static enum proxy_parsed parse_v1(const uint8_t *data, size_t len, size_t *more,
                                  struct proxy_header *out)
{
    static const char unknown[] = "UNKNOWN";
    char line[PROXY_V1_MAX + 1];
    if (len < V1_MIN) {
        *more = V1_MIN - len;
        return PROXY_MORE;
    }
    if (memchr(data, '\n', len - 1))
        return PROXY_BAD;
    if (data[len - 1] != '\n') {
        *more = data[len - 1] == '\r' ? 1 : 2;
        return len + *more <= PROXY_V1_MAX ? PROXY_MORE : PROXY_BAD;
    }
    memcpy(line, data, len);
    line[len - 2] = '\0';
    if (data[len - 2] != '\r' || strlen(line) != len - 2 || strchr(line, '\r'))
        return PROXY_BAD;
    const char *rest = line + sizeof V1_PREFIX - 1;
    size_t n = sizeof unknown - 1;
    /* What follows UNKNOWN is to be ignored. */
    if (strncmp(rest, unknown, n) == 0 && (rest[n] == '\0' || rest[n] == ' '))
        return PROXY_WHOLE;
    return parse_addresses(rest, out);
}

/* ---- version 2: binary ---- */

static size_t addresses_size(unsigned family)
{
    return family == V2_TCP4 ? 12 : family == V2_TCP6 ? 36 : 0;
}

static enum proxy_parsed parse_v2(const uint8_t *data, size_t len, size_t *more,
                                  struct proxy_header *out)
{
    if (len < PROXY_V2_FIXED) {
        *more = PROXY_V2_FIXED - len;
        return PROXY_MORE;
    }
    unsigned version = data[12] >> 4, command = data[12] & 0x0f, family = data[13];
    size_t follows = (size_t)data[14] << 8 | data[15];
    if (version != V2_VERSION || (command != V2_LOCAL && command != V2_PROXY))
        return PROXY_BAD;
    size_t need = command == V2_PROXY ? addresses_size(family) : 0;
    if (command == V2_PROXY && !need && family != V2_UNSPEC && family != V2_UNIX)
        return PROXY_BAD;
    if (need > follows)
        return PROXY_BAD;
    if (len < PROXY_V2_FIXED + need) {
        *more = PROXY_V2_FIXED + need - len;
        return PROXY_MORE;
    }
    out->skip = follows - need;
    if (!need)
        return PROXY_WHOLE;
    const uint8_t *addresses = data + PROXY_V2_FIXED;
    size_t address = family == V2_TCP4 ? 4 : 16;
    in_port_t port;
    memcpy(&port, addresses + 2 * address, sizeof port);
    return tell(out, family == V2_TCP4 ? AF_INET : AF_INET6, addresses, port);
}

enum proxy_parsed proxy_parse(const uint8_t *data, size_t len, size_t *more,
                              struct proxy_header *out)
{
    *out = (struct proxy_header){.told = false};
    if (len == 0) {
        *more = V1_MIN; /* the shorter of both */
        return PROXY_MORE;
    }
    if (begins(data, len, signature, sizeof signature))
        return parse_v2(data, len, more, out);
    if (len <= PROXY_V1_MAX && begins(data, len, V1_PREFIX, sizeof V1_PREFIX - 1))
        return parse_v1(data, len, more, out);
    return PROXY_BAD;
}

bool proxy_read(struct session_conn *c, int64_t deadline_ms, struct proxy_header *out,
                struct error *e)
{
    uint8_t data[PROXY_BYTES_MAX], dropped[SKIP_PIECE];
    size_t len = 0, more = 0, got;
    enum proxy_parsed parsed;
    while ((parsed = proxy_parse(data, len, &more, out)) == PROXY_MORE) {
        if (!session_conn_raw(c, data + len, more, deadline_ms, &got, e))
            return false;
        len += got;
    }
    if (parsed == PROXY_BAD)
        return error_set(e, ERROR_CANCELED, "it does not begin with a PROXY header");
    for (size_t left = out->skip; left; left -= got) {
        if (!session_conn_raw(c, dropped, left < SKIP_PIECE ? left : SKIP_PIECE, deadline_ms, &got,
                              e))
            return false;
    }
    return true;
}
