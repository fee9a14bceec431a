#include "postern/base/csv.h"

#include <string.h>

#define BOM "\xef\xbb\xbf"

void csv_open(struct csv *c, const char *text, size_t len)
{
    *c = (struct csv){.next = text, .end = text + len, .line = 1};
    if (len >= sizeof BOM - 1 && memcmp(text, BOM, sizeof BOM - 1) == 0)
        c->next += sizeof BOM - 1;
}

static bool at_line_end(const struct csv *c)
{
    return c->next == c->end || *c->next == '\n' ||
           (*c->next == '\r' && (c->next + 1 == c->end || c->next[1] == '\n'));
}

static void skip_line_end(struct csv *c)
{
    if (c->next < c->end && *c->next == '\r')
        c->next++;
    if (c->next < c->end && *c->next == '\n')
        c->next++;
    c->line++;
}

/* A NUL would end the text early where it is used. */
static bool keep(const struct csv *c, const struct buf *field, struct error *e)
{
    if (field->overflow)
        return error_set(e, ERROR_ANSWER, "line %u: a field has more than %zu bytes", c->line,
                         CSV_FIELD_MAX);
    if (field->len && memchr(field->data, '\0', field->len))
        return error_set(e, ERROR_ANSWER, "line %u: a field has a NUL in it", c->line);
    return true;
}

static bool read_quoted(struct csv *c, struct buf *field, struct error *e)
{
    unsigned begun = c->line;
    for (c->next++; c->next < c->end; c->next++) {
        if (*c->next == '"' && (c->next + 1 == c->end || c->next[1] != '"')) {
            c->next++;
            if (at_line_end(c) || *c->next == ',')
                return keep(c, field, e);
            return error_set(e, ERROR_ANSWER, "line %u: text follows a closing quote", c->line);
        }
        if (*c->next == '"')
            c->next++;
        if (*c->next == '\n')
            c->line++;
        buf_putc(field, *c->next);
    }
    return error_set(e, ERROR_ANSWER, "line %u: a quote is never closed", begun);
}

static bool read_plain(struct csv *c, struct buf *field, struct error *e)
{
    for (; !at_line_end(c) && *c->next != ','; c->next++) {
        if (*c->next == '"')
            return error_set(e, ERROR_ANSWER, "line %u: a quote stands inside a field", c->line);
        buf_putc(field, *c->next);
    }
    return keep(c, field, e);
}

static bool read_field(struct csv *c, struct arena *a, struct csv_record *out, struct error *e)
{
    struct buf field = BUF_INIT(CSV_FIELD_MAX);
    bool ok = out->count < CSV_FIELDS_MAX ||
              error_set(e, ERROR_ANSWER, "line %u: more than %d fields", c->line, CSV_FIELDS_MAX);
    if (ok && c->next < c->end && *c->next == '"')
        ok = read_quoted(c, &field, e);
    else if (ok)
        ok = read_plain(c, &field, e);
    if (ok)
        out->fields[out->count++] = arena_strdup(a, buf_str(&field));
    buf_free(&field);
    return ok;
}

enum csv_result csv_next(struct csv *c, struct arena *a, struct csv_record *out, struct error *e)
{
    while (c->next < c->end && at_line_end(c))
        skip_line_end(c);
    if (c->next == c->end)
        return CSV_END;
    out->count = 0;
    out->line = c->line;
    for (;;) {
        if (!read_field(c, a, out, e)) {
            c->next = c->end;
            return CSV_FAULT;
        }
        if (at_line_end(c))
            break;
        c->next++; /* the comma */
    }
    skip_line_end(c);
    return CSV_RECORD;
}

bool csv_put(struct buf *out, const char *field)
{
    const char *guard = *field && strchr("=+-@\t\r", *field) ? "'" : "";
    if (!strpbrk(field, ",\"\r\n") && *field != ' ') {
        buf_puts(out, guard);
        return buf_puts(out, field);
    }
    buf_printf(out, "\"%s", guard);
    for (; *field; field++) {
        if (*field == '"')
            buf_putc(out, '"');
        buf_putc(out, *field);
    }
    return buf_putc(out, '"') && !out->overflow;
}
