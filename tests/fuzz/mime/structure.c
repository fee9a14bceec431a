/* Structure: parts form a tree, lie inside their parents, and parameters decode to valid text. */
#include "../fuzz.h"

#include "postern/mime/structure.h"

static void check_part(const struct mime_structure *s, size_t index, size_t size)
{
    const struct mime_part *p = &s->parts[index];
    FUZZ_CHECK(p->header.start + p->header.len == p->body.start);
    FUZZ_CHECK(p->body.start + p->body.len <= size);
    FUZZ_CHECK(p->depth <= MIME_DEPTH_MAX);
    FUZZ_CHECK((p->kind == MIME_LEAF) == (p->first_child == MIME_NO_PART));
    FUZZ_CHECK(p->body_lines <= p->body.len);
    if (p->next_sibling != MIME_NO_PART) {
        const struct mime_part *next = &s->parts[p->next_sibling];
        FUZZ_CHECK(p->next_sibling > index && next->parent == p->parent);
        FUZZ_CHECK(next->header.start >= p->body.start + p->body.len);
    }
    if (p->parent != MIME_NO_PART) {
        const struct mime_part *parent = &s->parts[p->parent];
        FUZZ_CHECK(p->parent < index && p->depth == parent->depth + 1);
        FUZZ_CHECK(p->header.start >= parent->body.start);
        FUZZ_CHECK(p->body.len == 0 ||
                   p->body.start + p->body.len <= parent->body.start + parent->body.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct mime_structure s;
    mime_structure_parse((const char *)data, size, arena, &s);
    FUZZ_CHECK(s.count >= 1 && s.count <= MIME_PARTS_MAX);
    for (size_t i = 0; i < s.count; i++) {
        struct buf name = BUF_INIT(1 << 20);
        check_part(&s, i, size);
        mime_param_decode(&s.parts[i].content_type, "name", &name);
        mime_param_decode(&s.parts[i].disposition, "filename", &name);
        buf_free(&name);
    }
    arena_free(&arena);
    return 0;
}
