/* Answers of the token endpoint: the first byte chooses the status. A token or a clear error. */
#include "../fuzz.h"

#include "oauth.h"

#include "postern/base/alloc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 201, 302, 400, 401, 429, 500, 503};
    if (size == 0)
        return 0;
    struct answer a = {.status = statuses[data[0] % 8]};
    struct oauth_grant token;
    struct error e = ERROR_INIT;
    if (oauth_grant_decode(&a, (const char *)data + 1, size - 1, &token, &e)) {
        /* It goes into a header, and its life into a deadline. */
        FUZZ_CHECK(a.status == 200 && *token.access && !strpbrk(token.access, " \t\r\n"));
        FUZZ_CHECK(strlen(token.access) <= OAUTH_TOKEN_MAX);
        FUZZ_CHECK(token.lifetime_ms >= OAUTH_LIFETIME_MIN_MS &&
                   token.lifetime_ms <= OAUTH_LIFETIME_MAX_MS);
    } else {
        FUZZ_CHECK(!token.access && e.kind != ERROR_NONE && *e.text);
        FUZZ_CHECK(!strpbrk(e.text, "\r\n"));
    }
    oauth_grant_clear(&token);
    return 0;
}
