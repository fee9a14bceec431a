/* Sections of a message (RFC 3501 section 6.4.5). Pure. */
#include "fetch.h"

#include "postern/mime/header.h"
#include "postern/mime/transfer.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum section_kind kind;
} kinds[] = {
    {"", SECTION_WHOLE},
    {"HEADER", SECTION_HEADER},
    {"HEADER.FIELDS", SECTION_FIELDS},
    {"HEADER.FIELDS.NOT", SECTION_FIELDS_NOT},
    {"TEXT", SECTION_TEXT},
    {"MIME", SECTION_MIME},
};

/* A number that is not 0, and does not begin with it. */
static bool take_number(const char **p, const char *end, uint32_t *number)
{
    uint64_t n = 0;
    if (*p == end || **p < '1' || **p > '9')
        return false;
    for (; *p < end && **p >= '0' && **p <= '9'; ++*p) {
        n = n * 10 + (uint64_t)(**p - '0');
        if (n > UINT32_MAX)
            return false;
    }
    *number = (uint32_t)n;
    return true;
}

bool section_parse(const char *text, size_t len, struct arena *a, struct fetch_section *out)
{
    const char *p = text, *end = text + len;
    uint32_t path[SECTION_DEPTH_MAX];
    *out = (struct fetch_section){0};
    while (p < end && *p >= '0' && *p <= '9') {
        if (out->depth == SECTION_DEPTH_MAX || !take_number(&p, end, &path[out->depth]))
            return false;
        out->depth++;
        if (p < end && (*p++ != '.' || p == end))
            return false;
    }
    if (out->depth) {
        uint32_t *kept = arena_alloc(a, out->depth * sizeof *kept);
        memcpy(kept, path, out->depth * sizeof *kept);
        out->path = kept;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) != (size_t)(end - p) ||
            strncasecmp(kinds[i].name, p, (size_t)(end - p)) != 0)
            continue;
        out->kind = kinds[i].kind;
        return out->kind != SECTION_MIME || out->depth > 0;
    }
    return false;
}

/* Also one without any part. */
static bool is_multipart(const struct mime_part *part)
{
    return strcasecmp(part->content_type.type, "multipart") == 0;
}

/* The n-th part inside of a multipart. */
static const struct mime_part *child(const struct mime_structure *s, const struct mime_part *part,
                                     uint32_t n)
{
    size_t at = part->first_child;
    while (at != MIME_NO_PART && --n > 0)
        at = s->parts[at].next_sibling;
    return at == MIME_NO_PART ? NULL : &s->parts[at];
}

/* Part `n` of a message: of a multipart its n-th, of any other the message's own body is part 1. */
static const struct mime_part *part_of_message(const struct mime_structure *s,
                                               const struct mime_part *message, uint32_t n)
{
    if (is_multipart(message))
        return child(s, message, n);
    return n == 1 ? message : NULL;
}

static const struct mime_part *part_of_part(const struct mime_structure *s,
                                            const struct mime_part *part, uint32_t n)
{
    if (part->kind == MIME_MESSAGE)
        return part_of_message(s, &s->parts[part->first_child], n);
    return is_multipart(part) ? child(s, part, n) : NULL;
}

static bool find_in_message(enum section_kind kind, const struct mime_part *message,
                            struct section_place *out)
{
    switch (kind) {
    case SECTION_WHOLE:
        out->span =
            (struct mime_span){message->header.start, message->header.len + message->body.len};
        return true;
    case SECTION_TEXT:
        out->span = message->body;
        return true;
    default:
        out->span = message->header;
        return true;
    }
}

bool section_find(const struct fetch_section *section, const struct mime_structure *structure,
                  struct section_place *out)
{
    const struct mime_part *part = NULL;
    for (size_t i = 0; i < section->depth; i++) {
        part = part ? part_of_part(structure, part, section->path[i])
                    : part_of_message(structure, structure->parts, section->path[i]);
        if (!part)
            return false;
    }
    *out = (struct section_place){.part = part};
    if (!part)
        return find_in_message(section->kind, structure->parts, out);
    if (section->kind == SECTION_MIME || section->kind == SECTION_WHOLE) {
        out->span = section->kind == SECTION_MIME ? part->header : part->body;
        return true;
    }
    return part->kind == MIME_MESSAGE &&
           find_in_message(section->kind, &structure->parts[part->first_child], out);
}

static bool is_named(const char *const *fields, const struct mime_field *field)
{
    for (; *fields; fields++)
        if (mime_field_is(field, *fields))
            return true;
    return false;
}

bool section_put_fields(const struct fetch_section *section, const char *header, size_t len,
                        struct buf *out)
{
    size_t pos = 0, kept = 0; /* of the header, what is told or passed over so far */
    struct mime_field field;
    while (mime_field_next(header, len, &pos, &field)) {
        bool named = is_named(section->fields, &field);
        size_t start = (size_t)(field.name - header);
        if (section->kind == SECTION_FIELDS && named)
            buf_append(out, field.name, pos - start);
        if (section->kind == SECTION_FIELDS_NOT && named) {
            buf_append(out, header + kept, start - kept);
            kept = pos;
        }
    }
    if (section->kind == SECTION_FIELDS)
        buf_puts(out, "\r\n");
    else
        buf_append(out, header + kept, len - kept);
    return !out->overflow;
}

#define SAYS_BINARY " binary"

/* Appends the message from *at up to the body of a part that will be decoded, whose header no
 * longer names the encoding if it lies in between. */
static void put_up_to_body(const struct mime_part *part, const char *message, size_t *at,
                           struct buf *out)
{
    struct mime_field field;
    const char *header = message + part->header.start;
    if (part->header.start >= *at &&
        mime_field_find(header, part->header.len, "Content-Transfer-Encoding", &field)) {
        buf_append(out, message + *at, (size_t)(field.value - message) - *at);
        buf_puts(out, SAYS_BINARY);
        *at = (size_t)(field.value - message) + field.value_len;
    }
    buf_append(out, message + *at, part->body.start - *at);
    *at = part->body.start + part->body.len;
}

const char *section_decode(struct mime_span span, const struct mime_structure *structure,
                           const char *message, struct buf *out)
{
    size_t at = span.start, end = span.start + span.len;
    buf_init(out, span.len + structure->count * sizeof SAYS_BINARY);
    for (size_t i = 0; i < structure->count; i++) {
        const struct mime_part *part = &structure->parts[i];
        enum mime_transfer encoding = MIME_TRANSFER_NONE;
        /* Only what holds no parts of its own is encoded. */
        if (part->kind != MIME_LEAF || !part->encoding || part->body.start < at ||
            part->body.start + part->body.len > end)
            continue;
        if (!mime_transfer_known(part->encoding, strlen(part->encoding), &encoding))
            return part->encoding;
        if (encoding == MIME_TRANSFER_NONE)
            continue;
        put_up_to_body(part, message, &at, out);
        mime_transfer_decode(encoding, message + part->body.start, part->body.len, out);
    }
    buf_append(out, message + at, end - at);
    return NULL;
}
