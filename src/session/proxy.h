/*
 * The PROXY protocol, versions 1 and 2 (haproxy.org, doc/proxy-protocol.txt): what a proxy tells
 * of its client before the first byte of it. The parser is pure; any thread.
 */
#ifndef SESSION_PROXY_H
#define SESSION_PROXY_H

#include "postern/base/error.h"
#include "postern/session/conn.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PROXY_V1_MAX    107 /* a line with its CRLF */
#define PROXY_V2_FIXED  16  /* before the addresses */
#define PROXY_BYTES_MAX PROXY_V1_MAX

struct proxy_header {
    bool told; /* false: LOCAL or UNKNOWN, the proxy speaks for itself */
    struct sockaddr_storage client;
    socklen_t client_len;
    size_t skip; /* bytes of the header that follow and mean nothing here (addresses of other
                    families, TLVs), at most 65535 */
};

enum proxy_parsed { PROXY_WHOLE, PROXY_MORE, PROXY_BAD };

/* Looks at the first `len` bytes of a connection. PROXY_MORE: at least `*more` further bytes belong
 * to the header, and are to be read; in all never more than PROXY_BYTES_MAX. */
enum proxy_parsed proxy_parse(const uint8_t *data, size_t len, size_t *more,
                              struct proxy_header *out);

/* Reads the header from a connection, and not a byte beyond it. Monotonic deadline. On false the
 * connection is of no use any more. */
bool proxy_read(struct session_conn *c, int64_t deadline_ms, struct proxy_header *out,
                struct error *e);

#endif
