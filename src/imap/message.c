/* The message that FETCH has open: its text, as IMAP counts it, and its structure. */
#include "fetch.h"

#include "respond.h"

#include "postern/base/alloc.h"
#include "postern/mime/crlf.h"

#include <stdlib.h>
#include <string.h>

#define PIECE     ((size_t)32 * 1024)
#define PIECE_OUT (2 * PIECE + 16) /* a bare LF becomes two bytes */
/* Text that may stay in memory while the client thinks. */
#define REST_MAX ((size_t)64 * 1024)

void imap_fetch_forget(struct imap_session *s)
{
    struct imap_fetch_state *m = s->fetch;
    s->fetch = NULL;
    if (!m)
        return;
    mailbox_body_unref(&m->body);
    arena_free(&m->arena);
    buf_free(&m->text);
    free(m);
}

struct imap_fetch_state *message_use(struct imap_session *s, uint32_t uid,
                                     struct mailbox_body *body)
{
    struct imap_fetch_state *m = s->fetch;
    if (m && m->uid == uid) {
        mailbox_body_unref(&body); /* two renderings of one message may differ: stay with ours */
        return m;
    }
    imap_fetch_forget(s);
    m = s->fetch = xcalloc(1, sizeof *m);
    m->uid = uid;
    m->body = body;
    m->same_as_stored = mailbox_body_raw_size(body) == mailbox_body_literal_size(body);
    m->arena = arena_new();
    buf_init(&m->text, (size_t)mailbox_body_literal_size(body));
    return m;
}

void message_rest(struct imap_session *s)
{
    if (s->fetch && s->fetch->text.len > REST_MAX)
        buf_free(&s->fetch->text);
}

uint64_t message_size(const struct imap_fetch_state *m)
{
    return mailbox_body_literal_size(m->body);
}

static bool ends_too_early(struct error *e)
{
    return error_set(e, ERROR_LOCAL, "the stored message ends too early");
}

/* Reads the file from `offset`, in whole. */
static bool read_file(const struct imap_fetch_state *m, uint64_t offset, char *out, size_t len,
                      struct error *e)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = mailbox_body_read(m->body, offset + have, out + have, len - have, e);
        if (n <= 0)
            return n < 0 ? false : ends_too_early(e);
        have += (size_t)n;
    }
    return true;
}

/* Gives the literal form piece by piece, those bytes of it that lie from `start` on. */
struct stream {
    struct imap_fetch_state *m;
    uint64_t start, len;
    bool (*fn)(void *arg, char *data, size_t len);
    void *arg;
};

/* The file holds the literal form: its bytes from the right place on. */
static bool stream_file(const struct stream *t, char *piece, struct error *e)
{
    uint64_t done = 0;
    while (done < t->len) {
        size_t n = t->len - done < PIECE ? (size_t)(t->len - done) : PIECE;
        if (!read_file(t->m, t->start + done, piece, n, e) || !t->fn(t->arg, piece, n))
            return false;
        done += n;
    }
    return true;
}

/* The file must be converted from its beginning. */
static bool stream_converted(const struct stream *t, char *piece, struct error *e)
{
    struct buf out = BUF_INIT(PIECE_OUT);
    struct mime_crlf crlf;
    uint64_t offset = 0, at = 0, end = t->start + t->len, size = mailbox_body_raw_size(t->m->body);
    bool ok = true;
    mime_crlf_init_literal(&crlf);
    while (ok && at < end) {
        size_t n = size - offset < PIECE ? (size_t)(size - offset) : PIECE;
        ok = n > 0 ? read_file(t->m, offset, piece, n, e) : ends_too_early(e);
        if (!ok)
            break;
        offset += n;
        buf_clear(&out);
        mime_crlf_feed(&crlf, piece, n, &out);
        uint64_t from = at < t->start ? t->start - at : 0;
        uint64_t until = end - at < out.len ? end - at : out.len;
        if (from < until)
            ok = t->fn(t->arg, out.data + from, (size_t)(until - from));
        at += out.len;
    }
    buf_free(&out);
    return ok;
}

static bool stream(const struct stream *t, struct error *e)
{
    error_clear(e);
    if (t->m->text.len > 0 && t->start + t->len <= t->m->text.len) {
        /* A copy, since the receiver may change what it is given. */
        char *piece = xmalloc(PIECE);
        bool ok = true;
        for (uint64_t done = 0; ok && done < t->len; done += PIECE) {
            size_t n = t->len - done < PIECE ? (size_t)(t->len - done) : PIECE;
            memcpy(piece, t->m->text.data + t->start + done, n);
            ok = t->fn(t->arg, piece, n);
        }
        free(piece);
        return ok;
    }
    char *piece = xmalloc(PIECE);
    bool ok = t->m->same_as_stored ? stream_file(t, piece, e) : stream_converted(t, piece, e);
    free(piece);
    return ok;
}

static bool to_buf(void *arg, char *data, size_t len)
{
    return buf_append(arg, data, len);
}

const char *message_text(struct imap_fetch_state *m, struct error *e)
{
    struct stream t = {.m = m, .len = message_size(m), .fn = to_buf, .arg = &m->text};
    if (m->text.len == t.len)
        return buf_str(&m->text);
    buf_clear(&m->text);
    buf_reserve(&m->text, (size_t)t.len);
    if (stream(&t, e))
        return buf_str(&m->text);
    buf_free(&m->text);
    return NULL;
}

const struct mime_structure *message_structure(struct imap_fetch_state *m, struct error *e)
{
    if (!m->parsed) {
        const char *text = message_text(m, e);
        if (!text)
            return NULL;
        mime_structure_parse(text, m->text.len, m->arena, &m->structure);
        m->parsed = true;
    }
    return &m->structure;
}

bool message_append(struct imap_fetch_state *m, uint64_t start, size_t len, struct buf *out,
                    struct error *e)
{
    struct stream t = {.m = m, .start = start, .len = len, .fn = to_buf, .arg = out};
    return stream(&t, e) ||
           (e->kind == ERROR_NONE
                ? error_set(e, ERROR_TOO_BIG, "a section is over %zu bytes", out->max)
                : false);
}

static bool to_client(void *arg, char *data, size_t len)
{
    imap_hide_nuls(data, len);
    return session_conn_write(arg, data, len);
}

bool message_send(struct imap_session *s, struct imap_fetch_state *m, uint64_t start, uint64_t len,
                  struct error *e)
{
    struct stream t = {.m = m, .start = start, .len = len, .fn = to_client, .arg = s->conn};
    if (stream(&t, e))
        return true;
    return e->kind == ERROR_NONE
               ? error_set(e, ERROR_CANCELED, "the client is gone or does not read")
               : false;
}
