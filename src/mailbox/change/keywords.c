#include "keywords.h"

#include "postern/base/alloc.h"
#include "postern/base/buf.h"
#include "postern/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes that stand in an atom as they are. */
static bool is_plain(unsigned char c)
{
    return c > ' ' && c < 0x7f && !strchr("(){%*\"\\]", c);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of two digits, -1: they are none. */
static int hex_byte(const char *digits)
{
    int high = hex_value(digits[0]);
    int low = high < 0 ? -1 : hex_value(digits[1]);
    return low < 0 ? -1 : high * 16 + low;
}

/* Would an equals sign before this text be read as the beginning of an escape? */
static bool is_escape(const char *digits)
{
    int byte = hex_byte(digits);
    while (byte == '=') {
        digits += 2;
        byte = hex_byte(digits);
    }
    return byte > 0 && !is_plain((unsigned char)byte);
}

static void put_keyword(struct buf *out, const char *category)
{
    for (const char *p = category; *p; p++) {
        unsigned char c = (unsigned char)*p;
        if (is_plain(c) && !(c == '=' && is_escape(p + 1)))
            buf_putc(out, *p);
        else
            buf_printf(out, "=%02X", c);
    }
}

char *keywords_of_categories(const char **categories, bool *cut)
{
    struct buf out = BUF_INIT(KEYWORDS_MAX);
    *cut = false;
    for (; !*cut && *categories; categories++) {
        size_t before = out.len;
        if (!**categories)
            continue;
        if (before)
            buf_putc(&out, ' ');
        put_keyword(&out, *categories);
        *cut = out.overflow;
        if (*cut && before) { /* whole keywords only */
            out.len = before;
            out.data[before] = '\0';
        } else if (*cut) {
            buf_clear(&out);
        }
    }
    return buf_steal(&out);
}

/* Is it UTF-8 that a category can hold? */
static bool is_category(const char *text)
{
    size_t n = 1, units = 0;
    for (const char *p = text; n && *p; p += n) {
        n = text_utf8_len(p);
        units += n == 4 ? 2 : 1;
    }
    return n != 0 && units <= CATEGORY_MAX;
}

static const char *category_of(const char *word, size_t len, struct arena *a)
{
    char *out = arena_strndup(a, word, len), *to = out;
    for (const char *from = out; *from; from++) {
        bool escape = *from == '=' && is_escape(from + 1);
        *to++ = escape ? (char)hex_byte(from + 1) : *from;
        from += escape ? 2 : 0;
    }
    *to = '\0';
    return is_category(out) ? out : NULL;
}

/* The next word of a set; *len 0 at its end. */
static const char *next_word(const char *from, size_t *len)
{
    from += strspn(from, " ");
    *len = strcspn(from, " ");
    return from;
}

const char **keywords_to_categories(const char *set, struct arena *a)
{
    size_t count = 0, len;
    const char *word;
    const char **out = arena_alloc(a, (strlen(set) / 2 + 2) * sizeof *out);
    for (word = next_word(set, &len); len; word = next_word(word + len, &len))
        if (!(out[count++] = category_of(word, len, a)))
            return NULL;
    return out;
}

static bool has_word(const char *set, const char *word, size_t len)
{
    size_t n;
    for (const char *p = next_word(set, &n); n; p = next_word(p + n, &n))
        if (n == len && strncasecmp(p, word, len) == 0)
            return true;
    return false;
}

static bool has_all(const char *set, const char *words)
{
    size_t len;
    const char *p;
    for (p = next_word(words, &len); len; p = next_word(p + len, &len))
        if (!has_word(set, p, len))
            return false;
    return true;
}

bool keywords_same(const char *a, const char *b)
{
    a = a ? a : "";
    b = b ? b : "";
    return has_all(a, b) && has_all(b, a);
}

static void put_word(struct buf *out, const char *word, size_t len)
{
    if (out->len)
        buf_putc(out, ' ');
    buf_append(out, word, len);
}

char *keywords_change(const char *set, enum mailbox_flag_op op, const char *words)
{
    struct buf out = BUF_INIT(SIZE_MAX); /* both are limited where they come from */
    size_t len;
    const char *p;
    for (p = next_word(set, &len); len; p = next_word(p + len, &len))
        if (op == MAILBOX_FLAGS_ADD || has_word(words, p, len) == (op == MAILBOX_FLAGS_REPLACE))
            put_word(&out, p, len);
    if (op != MAILBOX_FLAGS_REMOVE)
        for (p = next_word(words, &len); len; p = next_word(p + len, &len))
            if (!has_word(buf_str(&out), p, len))
                put_word(&out, p, len);
    return buf_steal(&out);
}
