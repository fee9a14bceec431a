#include "postern/mime/crlf.h"

#include <string.h>

void mime_crlf_init(struct mime_crlf *c, bool dot_stuff)
{
    *c = (struct mime_crlf){.dot_stuff = dot_stuff};
}

void mime_crlf_init_literal(struct mime_crlf *c)
{
    *c = (struct mime_crlf){.literal = true};
}

static bool line_end(struct mime_crlf *c, struct buf *out)
{
    c->mid_line = false;
    c->octets += 2;
    return buf_append(out, "\r\n", 2);
}

static bool text(struct mime_crlf *c, const char *data, size_t len, struct buf *out)
{
    if (c->dot_stuff && !c->mid_line && data[0] == '.' && !buf_putc(out, '.'))
        return false;
    c->mid_line = true;
    c->octets += len;
    return buf_append(out, data, len);
}

/* Bytes looked at for one run: without it a message full of bare CRs would cost a search for the
 * next LF, far away, after each of them. */
#define RUN_MAX 512

/* Length of the run without CR or LF at the start; memchr() is many times faster than a loop. */
static size_t text_run(const char *data, size_t len)
{
    if (len > RUN_MAX)
        len = RUN_MAX;
    const char *lf = memchr(data, '\n', len);
    size_t run = lf ? (size_t)(lf - data) : len;
    const char *cr = memchr(data, '\r', run);
    return cr ? (size_t)(cr - data) : run;
}

static bool feed_literal(struct mime_crlf *c, const char *data, size_t len, struct buf *out)
{
    for (const char *p = data, *end = data + len; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        size_t run = (size_t)((lf ? lf : end) - p);
        bool bare = lf && (run ? lf[-1] != '\r' : !c->after_cr);
        if (!buf_append(out, p, run) || (lf && !buf_puts(out, bare ? "\r\n" : "\n")))
            return false;
        c->octets += run + (lf ? 1 : 0) + bare;
        c->after_cr = !lf && p[run - 1] == '\r';
        p += run + (lf ? 1 : 0);
    }
    return true;
}

bool mime_crlf_feed(struct mime_crlf *c, const char *data, size_t len, struct buf *out)
{
    if (c->literal)
        return feed_literal(c, data, len, out);
    /* A CR is answered with CRLF at once, and an LF right behind it then means nothing more: so
     * nothing waits between two pieces. */
    for (size_t i = 0; i < len;) {
        bool after_cr = c->after_cr;
        c->after_cr = data[i] == '\r';
        if (data[i] == '\n' && after_cr) {
            i++;
        } else if (data[i] == '\n' || data[i] == '\r') {
            if (!line_end(c, out))
                return false;
            i++;
        } else {
            size_t run = text_run(data + i, len - i);
            if (!text(c, data + i, run, out))
                return false;
            i += run;
        }
    }
    return true;
}

bool mime_crlf_end(struct mime_crlf *c, struct buf *out)
{
    return !c->mid_line || line_end(c, out);
}
