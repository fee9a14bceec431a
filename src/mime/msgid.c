#include "postern/mime/msgid.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\0';
}

/* At the byte behind "(" of a comment; the one behind its end. */
static size_t skip_comment(const char *value, size_t len, size_t i)
{
    for (int depth = 1; i < len && depth > 0; i++) {
        depth += value[i] == '(' ? 1 : value[i] == ')' ? -1 : 0;
        i += value[i] == '\\';
    }
    return i < len ? i : len;
}

/* At the byte behind "<". False: it does not end, another one begins first, or there is no "@" with
 * something on both sides. */
static bool read_id(const char *value, size_t len, size_t *pos, struct buf *out)
{
    size_t i = *pos, at = 0;
    bool quoted = false;
    buf_clear(out);
    for (; i < len && (quoted || (value[i] != '>' && value[i] != '<')); i++) {
        char c = value[i];
        if (c == '"') {
            quoted = !quoted;
            continue;
        }
        if (c == '(' && !quoted) {
            i = skip_comment(value, len, i + 1) - 1;
            continue;
        }
        if (is_blank(c) && !(quoted && c == ' '))
            continue;
        if (quoted && c == '\\' && i + 1 < len)
            c = value[++i];
        if (c == '@' && !quoted)
            at = out->len;
        buf_putc(out, c);
    }
    *pos = i;
    return i < len && value[i] == '>' && at > 0 && at + 1 < out->len;
}

bool mime_msgid_next(const char *value, size_t len, size_t *pos, struct buf *out)
{
    while (*pos < len) {
        const char *open = memchr(value + *pos, '<', len - *pos);
        if (!open)
            break;
        *pos = (size_t)(open - value) + 1;
        if (read_id(value, len, pos, out))
            return true;
    }
    *pos = len;
    return false;
}
