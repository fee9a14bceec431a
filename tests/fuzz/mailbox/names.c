/* Names of folders: what is written reads back, and what reads is written back. */
#include "../fuzz.h"

#include "tree/names.h"

#include <string.h>

#define LIMIT ((size_t)4 * NAME_LEVEL_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT(LIMIT), there = BUF_INIT(LIMIT), back = BUF_INIT(LIMIT);
    if (size < 2 || size > NAME_LEVEL_MAX || memchr(data, '\0', size))
        return 0;
    bool top = data[0] & 1;
    buf_append(&text, data + 1, size - 1);
    FUZZ_CHECK(name_encode(buf_str(&text), top, &there));
    FUZZ_CHECK(!strchr(buf_str(&there), '/') && !(top && name_is_inbox(buf_str(&there))));
    FUZZ_CHECK(name_decode(there.data, there.len, top, &back));
    FUZZ_CHECK(strcmp(buf_str(&back), buf_str(&text)) == 0);
    buf_clear(&there);
    buf_clear(&back);
    if (name_decode(text.data, text.len, top, &there)) {
        FUZZ_CHECK(name_encode(buf_str(&there), top, &back));
        FUZZ_CHECK(strcmp(buf_str(&back), buf_str(&text)) == 0);
    }
    buf_free(&text);
    buf_free(&there);
    buf_free(&back);
    return 0;
}
