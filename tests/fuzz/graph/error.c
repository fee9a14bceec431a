/* Error bodies, and the gate: the first byte chooses the status. */
#include "../fuzz.h"

#include "error.h"
#include "gate.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {302, 400, 401, 403, 404, 410, 429, 503};
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    size_t len = size - 1;
    struct answer a = {.status = statuses[data[0] % 8]};
    struct error e = ERROR_INIT;
    graph_error_classify(&a, SUBJECT_MESSAGE, text, len, &e);
    FUZZ_CHECK(e.kind != ERROR_NONE && !strpbrk(e.text, "\r\n"));
    FUZZ_CHECK(gate_look(text, len, true) != GATE_HOLD);
    return 0;
}
