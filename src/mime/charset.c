#include "postern/mime/charset.h"

#include <iconv.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* What mail is written in. iconv() also knows names of internal formats and of old encodings
 * whose converters have crashed on crafted input, and mail must not choose those. */
static const char *const families[] = {
    "UTF-",        "UTF7",     "ISO-8859-", "ISO8859-",  "ISO_8859-", "ISO-2022-JP",
    "ISO-2022-KR", "WINDOWS-", "CP",        "IBM",       "KOI8-",     "GB2312",
    "GBK",         "GB18030",  "BIG5",      "EUC-",      "SHIFT_JIS", "SJIS",
    "TIS-620",     "VISCII",   "TCVN",      "MACINTOSH", "ARMSCII-8"};

/* Names that mail uses and iconv() does not, and those whose common use is wider than their
 * definition. */
static const struct {
    const char *name;
    const char *iconv_name;
} aliases[] = {
    {"ks_c_5601-1987", "CP949"},
    {"ks_c_5601", "CP949"},
    {"euc-kr", "CP949"},
    {"gb2312", "GB18030"},
    {"gbk", "GB18030"},
    {"gb_2312-80", "GB18030"},
    {"x-gbk", "GB18030"},
    {"x-sjis", "CP932"},
    {"windows-31j", "CP932"},
    {"unicode-1-1-utf-7", "UTF-7"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"x-mac-roman", "MACINTOSH"},
    {"latin1", "ISO-8859-1"},
    {"latin-1", "ISO-8859-1"},
};

/* Length of the character at `s`; of the bytes that one U+FFFD stands for where it is not
 * valid (Unicode, "maximal subpart"). */
static size_t utf8_char(const uint8_t *s, size_t len, bool *valid)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t want;
    *valid = s[0] < 0x80;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 1;
    want = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] == 0xe0)
        low = 0xa0; /* overlong */
    else if (s[0] == 0xed)
        high = 0x9f; /* surrogates */
    else if (s[0] == 0xf0)
        low = 0x90; /* overlong */
    else if (s[0] == 0xf4)
        high = 0x8f; /* above U+10FFFF */
    for (size_t i = 1; i < want; i++) {
        if (i == len || s[i] < low || s[i] > high)
            return i;
        low = 0x80;
        high = 0xbf;
    }
    *valid = true;
    return want;
}

static bool append_utf8(const char *data, size_t len, struct buf *out)
{
    const uint8_t *s = (const uint8_t *)data;
    size_t done = 0, i = 0;
    while (i < len) {
        bool valid;
        size_t n = utf8_char(s + i, len - i, &valid);
        if (!valid) {
            if (!buf_append(out, s + done, i - done) || !buf_puts(out, REPLACEMENT))
                return false;
            done = i + n;
        }
        i += n;
    }
    return buf_append(out, s + done, len - done);
}

static iconv_t open_charset(const char *charset, size_t len)
{
    char name[MIME_CHARSET_NAME_MAX + 1];
    if (len == 0 || len >= sizeof name || memchr(charset, '/', len) || memchr(charset, '\0', len))
        return (iconv_t)-1;
    memcpy(name, charset, len);
    name[len] = '\0';
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcasecmp(name, aliases[i].name) == 0)
            return iconv_open("UTF-8", aliases[i].iconv_name);
    }
    if (strcasecmp(name, "ISO-2022-JP-3") == 0)
        return (iconv_t)-1;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (strncasecmp(name, families[i], strlen(families[i])) == 0)
            return iconv_open("UTF-8", name);
    }
    return (iconv_t)-1;
}

static bool convert(iconv_t cd, const char *data, size_t len, struct buf *out)
{
    char *in = (char *)data; /* iconv() does not write there; its prototype cannot say so */
    char chunk[512];
    while (len > 0) {
        char *to = chunk;
        size_t room = sizeof chunk, before = len;
        bool failed = iconv(cd, &in, &len, &to, &room) == (size_t)-1;
        size_t made = sizeof chunk - room;
        if (!append_utf8(chunk, made, out))
            return false;
        /* Neither room wanted nor progress made: what lies there is no character. */
        if (failed && len > 0 && made == 0 && len == before) {
            if (!buf_puts(out, REPLACEMENT))
                return false;
            in++;
            len--;
        }
    }
    char *to = chunk; /* characters held back until it is clear that nothing combines */
    size_t room = sizeof chunk;
    iconv(cd, NULL, NULL, &to, &room);
    return append_utf8(chunk, sizeof chunk - room, out);
}

bool mime_charset_to_utf8(const char *charset, size_t charset_len, const char *data, size_t len,
                          struct buf *out)
{
    bool is_utf8 = charset && charset_len == 5 && strncasecmp(charset, "UTF-8", 5) == 0;
    iconv_t cd = charset && !is_utf8 ? open_charset(charset, charset_len) : (iconv_t)-1;
    if (cd == (iconv_t)-1)
        return append_utf8(data, len, out);
    bool ok = convert(cd, data, len, out);
    iconv_close(cd);
    return ok;
}

bool mime_charset_known(const char *charset, size_t len)
{
    static const char *const plain[] = {"UTF-8", "US-ASCII", "ASCII", "ANSI_X3.4-1968"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (len == strlen(plain[i]) && strncasecmp(charset, plain[i], len) == 0)
            return true;
    }
    iconv_t cd = open_charset(charset, len);
    if (cd == (iconv_t)-1)
        return false;
    iconv_close(cd);
    return true;
}
