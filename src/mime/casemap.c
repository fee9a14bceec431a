#include "postern/mime/casemap.h"

#include <stdint.h>
#include <stdlib.h>

#include "casemap.inc"

/* Hangul syllables are made of letters by arithmetic (Unicode, section 3.12). */
#define SYLLABLE_FIRST 0xac00
#define SYLLABLE_COUNT 11172
#define LEAD_FIRST     0x1100
#define VOWEL_FIRST    0x1161
#define TAIL_FIRST     0x11a7
#define VOWELS         21
#define TAILS          28

/* Reads the character at `s`, of which `len` bytes are there; its length. */
static size_t read_char(const uint8_t *s, size_t len, uint32_t *code)
{
    static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t want = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (want > len)
        want = len; /* not valid UTF-8 after all */
    *code = s[0] & lead_bits[want];
    for (size_t i = 1; i < want; i++)
        *code = *code << 6 | (s[i] & 0x3f);
    return want;
}

/* A letter of Hangul: U+0800 to U+FFFF, three bytes. */
static void put_letter(struct buf *out, uint32_t code)
{
    const char bytes[3] = {(char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)),
                           (char)(0x80 | (code & 0x3f))};
    buf_append(out, bytes, sizeof bytes);
}

static void put_syllable(struct buf *out, uint32_t index)
{
    put_letter(out, LEAD_FIRST + index / (VOWELS * TAILS));
    put_letter(out, VOWEL_FIRST + index / TAILS % VOWELS);
    if (index % TAILS)
        put_letter(out, TAIL_FIRST + index % TAILS);
}

static int compare(const void *key, const void *item)
{
    uint32_t a = *(const uint32_t *)key, b = *(const uint32_t *)item;
    return a < b ? -1 : a > b;
}

/* A character above U+007F, `len` bytes at `s`. */
static void put_mapped(struct buf *out, const uint8_t *s, size_t len, uint32_t code)
{
    if (code - SYLLABLE_FIRST < SYLLABLE_COUNT) {
        put_syllable(out, code - SYLLABLE_FIRST);
        return;
    }
    const uint32_t *hit =
        bsearch(&code, changed, sizeof changed / sizeof *changed, sizeof *changed, compare);
    if (!hit) {
        buf_append(out, s, len);
        return;
    }
    size_t index = (size_t)(hit - changed), start = index ? ends[index - 1] : 0;
    buf_append(out, mapped + start, ends[index] - start);
}

/* ASCII is nearly all of most mail, so it goes by the run. */
static void put_ascii(struct buf *out, const uint8_t *s, size_t len)
{
    if (!buf_reserve(out, len))
        return;
    for (size_t i = 0; i < len; i++)
        out->data[out->len + i] = (char)(s[i] >= 'a' && s[i] <= 'z' ? s[i] - 'a' + 'A' : s[i]);
    out->len += len;
    out->data[out->len] = '\0';
}

bool mime_casemap(const char *utf8, size_t len, struct buf *out)
{
    const uint8_t *s = (const uint8_t *)utf8;
    for (size_t i = 0; i < len && !out->overflow;) {
        size_t run = i;
        while (run < len && s[run] < 0x80)
            run++;
        if (run > i) {
            put_ascii(out, s + i, run - i);
            i = run;
            continue;
        }
        uint32_t code;
        size_t n = read_char(s + i, len - i, &code);
        put_mapped(out, s + i, n, code);
        i += n;
    }
    return !out->overflow;
}
