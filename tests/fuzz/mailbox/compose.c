/* MIME as JSON says it: whatever comes in, what comes out is valid text and lies in the message. */
#include "append/compose.h"
#include "../fuzz.h"

#include "postern/mime/charset.h"

#include <string.h>

/* Valid UTF-8 stays as it is. */
static void check_text(const char *text)
{
    struct buf out = BUF_INIT((size_t)64 << 20);
    if (!text)
        return;
    FUZZ_CHECK(mime_charset_to_utf8("utf-8", 5, text, strlen(text), &out));
    FUZZ_CHECK(strcmp(buf_str(&out), text) == 0);
    buf_free(&out);
}

static void check_people(const struct graph_people *people, size_t max)
{
    FUZZ_CHECK(people->count <= max);
    for (size_t i = 0; i < people->count; i++) {
        check_text(people->items[i].name);
        check_text(people->items[i].address);
        FUZZ_CHECK(people->items[i].address[0]);
    }
}

static void check_message(const struct graph_new *m)
{
    check_text(m->subject);
    check_text(m->body);
    check_text(m->message_id);
    check_people(&m->from, 1);
    check_people(&m->sender, 1);
    check_people(&m->to, COMPOSE_PEOPLE_MAX);
    check_people(&m->reply_to, COMPOSE_PEOPLE_MAX);
    FUZZ_CHECK(m->header_count <= GRAPH_HEADERS_MAX);
    for (size_t i = 0; i < m->header_count; i++)
        check_text(m->headers[i].value);
    for (size_t i = 0; i < m->property_count; i++)
        check_text(m->properties[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *message = (const char *)data;
    struct arena *arena = arena_new();
    struct composed c;
    compose(message, size, arena, &c);
    check_message(&c.message);
    for (size_t i = 0; i < c.file_count; i++) {
        const struct compose_file *f = &c.files[i];
        struct buf bytes = BUF_INIT(size + 1);
        FUZZ_CHECK(f->raw >= message && f->raw + f->raw_len <= message + size);
        FUZZ_CHECK(compose_file_decode(f, &bytes));
        check_text(f->name);
        check_text(f->content_type);
        check_text(f->content_id);
        buf_free(&bytes);
    }
    arena_free(&arena);
    return 0;
}
