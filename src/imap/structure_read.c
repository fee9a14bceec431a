/* BODY from BODYSTRUCTURE: the text is read back, and what is extension data is left out. */
#include "structure.h"

#include <string.h>
#include <strings.h>

/* Multiparts and messages inside each other, and the lists inside of a part. */
#define DEPTH_MAX (2 * MIME_DEPTH_MAX + 8)

struct reader {
    const char *p, *end;
    struct buf *out; /* NULL: what is read is passed over */
};

static bool take(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return !r->out || buf_putc(r->out, c);
}

static bool is_next(const struct reader *r, char c)
{
    return r->p < r->end && *r->p == c;
}

static const char *quoted_end(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        if (*p == '\\' && end - p > 1)
            p++;
    return p < end ? p + 1 : NULL;
}

static const char *literal_end(const char *p, const char *end)
{
    size_t n = 0;
    for (p++; p < end && *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (size_t)(*p - '0');
        if (n > (size_t)(end - p))
            return NULL;
    }
    if (end - p < 3 || memcmp(p, "}\r\n", 3) != 0 || (size_t)(end - p - 3) < n)
        return NULL;
    return p + 3 + n;
}

/* NIL, a number, a string. */
static bool copy_word(struct reader *r)
{
    const char *start = r->p, *stop;
    if (is_next(r, '"'))
        stop = quoted_end(r->p, r->end);
    else if (is_next(r, '{'))
        stop = literal_end(r->p, r->end);
    else
        for (stop = r->p; stop < r->end && !strchr(" ()", *stop);)
            stop++;
    if (!stop || stop == start)
        return false;
    r->p = stop;
    return !r->out || buf_append(r->out, start, (size_t)(stop - start));
}

/* A word, or a list of values. */
static bool copy_value(struct reader *r)
{
    size_t depth = 0;
    do {
        if (is_next(r, '(')) {
            if (!take(r, '(') || ++depth > DEPTH_MAX)
                return false;
        } else if (is_next(r, ')')) {
            if (depth-- == 0 || !take(r, ')'))
                return false;
        } else if (is_next(r, ' ')) {
            if (depth == 0 || !take(r, ' '))
                return false;
        } else if (!copy_word(r)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

static bool copy_values(struct reader *r, unsigned count)
{
    while (count-- > 0)
        if (!take(r, ' ') || !copy_value(r))
            return false;
    return true;
}

/* The rest of a part, its closing parenthesis included. */
static bool skip_extension(struct reader *r)
{
    struct buf *out = r->out;
    bool ok = true;
    r->out = NULL;
    while (ok && !is_next(r, ')'))
        ok = take(r, ' ') && copy_value(r);
    r->out = out;
    return ok && take(r, ')');
}

static bool copy_part(struct reader *r, size_t depth);

/* Behind the opening parenthesis of a part that is no multipart. */
static bool copy_leaf(struct reader *r, size_t depth)
{
    static const char text[] = "\"text\" ", message[] = "\"message\" \"rfc822\" ";
    size_t left = (size_t)(r->end - r->p);
    bool is_text = left >= sizeof text && strncasecmp(r->p, text, sizeof text - 1) == 0;
    bool is_message = left >= sizeof message && strncasecmp(r->p, message, sizeof message - 1) == 0;
    if (!copy_value(r) || !copy_values(r, 6))
        return false;
    if (is_message && (!copy_values(r, 1) || !take(r, ' ') || !copy_part(r, depth + 1)))
        return false;
    return ((!is_text && !is_message) || copy_values(r, 1)) && skip_extension(r);
}

static bool copy_part(struct reader *r, size_t depth)
{
    if (depth > DEPTH_MAX || !take(r, '('))
        return false;
    if (!is_next(r, '('))
        return copy_leaf(r, depth);
    while (is_next(r, '('))
        if (!copy_part(r, depth + 1))
            return false;
    return copy_values(r, 1) && skip_extension(r);
}

bool imap_put_structure_basic(const char *text, size_t len, struct buf *out)
{
    struct reader r = {.p = text, .end = text + len, .out = out};
    return copy_part(&r, 0) && r.p == r.end && !out->overflow;
}
