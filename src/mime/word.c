#include "postern/mime/word.h"

#include "postern/mime/charset.h"
#include "postern/mime/transfer.h"

#include <string.h>
#include <strings.h>

/* One encoded word: "=?charset*language?B?text?=". The pointers lie in the text. */
struct word {
    const char *charset;
    size_t charset_len;
    bool base64;
    const char *text;
    size_t text_len;
    const char *end; /* first byte after the word */
};

struct scan {
    const char *p;
    const char *end;
    const char *close; /* the first "?=" from the place last asked about, `end` if none; NULL at
                          first. Kept, so that many openings without it cost one search. */
};

static const char *find_close(struct scan *s, const char *from)
{
    if (!s->close || s->close < from) {
        const char *hit = memmem(from, (size_t)(s->end - from), "?=", 2);
        s->close = hit ? hit : s->end;
    }
    return s->close;
}

static bool is_charset_char(char c)
{
    return c > ' ' && c != 0x7f && !strchr("()<>@,;:\"/[]?=", c);
}

/* The encoded word at s->p. */
static bool parse_word(struct scan *s, struct word *w)
{
    const char *p = s->p;
    if (s->end - p < 2 || p[0] != '=' || p[1] != '?')
        return false;
    w->charset = p += 2;
    while (p < s->end && is_charset_char(*p))
        p++;
    const char *language = memchr(w->charset, '*', (size_t)(p - w->charset));
    w->charset_len = (size_t)((language ? language : p) - w->charset);
    if (s->end - p < 3 || p[0] != '?' || p[2] != '?' || !strchr("BbQq", p[1]) || !p[1])
        return false;
    w->base64 = p[1] == 'B' || p[1] == 'b';
    w->text = p + 3;
    const char *close = find_close(s, w->text);
    if (close == s->end)
        return false;
    w->text_len = (size_t)(close - w->text);
    w->end = close + 2;
    return true;
}

static bool decode_word(const struct word *w, struct buf *out)
{
    return w->base64 ? mime_base64_decode(w->text, w->text_len, out)
                     : mime_q_decode(w->text, w->text_len, out);
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* Decodes the words at s->p that follow each other with white space only between them and share
 * one charset: together, since many writers cut them in the middle of a character. */
static bool decode_run(struct scan *s, struct word *w, struct buf *out)
{
    const char *charset = w->charset;
    size_t charset_len = w->charset_len;
    struct buf bytes = BUF_INIT((size_t)(s->end - s->p));
    bool more = true, ok = true;
    while (ok && more) {
        ok = decode_word(w, &bytes);
        s->p = w->end;
        struct scan ahead = *s;
        ahead.p = skip_blanks(s->p, s->end);
        more = parse_word(&ahead, w);
        s->close = ahead.close;
        if (more) /* the white space between words is not shown, whatever their charsets */
            s->p = ahead.p;
        more = more && w->charset_len == charset_len &&
               strncasecmp(w->charset, charset, charset_len) == 0;
    }
    ok = ok && mime_charset_to_utf8(charset, charset_len, buf_str(&bytes), bytes.len, out);
    buf_free(&bytes);
    return ok;
}

static bool decode_words(const char *text, size_t len, struct buf *out)
{
    struct scan s = {.p = text, .end = text + len};
    while (s.p < s.end) {
        struct word w;
        bool ok;
        if (parse_word(&s, &w)) {
            ok = decode_run(&s, &w, out);
        } else {
            const char *start = s.p++;
            const char *next = memmem(s.p, (size_t)(s.end - s.p), "=?", 2);
            s.p = next ? next : s.end;
            ok = mime_charset_to_utf8(NULL, 0, start, (size_t)(s.p - start), out);
        }
        if (!ok)
            return false;
    }
    return true;
}

bool mime_text_append_line(const char *utf8, size_t len, struct buf *out)
{
    size_t done = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned char *c = (const unsigned char *)utf8 + i;
        bool c1 = c[0] == 0xc2 && i + 1 < len && c[1] < 0xa0; /* U+0080 to U+009F */
        if (c[0] >= ' ' && c[0] != 0x7f && !c1)
            continue;
        if (!buf_append(out, utf8 + done, i - done) || !buf_putc(out, ' '))
            return false;
        i += c1;
        done = i + 1;
    }
    return buf_append(out, utf8 + done, len - done);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Length of a line end that folds; the white space behind it stays (RFC 5322 section 2.2.3). */
static size_t fold(const char *p, size_t len)
{
    size_t n = len > 1 && p[0] == '\r' && p[1] == '\n' ? 2 : len > 0 && p[0] == '\n';
    return n < len && (p[n] == ' ' || p[n] == '\t') ? n : 0;
}

bool mime_text_decode(const char *value, size_t len, struct buf *out)
{
    while (len > 0 && is_space(*value)) {
        value++;
        len--;
    }
    while (len > 0 && is_space(value[len - 1]))
        len--;
    struct buf line = BUF_INIT(len), text = BUF_INIT(out->max);
    for (size_t i = 0; i < len; i++) {
        i += fold(value + i, len - i);
        buf_putc(&line, value[i]);
    }
    bool ok = decode_words(buf_str(&line), line.len, &text) &&
              mime_text_append_line(buf_str(&text), text.len, out);
    out->overflow = out->overflow || text.overflow;
    buf_free(&line);
    buf_free(&text);
    return ok;
}
