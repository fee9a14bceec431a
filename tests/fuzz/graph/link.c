/* A link that passes goes to the origin and to nobody else. */
#include "../fuzz.h"

#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ORIGIN "https://graph.microsoft.com"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf host = BUF_INIT(256);
    char *link = malloc(size + 1);
    memcpy(link, data, size);
    link[size] = '\0';
    if (url_same_origin(link, ORIGIN, &host)) {
        size_t n = strlen(ORIGIN);
        FUZZ_CHECK(strncasecmp(link, ORIGIN, n) == 0);
        FUZZ_CHECK(link[n] == '\0' || strchr(":/?", link[n]));
    }
    buf_free(&host);
    free(link);
    return 0;
}
