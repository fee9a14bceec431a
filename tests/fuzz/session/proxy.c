/* PROXY headers, read as from a socket: only what is asked for, and that within the limit. */
#include "../fuzz.h"

#include "proxy.h"

#include <netinet/in.h>
#include <string.h>

static void check_told(const struct proxy_header *h)
{
    size_t len =
        h->client.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    FUZZ_CHECK(h->client.ss_family == AF_INET || h->client.ss_family == AF_INET6);
    FUZZ_CHECK(h->client_len == len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header h;
    enum proxy_parsed parsed;
    size_t len = 0, more = 0;
    for (;;) {
        /* A copy of its own size shows a read beyond it. */
        uint8_t *seen = malloc(len ? len : 1);
        if (!seen)
            return 0;
        memcpy(seen, data, len);
        parsed = proxy_parse(seen, len, &more, &h);
        free(seen);
        if (parsed != PROXY_MORE)
            break;
        FUZZ_CHECK(more > 0 && len + more <= PROXY_BYTES_MAX);
        if (len + more > size)
            return 0;
        len += more;
    }
    FUZZ_CHECK(h.skip <= UINT16_MAX);
    if (parsed == PROXY_WHOLE && h.told)
        check_told(&h);
    return 0;
}
