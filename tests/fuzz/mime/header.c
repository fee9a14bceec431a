/* The header scanner: fields lie inside the block, in order, and a walk ends at its end. */
#include "../fuzz.h"

#include "postern/mime/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *message = (const char *)data;
    size_t header = mime_header_size(message, size), pos = 0, before = 0;
    struct mime_field f;
    FUZZ_CHECK(header <= size);
    while (mime_field_next(message, size, &pos, &f)) {
        FUZZ_CHECK(pos > before && f.end == message + pos);
        FUZZ_CHECK(f.name >= message + before && f.name_len > 0);
        FUZZ_CHECK(f.name + f.name_len < f.value && f.value + f.value_len <= f.end);
        before = pos;
    }
    FUZZ_CHECK(pos <= header && header - pos <= 2);
    return 0;
}
