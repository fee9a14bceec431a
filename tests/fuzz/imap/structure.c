/*
 * BODYSTRUCTURE: what is written of any message reads back as BODY, which says the same less the
 * extension data; written text that was tampered with is refused or read, never more. With a first
 * byte of 't' the rest is such a text, else a message.
 */
#include "../fuzz.h"

#include "structure.h"

#define OUT_MAX ((size_t)16 * 1024 * 1024)

static void read_text(const char *text, size_t len)
{
    struct buf body = BUF_INIT(OUT_MAX);
    if (imap_put_structure_basic(text, len, &body))
        FUZZ_CHECK(body.len <= len);
    buf_free(&body);
}

static void round_trip(const char *message, size_t len)
{
    struct arena *a = arena_new();
    struct mime_structure s;
    struct buf text = BUF_INIT(OUT_MAX), body = BUF_INIT(OUT_MAX);
    mime_structure_parse(message, len, a, &s);
    if (imap_put_structure(&s, message, a, &text)) {
        FUZZ_CHECK(imap_put_structure_basic(text.data, text.len, &body));
        FUZZ_CHECK(body.len < text.len);
    }
    buf_free(&text);
    buf_free(&body);
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == 't')
        read_text((const char *)data + 1, size - 1);
    else
        round_trip((const char *)data, size);
    return 0;
}
