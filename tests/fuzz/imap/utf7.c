/* Modified UTF-7: what decodes encodes back to the same bytes, and what encodes decodes back. */
#include "../fuzz.h"

#include "utf7.h"

#include <string.h>

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT(LIMIT), there = BUF_INIT(LIMIT), back = BUF_INIT(LIMIT);
    if (size > LIMIT / 8 || memchr(data, '\0', size))
        return 0;
    buf_append(&text, data, size);
    if (imap_utf7_decode(buf_str(&text), &there)) {
        FUZZ_CHECK(imap_utf7_encode(buf_str(&there), &back));
        FUZZ_CHECK(strcmp(buf_str(&back), buf_str(&text)) == 0);
    }
    buf_clear(&there);
    buf_clear(&back);
    if (imap_utf7_encode(buf_str(&text), &there)) {
        FUZZ_CHECK(imap_utf7_decode(buf_str(&there), &back));
        FUZZ_CHECK(strcmp(buf_str(&back), buf_str(&text)) == 0);
    }
    buf_free(&text);
    buf_free(&there);
    buf_free(&back);
    return 0;
}
