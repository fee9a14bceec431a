#include "loader.h"

#include "postern/base/buf.h"
#include "postern/mime/date.h"

#include <string.h>

static size_t line_length(const char *s, size_t len)
{
    const char *end = memchr(s, '\n', len);
    return end ? (size_t)(end - s) + 1 : len;
}

static bool is_from_line(const char *line, size_t len)
{
    return len > 5 && memcmp(line, "From ", 5) == 0;
}

static bool is_blank(const char *line, size_t len)
{
    return (len == 1 && line[0] == '\n') || (len == 2 && line[0] == '\r' && line[1] == '\n');
}

/* ">From ", ">>From " … lose one ">". */
static bool is_quoted_from(const char *line, size_t len)
{
    size_t marks = 0;
    while (marks < len && line[marks] == '>')
        marks++;
    return marks > 0 && is_from_line(line + marks, len - marks);
}

/* "From sender Thu Jan  1 00:00:00 1970": the date is what follows the sender. */
static int64_t from_date(const char *line, size_t len)
{
    const char *sender = line + 5;
    const char *space = memchr(sender, ' ', len - 5);
    struct mime_date date;
    if (space && mime_date_parse(space, (size_t)(line + len - space), &date))
        return date.wall_ms;
    return INT64_MIN;
}

bool mbox_split(const char *data, size_t len, mbox_message_fn *fn, void *arg)
{
    struct buf text = BUF_INIT(MESSAGE_MAX);
    const char *end = data + len;
    bool ok = is_from_line(data, len);
    while (ok && data < end) {
        size_t n = line_length(data, (size_t)(end - data));
        int64_t received = from_date(data, n);
        size_t blank = 0; /* bytes of blank line at the end of the text so far */
        buf_clear(&text);
        for (data += n; data < end; data += n) {
            n = line_length(data, (size_t)(end - data));
            if (is_from_line(data, n) && (blank > 0 || text.len == 0))
                break;
            bool quoted = is_quoted_from(data, n);
            ok = buf_append(&text, data + quoted, n - quoted);
            blank = is_blank(data, n) ? n : 0;
            if (!ok)
                break;
        }
        ok = ok && fn(arg, buf_str(&text), text.len - blank, received);
    }
    buf_free(&text);
    return ok;
}
