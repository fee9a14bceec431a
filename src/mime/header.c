#include "postern/mime/header.h"

#include <string.h>
#include <strings.h>

/* First byte after the line that starts at `pos`. */
static size_t line_after(const char *data, size_t len, size_t pos)
{
    const char *lf = memchr(data + pos, '\n', len - pos);
    return lf ? (size_t)(lf - data) + 1 : len;
}

static bool is_blank_line(const char *data, size_t len, size_t pos)
{
    if (data[pos] == '\r' && len - pos > 1)
        pos++;
    return data[pos] == '\n';
}

/* First byte after the field at `pos`, the lines that go on with white space included. */
static size_t field_after(const char *data, size_t len, size_t pos)
{
    pos = line_after(data, len, pos);
    while (pos < len && (data[pos] == ' ' || data[pos] == '\t'))
        pos = line_after(data, len, pos);
    return pos;
}

size_t mime_header_size(const char *data, size_t len)
{
    for (size_t pos = 0; pos < len; pos = line_after(data, len, pos)) {
        if (is_blank_line(data, len, pos))
            return line_after(data, len, pos);
    }
    return len;
}

/* A name is visible characters (8-bit ones are let through), with white space allowed before
 * the colon (RFC 5322 section 4.5.3). So a stray "From x Mon Jan 1 00:00:00" is no field. */
static bool parse_field(const char *line, size_t len, struct mime_field *field)
{
    size_t i = 0;
    while (i < len && (unsigned char)line[i] > ' ' && line[i] != 0x7f && line[i] != ':')
        i++;
    field->name = line;
    field->name_len = i;
    while (i < len && (line[i] == ' ' || line[i] == '\t'))
        i++;
    if (field->name_len == 0 || i == len || line[i] != ':')
        return false;
    field->value = line + i + 1;
    field->end = line + len;
    const char *stop = field->end;
    if (stop > field->value && stop[-1] == '\n') {
        stop--;
        if (stop > field->value && stop[-1] == '\r')
            stop--;
    }
    field->value_len = (size_t)(stop - field->value);
    return true;
}

bool mime_field_next(const char *data, size_t len, size_t *pos, struct mime_field *field)
{
    while (*pos < len && !is_blank_line(data, len, *pos)) {
        size_t start = *pos;
        *pos = field_after(data, len, start);
        if (parse_field(data + start, *pos - start, field))
            return true;
    }
    return false;
}

bool mime_field_find(const char *data, size_t len, const char *name, struct mime_field *field)
{
    size_t pos = 0;
    while (mime_field_next(data, len, &pos, field)) {
        if (mime_field_is(field, name))
            return true;
    }
    return false;
}

bool mime_field_is(const struct mime_field *field, const char *name)
{
    return strlen(name) == field->name_len && strncasecmp(field->name, name, field->name_len) == 0;
}
