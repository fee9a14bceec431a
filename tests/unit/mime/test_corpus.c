/* Properties that hold for every message of tests/data/mail. */
#include "../unit.h"

#include "postern/base/file.h"
#include "postern/mime/crlf.h"
#include "postern/mime/header.h"

#include <glob.h>
#include <string.h>

#define MESSAGE_MAX ((size_t)16 << 20)
#define CORPUS_MIN  60 /* fewer means that the corpus was not found */

typedef void check_fn(const char *data, size_t len);

static void each_message(check_fn *check)
{
    const char *srcdir = getenv("srcdir");
    char pattern[1024];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/tests/data/mail/*.eml", srcdir ? srcdir : ".");
    int failed = glob(pattern, 0, NULL, &found);
    CU_ASSERT_EQUAL_FATAL(failed, 0);
    CU_ASSERT(found.gl_pathc >= CORPUS_MIN);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buf message = BUF_INIT(MESSAGE_MAX);
        struct error e = ERROR_INIT;
        CU_ASSERT(file_read(found.gl_pathv[i], &message, &e));
        unsigned before = CU_get_number_of_failures();
        check(buf_str(&message), message.len);
        if (CU_get_number_of_failures() > before)
            printf("\n%s\n", found.gl_pathv[i]);
        buf_free(&message);
    }
    globfree(&found);
}

static void convert(const char *data, size_t len, bool stuff, size_t piece, struct buf *out)
{
    struct mime_crlf c;
    buf_init(out, 2 * len + 2);
    mime_crlf_init(&c, stuff);
    bool ok = true;
    for (size_t i = 0; i < len; i += piece)
        ok = ok && mime_crlf_feed(&c, data + i, len - i < piece ? len - i : piece, out);
    CU_ASSERT(ok && mime_crlf_end(&c, out));
    CU_ASSERT(stuff ? c.octets <= out->len : c.octets == out->len);
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && memcmp(buf_str(a), buf_str(b), a->len) == 0;
}

/* What a POP3 client does: takes one dot off each line that starts with one. */
static void unstuff(struct buf *b)
{
    bool line_start = true;
    size_t to = 0;
    for (size_t i = 0; i < b->len; i++) {
        char c = b->data[i];
        if (!line_start || c != '.')
            b->data[to++] = c;
        line_start = c == '\n';
    }
    b->len = to;
}

static void check_line_ends(const char *data, size_t len)
{
    static const size_t pieces[] = {1, 2, 3, 7, 4096};
    struct buf wire, again, stuffed;
    convert(data, len, false, len + 1, &wire);
    convert(buf_str(&wire), wire.len, false, wire.len + 1, &again);
    CU_ASSERT(same(&wire, &again));
    buf_free(&again);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        convert(data, len, false, pieces[i], &again);
        CU_ASSERT(same(&wire, &again));
        buf_free(&again);
        convert(data, len, true, pieces[i], &stuffed);
        CU_ASSERT(memmem(buf_str(&stuffed), stuffed.len, "\r\n.\r\n", 5) == NULL);
        unstuff(&stuffed);
        CU_ASSERT(same(&wire, &stuffed));
        buf_free(&stuffed);
    }
    buf_free(&wire);
}

/* Fields and the lines that are none follow each other without a gap, up to the blank line. */
static void check_header(const char *data, size_t len)
{
    size_t header = mime_header_size(data, len), pos = 0, before = 0;
    struct mime_field f;
    while (mime_field_next(data, len, &pos, &f)) {
        CU_ASSERT(f.end == data + pos);
        CU_ASSERT(f.name == data + before || f.name[-1] == '\n');
        for (const char *p = data + before; p < f.name; p++) /* passed over: no blank line */
            CU_ASSERT(p[0] != '\n' || p[1] != '\n');
        before = pos;
    }
    CU_ASSERT(pos <= header && header - pos <= 2);
    for (size_t i = pos; i < header; i++)
        CU_ASSERT(data[i] == '\r' || data[i] == '\n');
    CU_ASSERT(header == len || header == pos + (data[pos] == '\r' ? 2 : 1));
}

static void test_line_ends(void)
{
    each_message(check_line_ends);
}

static void test_headers(void)
{
    each_message(check_header);
}

extern const struct unit_test corpus_tests[];
const struct unit_test corpus_tests[] = {
    {"line ends", test_line_ends},
    {"header walks", test_headers},
    {NULL, NULL},
};
