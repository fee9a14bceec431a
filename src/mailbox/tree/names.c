#include "names.h"

#include "postern/base/alloc.h"

#include <string.h>
#include <strings.h>

#define INBOX     "INBOX"
#define INBOX_LEN 5
#define DELETE    0x7f
#define LEVEL_MAX ((size_t)3 * NAME_LEVEL_MAX)

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of an escape at `s`, -1 if there is none. */
static int escape_at(const char *s, size_t len)
{
    if (len < 3 || s[0] != '=' || hex_digit(s[1]) < 0 || hex_digit(s[2]) < 0)
        return -1;
    return hex_digit(s[1]) * 16 + hex_digit(s[2]);
}

bool name_is_inbox(const char *name)
{
    return strcasecmp(name, INBOX) == 0;
}

bool name_below_inbox(const char *name)
{
    return strncasecmp(name, INBOX "/", INBOX_LEN + 1) == 0;
}

char *name_canonical(const char *name)
{
    if (name_is_inbox(name) || name_below_inbox(name))
        return xasprintf(INBOX "%s", name + INBOX_LEN);
    return xstrdup(name);
}

bool name_encode(const char *display, bool top, struct buf *out)
{
    size_t len = strlen(display);
    if (len == 0)
        buf_puts(out, "=00");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)display[i];
        bool reserved = c == '/' || c < ' ' || c == DELETE ||
                        escape_at(display + i, len - i) >= 0 ||
                        (top && i == 0 && name_is_inbox(display));
        if (reserved)
            buf_printf(out, "=%02X", c);
        else
            buf_putc(out, (char)c);
    }
    return !out->overflow;
}

bool name_decode(const char *level, size_t len, bool top, struct buf *out)
{
    struct buf display = BUF_INIT(NAME_LEVEL_MAX), again = BUF_INIT(LEVEL_MAX);
    for (size_t i = 0; i < len; i++) {
        int byte = escape_at(level + i, len - i);
        buf_putc(&display, byte >= 0 ? (char)byte : level[i]);
        i += byte >= 0 ? 2 : 0;
    }
    /* What the other direction would not write is no name: two names would mean one folder. */
    bool ok = !display.overflow && display.len > 0 && strlen(buf_str(&display)) == display.len &&
              name_encode(buf_str(&display), top, &again) && again.len == len &&
              memcmp(again.data, level, len) == 0 && buf_append(out, display.data, display.len);
    buf_free(&display);
    buf_free(&again);
    return ok;
}
