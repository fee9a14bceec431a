#include "postern/base/text.h"

#include <string.h>

size_t text_utf8_len(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xc2 && s[0] <= 0xdf   ? 2
               : (s[0] & 0xf0) == 0xe0        ? 3
               : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
                                              : 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

bool text_is_trick(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    return (len == 2 && s[0] == 0xc2 && s[1] < 0xa0) ||
           (len == 3 && s[0] == 0xe2 && s[1] == 0x80 && s[2] >= 0xa8 && s[2] <= 0xae) ||
           (len == 3 && s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

void text_clean(const char *s, char *out, size_t size)
{
    size_t len = 0;
    while (*s) {
        size_t n = text_utf8_len(s);
        bool good = n > 1 ? !text_is_trick(s, n) : n == 1 && *s >= 0x20 && *s != 0x7f;
        size_t put = good ? n : 1;
        if (len + put >= size)
            break;
        memcpy(out + len, good ? s : "?", put);
        len += put;
        s += n ? n : 1;
    }
    out[len] = '\0';
}
