/* Encoded words, charsets and transfer encodings: what comes out is one line of valid UTF-8. */
#include "../fuzz.h"

#include "postern/mime/charset.h"
#include "postern/mime/transfer.h"
#include "postern/mime/word.h"

#include <string.h>

static void check_transfers(const char *text, size_t size)
{
    static const enum mime_transfer encodings[] = {MIME_TRANSFER_BASE64,
                                                   MIME_TRANSFER_QUOTED_PRINTABLE};
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        struct buf out = BUF_INIT(size);
        FUZZ_CHECK(mime_transfer_decode(encodings[i], text, size, &out));
        buf_free(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct buf out = BUF_INIT(18 * size), again = BUF_INIT(18 * size);
    FUZZ_CHECK(mime_text_decode(text, size, &out));
    FUZZ_CHECK(mime_charset_to_utf8(NULL, 0, buf_str(&out), out.len, &again));
    FUZZ_CHECK(out.len == again.len);
    for (size_t i = 0; i < out.len; i++)
        FUZZ_CHECK((unsigned char)out.data[i] >= ' ' && out.data[i] != 0x7f);
    buf_free(&out);
    buf_free(&again);
    check_transfers(text, size);
    return 0;
}
