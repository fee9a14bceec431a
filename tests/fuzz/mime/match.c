/*
 * Text in messages: what is found is what a naive search over the same parts, decoded in whole,
 * finds. The first byte is the length of the needle, which follows; the rest is the message.
 */
#include "../fuzz.h"

#include "postern/mime/casemap.h"
#include "postern/mime/charset.h"
#include "postern/mime/header.h"
#include "postern/mime/match.h"
#include "postern/mime/structure.h"
#include "postern/mime/transfer.h"

#include <string.h>
#include <strings.h>

#define TEXT_MAX ((size_t)1 << 26)

static bool contains(const struct mime_match *m, const char *utf8, size_t len)
{
    struct buf mapped = BUF_INIT(TEXT_MAX);
    mime_casemap(utf8, len, &mapped);
    bool found = m->len == 0 || memmem(buf_str(&mapped), mapped.len, m->needle, m->len);
    buf_free(&mapped);
    return found;
}

static bool part_contains(const struct mime_match *m, const struct mime_part *p,
                          const char *message)
{
    struct buf decoded = BUF_INIT(TEXT_MAX), text = BUF_INIT(TEXT_MAX);
    const char *charset = mime_param_get(&p->content_type, "charset");
    const char *encoding = p->encoding ? p->encoding : "";
    enum mime_transfer transfer;
    bool is_text = strcasecmp(p->content_type.type, "text") == 0 ||
                   strcasecmp(p->content_type.type, "message") == 0;
    if (p->kind != MIME_LEAF || !is_text ||
        !mime_transfer_known(encoding, strlen(encoding), &transfer))
        return false;
    mime_transfer_decode(transfer, message + p->body.start, p->body.len, &decoded);
    mime_charset_to_utf8(charset, charset ? strlen(charset) : 0, buf_str(&decoded), decoded.len,
                         &text);
    bool found = contains(m, buf_str(&text), text.len);
    buf_free(&decoded);
    buf_free(&text);
    return found;
}

static bool body_contains(const struct mime_match *m, const char *message, size_t len,
                          struct arena *arena)
{
    struct mime_structure s;
    bool found = m->len == 0;
    mime_structure_parse(message, len, arena, &s);
    for (size_t i = 0; i < s.count && !found; i++)
        found = part_contains(m, &s.parts[i], message);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size - 1 < data[0])
        return 0;
    const char *message = (const char *)data + 1 + data[0];
    size_t len = size - 1 - data[0];
    struct arena *arena = arena_new();
    struct buf needle = BUF_INIT(TEXT_MAX);
    struct mime_match m[4];
    mime_charset_to_utf8(NULL, 0, (const char *)data + 1, data[0], &needle);
    mime_match_init(&m[0], MIME_IN_BODY, NULL, buf_str(&needle), needle.len, arena);
    mime_match_init(&m[1], MIME_IN_TEXT, NULL, buf_str(&needle), needle.len, arena);
    mime_match_init(&m[2], MIME_IN_ADDRESSES, "From", buf_str(&needle), needle.len, arena);
    mime_match_init(&m[3], MIME_IN_LINE, "From", buf_str(&needle), needle.len, arena);
    mime_match_header(m, 4, message, mime_header_size(message, len));
    bool in_header = m[1].found;
    mime_match_body(m, 4, message, len);
    FUZZ_CHECK(m[0].found == body_contains(&m[0], message, len, arena));
    FUZZ_CHECK(m[1].found || !(m[0].found || in_header));
    buf_free(&needle);
    arena_free(&arena);
    return 0;
}
