/* Wire line ends: where the input is cut changes nothing, and wire form stays as it is. */
#include "../fuzz.h"

#include "postern/mime/crlf.h"

#include <string.h>

static void convert(const char *data, size_t len, bool stuff, size_t piece, struct buf *out)
{
    struct mime_crlf c;
    mime_crlf_init(&c, stuff);
    for (size_t i = 0; i < len; i += piece)
        FUZZ_CHECK(mime_crlf_feed(&c, data + i, len - i < piece ? len - i : piece, out));
    FUZZ_CHECK(mime_crlf_end(&c, out));
    FUZZ_CHECK(stuff ? c.octets <= out->len : c.octets == out->len);
}

/* Both ends of the protocol agree on what a line is. */
static void check_wire(const struct buf *out)
{
    for (size_t i = 0; i < out->len; i++) {
        if (out->data[i] == '\r')
            FUZZ_CHECK(out->data[i + 1] == '\n');
        if (out->data[i] == '\n')
            FUZZ_CHECK(i > 0 && out->data[i - 1] == '\r');
    }
    FUZZ_CHECK(out->len == 0 || out->data[out->len - 1] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    bool stuff = data[0] & 1;
    size_t piece = (size_t)data[1] + 1;
    const char *in = (const char *)data + 2;
    size -= 2;
    struct buf whole = BUF_INIT(2 * size + 2), pieces = BUF_INIT(2 * size + 2);
    convert(in, size, stuff, size + 1, &whole);
    convert(in, size, stuff, piece, &pieces);
    FUZZ_CHECK(whole.len == pieces.len);
    FUZZ_CHECK(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
    check_wire(&whole);
    if (!stuff) {
        buf_clear(&pieces);
        convert(buf_str(&whole), whole.len, false, piece, &pieces);
        FUZZ_CHECK(whole.len == pieces.len);
    }
    buf_free(&whole);
    buf_free(&pieces);
    return 0;
}
