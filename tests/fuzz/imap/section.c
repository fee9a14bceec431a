/*
 * Sections: a line "SECTION FIELD" and a message. What a section names lies inside the message, and
 * HEADER.FIELDS and HEADER.FIELDS.NOT share the header between them.
 */
#include "../fuzz.h"

#include "fetch.h"

#include <string.h>

static void choose(struct fetch_section section, const char *field, const char *header, size_t len)
{
    struct buf named = BUF_INIT(len + 2), others = BUF_INIT(len);
    const char *const fields[] = {field, NULL};
    section.fields = fields;
    section.kind = SECTION_FIELDS;
    FUZZ_CHECK(section_put_fields(&section, header, len, &named));
    section.kind = SECTION_FIELDS_NOT;
    FUZZ_CHECK(section_put_fields(&section, header, len, &others));
    FUZZ_CHECK(named.len - 2 + others.len == len);
    buf_free(&named);
    buf_free(&others);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *lf = memchr(text, '\n', size);
    size_t line = lf ? (size_t)(lf - text) : size;
    const char *message = lf ? lf + 1 : text + size;
    size_t len = size - (size_t)(message - text);
    const char *space = memchr(text, ' ', line);
    struct arena *a = arena_new();
    struct fetch_section section;
    struct section_place place;
    if (section_parse(text, space ? (size_t)(space - text) : line, a, &section)) {
        struct mime_structure structure;
        FUZZ_CHECK(section.depth <= SECTION_DEPTH_MAX);
        mime_structure_parse(message, len, a, &structure);
        if (section_find(&section, &structure, &place)) {
            FUZZ_CHECK(place.span.start + place.span.len <= len);
            char *field = arena_strndup(a, space ? space + 1 : "x",
                                        space ? line - (size_t)(space + 1 - text) : 1);
            choose(section, field, message + place.span.start, place.span.len);
        }
    }
    arena_free(&a);
    return 0;
}
