/* A request on the control socket: whole strings, at most so many, or an error. */
#include "../fuzz.h"

#include "control/control.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request r;
    struct error e = ERROR_INIT;
    bool ok = control_request_parse((const char *)data, size, &r, &e);
    FUZZ_CHECK(ok == (r.count > 0) && r.count <= CONTROL_WORDS_MAX);
    FUZZ_CHECK(ok || e.kind != ERROR_NONE);
    for (size_t i = 0; i < r.count; i++)
        FUZZ_CHECK(strlen(r.words[i]) <= size);
    control_request_free(&r);
    return 0;
}
