#include "postern/mime/transfer.h"

#include "postern/base/encode.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum mime_transfer encoding;
} names[] = {
    {"base64", MIME_TRANSFER_BASE64}, {"quoted-printable", MIME_TRANSFER_QUOTED_PRINTABLE},
    {"7bit", MIME_TRANSFER_NONE},     {"8bit", MIME_TRANSFER_NONE},
    {"binary", MIME_TRANSFER_NONE},
};

bool mime_transfer_known(const char *value, size_t len, enum mime_transfer *encoding)
{
    *encoding = MIME_TRANSFER_NONE;
    while (len > 0 && strchr(" \t\r\n", *value) && *value) {
        value++;
        len--;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i].name);
        /* A comment or a stray parameter may follow. */
        if (len >= n && strncasecmp(value, names[i].name, n) == 0 &&
            (len == n || strchr(" \t\r\n;(", value[n]))) {
            *encoding = names[i].encoding;
            return true;
        }
    }
    return len == 0;
}

enum mime_transfer mime_transfer_of(const char *value, size_t len)
{
    enum mime_transfer encoding;
    mime_transfer_known(value, len, &encoding);
    return encoding;
}

bool mime_transfer_decode(enum mime_transfer encoding, const char *data, size_t len,
                          struct buf *out)
{
    switch (encoding) {
    case MIME_TRANSFER_BASE64:
        return mime_base64_decode(data, len, out);
    case MIME_TRANSFER_QUOTED_PRINTABLE:
        return mime_quoted_printable_decode(data, len, out);
    case MIME_TRANSFER_NONE:
        break;
    }
    return buf_append(out, data, len);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool mime_base64_decode(const char *data, size_t len, struct buf *out)
{
    uint32_t acc = 0;
    int bits = 0;
    for (size_t i = 0; i < len; i++) {
        int v = base64_value(data[i]);
        if (data[i] == '=')
            bits = 0; /* the bits left over are padding */
        if (v < 0)
            continue;
        acc = acc << 6 | (uint32_t)v;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (!buf_putc(out, (char)(acc >> bits & 0xff)))
            return false;
    }
    return true;
}

/* The byte that "=XX" at `data` stands for; false if it is none. */
static bool hex_escape(const char *data, size_t len, char *byte)
{
    uint8_t value;
    if (len < 3 || data[0] != '=' || !hex_decode(data + 1, 2, &value))
        return false;
    *byte = (char)value;
    return true;
}

bool mime_q_decode(const char *data, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len;) {
        char byte = data[i] == '_' ? ' ' : data[i];
        i += hex_escape(data + i, len - i, &byte) ? 3 : 1;
        if (!buf_putc(out, byte))
            return false;
    }
    return true;
}

static size_t blanks(const char *data, size_t len)
{
    size_t n = 0;
    while (n < len && (data[n] == ' ' || data[n] == '\t'))
        n++;
    return n;
}

/* Whether a line or the data ends at `data`; *skip is the length of the line end. */
static bool at_line_end(const char *data, size_t len, size_t *skip)
{
    *skip = 0;
    if (*skip < len && data[*skip] == '\r')
        ++*skip;
    if (*skip == len)
        return true;
    return data[(*skip)++] == '\n';
}

bool mime_quoted_printable_decode(const char *data, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len;) {
        bool escape = data[i] == '=';
        size_t n = blanks(data + i + escape, len - i - escape), skip;
        bool line_ends = at_line_end(data + i + escape + n, len - i - escape - n, &skip);
        bool ok = true;
        char byte = data[i];
        if (escape && line_ends) {
            i += 1 + n + skip;
        } else if (escape) {
            i += hex_escape(data + i, len - i, &byte) ? 3 : 1;
            ok = buf_putc(out, byte);
        } else if (n > 0) { /* white space before a line end was added on the way */
            ok = line_ends || buf_append(out, data + i, n);
            i += n;
        } else {
            ok = buf_putc(out, byte);
            i++;
        }
        if (!ok)
            return false;
    }
    return true;
}
