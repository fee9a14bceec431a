#include "postern/mime/subject.h"

#include "postern/mime/casemap.h"
#include "postern/mime/word.h"

#include <string.h>
#include <strings.h>

/* What has not been taken away yet: one line, UTF-8, no two spaces in a row. */
struct subject {
    const char *p;
    const char *end;
    bool reply;
};

static bool starts(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && strncasecmp(p, word, n) == 0;
}

static const char *skip_spaces(const char *p, const char *end)
{
    while (p < end && *p == ' ')
        p++;
    return p;
}

/* subj-blob: "[tag] "; NULL if none stands there. */
static const char *skip_blob(const char *p, const char *end)
{
    if (p == end || *p != '[')
        return NULL;
    for (p++; p < end && *p != '[' && *p != ']'; p++)
        ;
    return p < end && *p == ']' ? skip_spaces(p + 1, end) : NULL;
}

/* subj-refwd: "Re: ", "Fwd [tag]: "; NULL if none stands there. */
static const char *skip_mark(const char *p, const char *end)
{
    size_t n = starts(p, end, "fwd") ? 3 : starts(p, end, "re") || starts(p, end, "fw") ? 2 : 0;
    if (n == 0)
        return NULL;
    p = skip_spaces(p + n, end);
    const char *blob = skip_blob(p, end);
    p = blob ? blob : p;
    return p < end && *p == ':' ? p + 1 : NULL;
}

/* subj-trailer: "(fwd)" and spaces. */
static void cut_trailers(struct subject *s)
{
    for (;;) {
        if (s->end > s->p && s->end[-1] == ' ') {
            s->end--;
        } else if (s->end - s->p >= 5 && strncasecmp(s->end - 5, "(fwd)", 5) == 0) {
            s->end -= 5;
            s->reply = true;
        } else {
            return;
        }
    }
}

/* Leaders and blobs, as long as something is left. Blobs that no mark follows go one by one, and
 * the last one stays if it is all there is. */
static void cut_leaders(struct subject *s)
{
    for (;;) {
        const char *p = s->p = skip_spaces(s->p, s->end), *last = p, *blob;
        while ((blob = skip_blob(p, s->end))) {
            last = p;
            p = blob;
        }
        const char *mark = skip_mark(p, s->end);
        if (mark) {
            s->p = mark;
            s->reply = true;
            continue;
        }
        s->p = p < s->end ? p : last;
        return;
    }
}

static bool cut_forward(struct subject *s)
{
    if (!starts(s->p, s->end, "[fwd:") || s->end[-1] != ']')
        return false;
    s->p += 5;
    s->end--;
    s->reply = true;
    return true;
}

static void squeeze(struct buf *text)
{
    size_t to = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] != ' ' || (to > 0 && text->data[to - 1] != ' '))
            text->data[to++] = text->data[i];
    }
    text->len = to;
}

bool mime_base_subject(const char *value, size_t len, struct buf *out, bool *reply)
{
    struct buf text = BUF_INIT(out->max);
    bool ok = mime_text_decode(value, len, &text);
    squeeze(&text);
    const char *start = text.data ? text.data : "";
    struct subject s = {.p = start, .end = start + text.len};
    do {
        cut_trailers(&s);
        cut_leaders(&s);
    } while (cut_forward(&s));
    *reply = s.reply;
    ok = ok && mime_casemap(s.p, (size_t)(s.end - s.p), out);
    buf_free(&text);
    return ok;
}
