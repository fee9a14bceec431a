/* What begins the device code flow: its words go to a terminal, its address to a person. */
#include "../fuzz.h"

#include "sign_in_parts.h"

#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct graph_device_code code;
    struct error e = ERROR_INIT;
    bool ok = sign_in_device_decode((const char *)data, size, &code, &e);
    FUZZ_CHECK(ok == (e.kind == ERROR_NONE) && ok == (code.device_code != NULL));
    if (ok) {
        FUZZ_CHECK(strncasecmp(code.verification_url, "https://", 8) == 0 &&
                   !strpbrk(code.verification_url, " \t\r\n\033\\"));
        FUZZ_CHECK(*code.user_code && !strpbrk(code.user_code, " \t\r\n\033"));
        FUZZ_CHECK(code.interval_ms >= 1000 && code.interval_ms <= 60000);
    }
    graph_device_code_free(&code);
    return 0;
}
