/* Claims challenges: WWW-Authenticate as any server may send it. */
#include "../fuzz.h"

#include "challenge.h"
#include "json.h"

#include "postern/base/alloc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf found = BUF_INIT(CHALLENGE_MAX);
    struct error e = ERROR_INIT;
    char *header = xstrndup((const char *)data, size);
    if (challenge_find(header, &found)) {
        FUZZ_CHECK(found.len > 1 && found.len <= CHALLENGE_MAX);
        char *claims = challenge_claims(buf_str(&found));
        struct json_object *root = json_read(claims, strlen(claims), &e);
        FUZZ_CHECK(root && strstr(claims, "\"cp1\""));
        json_object_put(root);
        free(claims);
    }
    buf_free(&found);
    free(header);
    return 0;
}
