#include "postern/base/encode.h"

#include "postern/base/alloc.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static bool encode64(const char *alphabet, bool pad, const uint8_t *in, size_t len, struct buf *out)
{
    if (len > out->max || !buf_reserve(out, (len + 2) / 3 * 4))
        return false;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t v = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                     (left > 2 ? in[i + 2] : 0);
        char quad[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63],
                        alphabet[v & 63]};
        size_t n = left > 2 ? 4 : left + 1;
        if (pad && n < 4) {
            memset(quad + n, '=', 4 - n);
            n = 4;
        }
        buf_append(out, quad, n);
    }
    return true;
}

bool base64_encode(const void *data, size_t len, struct buf *out)
{
    return encode64(standard, true, data, len, out);
}

bool base64url_encode(const void *data, size_t len, struct buf *out)
{
    return encode64(url_safe, false, data, len, out);
}

static int value64(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    if (c == (url ? '_' : '/'))
        return 63;
    return -1;
}

/* `len` bytes without padding; the bits left over at the end must be zero. */
static bool decode64(const char *text, size_t len, bool url, struct buf *out)
{
    uint32_t acc = 0;
    int bits = 0;
    if (len % 4 == 1 || !buf_reserve(out, len / 4 * 3 + 3))
        return false;
    for (size_t i = 0; i < len; i++) {
        int v = value64(text[i], url);
        if (v < 0)
            return false;
        acc = acc << 6 | (uint32_t)v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buf_putc(out, (char)(acc >> bits & 0xff));
        }
    }
    return (acc & ((1u << bits) - 1)) == 0;
}

bool base64_decode(const char *text, size_t len, struct buf *out)
{
    if (len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
        len--;
    return decode64(text, len, false, out);
}

bool base64url_decode(const char *text, size_t len, struct buf *out)
{
    while (len > 0 && text[len - 1] == '=')
        len--;
    return decode64(text, len, true, out);
}

void hex_encode(const void *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *in = data;
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[in[i] >> 4];
        *out++ = digits[in[i] & 15];
    }
    *out = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, size_t len, uint8_t *out)
{
    if (len % 2 != 0)
        return false;
    for (size_t i = 0; i < len; i += 2) {
        int hi = hex_value(text[i]), lo = hex_value(text[i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        out[i / 2] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

void sha256(const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
    unsigned n = 0;
    if (EVP_Digest(data, len, out, &n, EVP_sha256(), NULL) != 1 || n != SHA256_SIZE)
        alloc_out_of_memory(); /* the only way it fails */
}

void random_bytes(void *out, size_t len)
{
    char *p = out;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0) {
            perror("postern: getrandom");
            abort();
        }
        p += n;
        len -= (size_t)n;
    }
}

bool html_escape(const char *text, struct buf *out)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        case '\'':
            buf_puts(out, "&#39;");
            break;
        default:
            buf_putc(out, *text);
        }
    }
    return !out->overflow;
}

void guid_make(char out[GUID_SIZE])
{
    uint8_t b[16];
    random_bytes(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, GUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

bool guid_is(const char *text)
{
    size_t n = 0;
    for (; n < GUID_SIZE && text[n]; n++) {
        bool dash = n == 8 || n == 13 || n == 18 || n == 23;
        if (dash ? text[n] != '-' : hex_value(text[n]) < 0)
            return false;
    }
    return n == GUID_SIZE - 1;
}

bool secret_equal(const void *a, size_t alen, const void *b, size_t blen)
{
    uint8_t ha[SHA256_SIZE], hb[SHA256_SIZE];
    sha256(a, alen, ha);
    sha256(b, blen, hb);
    return CRYPTO_memcmp(ha, hb, sizeof ha) == 0;
}
