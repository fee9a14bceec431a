/*
 * The header block of a message as it lies in memory (RFC 5322 section 2.2): finding its end,
 * walking its fields. Pure functions, no allocation, offsets exact, any bytes tolerated.
 * Lines end with CRLF or bare LF; a bare CR is ordinary text.
 */
#ifndef POSTERN_MIME_HEADER_H
#define POSTERN_MIME_HEADER_H

#include <stdbool.h>
#include <stddef.h>

struct mime_field {
    const char *name; /* without the colon and white space before it */
    size_t name_len;
    const char *value; /* raw, from right behind the colon: folded lines and white space included,
                          the final line end not */
    size_t value_len;
    const char *end; /* first byte after the field */
};

/* Length of the header block including the blank line that ends it; `len` if there is none. */
size_t mime_header_size(const char *data, size_t len);
/* The next field at *pos; moves *pos behind it. False at the end of the block: *pos is then at
 * its blank line, or at `len`. A line that is no field (no colon, a gap in the name) is passed
 * over with the lines that continue it. */
bool mime_field_next(const char *data, size_t len, size_t *pos, struct mime_field *field);
/* The first field of that name, ASCII case ignored. */
bool mime_field_find(const char *data, size_t len, const char *name, struct mime_field *field);
bool mime_field_is(const struct mime_field *field, const char *name);

#endif
