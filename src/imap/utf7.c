#include "utf7.h"

#include <stdint.h>
#include <string.h>

#define SHIFT_IN  '&'
#define SHIFT_OUT '-'

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"

#define SURROGATE_HIGH 0xD800u
#define SURROGATE_LOW  0xDC00u
#define SURROGATE_END  0xE000u
#define PLANE_1        0x10000u
#define UNICODE_END    0x110000u

/* Stands for itself; "&" does not, but is written "&-". */
static bool is_direct(uint32_t c)
{
    return c >= 0x20 && c <= 0x7e;
}

static bool put_utf8(uint32_t c, struct buf *out)
{
    char bytes[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < PLANE_1 ? 3 : 4;
    static const unsigned char lead[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    for (size_t i = len; i-- > 1; c >>= 6)
        bytes[i] = (char)(0x80 | (c & 0x3F));
    bytes[0] = (char)(lead[len] | c);
    return buf_append(out, bytes, len);
}

/* ---- decoding ---- */

/* UTF-16 on its way to characters. */
struct units {
    uint32_t high; /* a surrogate that waits for its second half, 0: none */
    bool any;
    struct buf *out;
};

static bool take_unit(struct units *u, uint32_t unit)
{
    uint32_t c = unit;
    if (u->high) {
        if (unit < SURROGATE_LOW || unit >= SURROGATE_END)
            return false;
        c = PLANE_1 + ((u->high - SURROGATE_HIGH) << 10) + (unit - SURROGATE_LOW);
        u->high = 0;
    } else if (unit >= SURROGATE_LOW && unit < SURROGATE_END) {
        return false;
    } else if (unit >= SURROGATE_HIGH && unit < SURROGATE_LOW) {
        u->high = unit;
        return true;
    }
    u->any = true;
    return c != 0 && !is_direct(c) && put_utf8(c, u->out);
}

/* One base64 run; *at stands behind its "&" and is left behind its "-". */
static bool decode_run(const char **at, struct buf *out)
{
    struct units units = {.out = out};
    uint32_t bits = 0;
    unsigned have = 0;
    const char *p = *at;
    for (; *p != SHIFT_OUT; p++) {
        const char *digit = *p ? strchr(ALPHABET, *p) : NULL;
        if (!digit)
            return false;
        bits = (bits << 6 | (uint32_t)(digit - ALPHABET)) & 0xFFFFFF;
        have += 6;
        if (have >= 16) {
            have -= 16;
            if (!take_unit(&units, bits >> have & 0xFFFF))
                return false;
        }
    }
    *at = p + 1;
    /* Padding is less than a digit, and zero; a run that goes on in the next one is superfluous. */
    return units.any && !units.high && have < 6 && (bits & ((1u << have) - 1)) == 0 &&
           !(p[1] == SHIFT_IN && p[2] != SHIFT_OUT);
}

bool imap_utf7_decode(const char *name, struct buf *out)
{
    while (*name) {
        unsigned char c = (unsigned char)*name++;
        if (!is_direct(c))
            return false;
        if (c != SHIFT_IN) {
            if (!buf_putc(out, (char)c))
                return false;
        } else if (*name == SHIFT_OUT) {
            name++;
            if (!buf_putc(out, SHIFT_IN))
                return false;
        } else if (!decode_run(&name, out)) {
            return false;
        }
    }
    return true;
}

/* ---- encoding ---- */

/* The next character; 0 at the end, UNICODE_END if it is not UTF-8. */
static uint32_t next_character(const char **at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, PLANE_1};
    const unsigned char *p = (const unsigned char *)*at;
    size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    uint32_t c = len == 1 ? p[0] : p[0] & (0xFFu >> (len + 1));
    if (!*p)
        return 0;
    if ((p[0] & 0xC0) == 0x80 || p[0] >= 0xF8)
        return UNICODE_END;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return UNICODE_END;
        c = c << 6 | (p[i] & 0x3F);
    }
    *at += len;
    bool surrogate = c >= SURROGATE_HIGH && c < SURROGATE_END;
    return c < least[len] || surrogate || c > UNICODE_END ? UNICODE_END : c;
}

/* Base64 of UTF-16 as it comes. */
struct run {
    struct buf *out;
    uint32_t bits;
    unsigned have;
};

static bool put_unit(struct run *r, uint32_t unit)
{
    bool ok = true;
    r->bits = (r->bits << 16 | unit) & 0x3FFFFF;
    for (r->have += 16; ok && r->have >= 6; r->have -= 6)
        ok = buf_putc(r->out, ALPHABET[r->bits >> (r->have - 6) & 0x3F]);
    return ok;
}

static bool put_character(struct run *r, uint32_t c)
{
    if (c < PLANE_1)
        return put_unit(r, c);
    c -= PLANE_1;
    return put_unit(r, SURROGATE_HIGH + (c >> 10)) && put_unit(r, SURROGATE_LOW + (c & 0x3FF));
}

static bool end_run(struct run *r)
{
    bool ok = r->have == 0 || buf_putc(r->out, ALPHABET[r->bits << (6 - r->have) & 0x3F]);
    *r = (struct run){.out = r->out};
    return ok && buf_putc(r->out, SHIFT_OUT);
}

bool imap_utf7_encode(const char *utf8, struct buf *out)
{
    struct run run = {.out = out};
    bool inside = false, ok = true;
    for (uint32_t c; ok && (c = next_character(&utf8)) != 0;) {
        if (c >= UNICODE_END)
            return false;
        if (is_direct(c)) {
            ok = (!inside || end_run(&run)) && buf_putc(out, (char)c) &&
                 (c != SHIFT_IN || buf_putc(out, SHIFT_OUT));
            inside = false;
        } else {
            ok = (inside || buf_putc(out, SHIFT_IN)) && put_character(&run, c);
            inside = true;
        }
    }
    return ok && (!inside || end_run(&run));
}
