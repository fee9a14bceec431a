#include "body.h"
#include "reader.h"

#include "postern/mailbox/facts.h"
#include "postern/mime/crlf.h"
#include "postern/mime/header.h"
#include "postern/store/email_db.h"
#include "postern/store/fact_db.h"

#include <string.h>

#define PIECE ((size_t)8 * 1024)

int mailbox_fact_get(struct mailbox_folder *f, uint32_t uid, enum mailbox_fact fact,
                     struct buf *out, struct error *e)
{
    int known = store_fact_get(f->account->db, f->key, uid, (int)fact, out, e);
    if (known < 0)
        account_check(f->account);
    return known;
}

bool mailbox_fact_put(struct mailbox_folder *f, uint32_t uid, enum mailbox_fact fact,
                      const void *data, size_t len, struct error *e)
{
    bool ok = store_fact_put(f->account->db, f->key, uid, (int)fact, data, len, e);
    if (!ok)
        account_check(f->account);
    return ok;
}

bool mailbox_email_of(struct mailbox_account *a, const uint8_t digest[SHA256_SIZE],
                      uint8_t email[SHA256_SIZE], struct error *e)
{
    bool ok = store_email_of(a->db, digest, email, e);
    if (!ok)
        account_check(a);
    return ok;
}

bool mailbox_email_bearers(struct mailbox_account *a, const uint8_t email[SHA256_SIZE],
                           struct buf *digests, struct error *e)
{
    bool ok = store_email_bearers(a->db, email, digests, e);
    if (!ok)
        account_check(a);
    return ok;
}

/* Where the blank line ends, if it has come; `from`: what was looked at before. */
static size_t header_end(const struct buf *text, size_t from)
{
    const char *data = buf_str(text);
    size_t back = from < 4 ? from : 4; /* it may have come in two pieces */
    if (text->len >= 2 && memcmp(data, "\r\n", 2) == 0)
        return 2;
    const char *blank = memmem(data + from - back, text->len - from + back, "\r\n\r\n", 4);
    return blank ? (size_t)(blank - data) + 4 : 0;
}

bool fact_header_of_body(const struct mailbox_body *b, struct buf *out, struct error *e)
{
    char piece[PIECE];
    uint64_t at = 0;
    struct mime_crlf crlf;
    mime_crlf_init_literal(&crlf);
    for (;;) {
        size_t before = out->len, end;
        ssize_t n = mailbox_body_read(b, at, piece, sizeof piece, e);
        if (n < 0)
            return false;
        if (n == 0)
            return true;
        at += (uint64_t)n;
        if (!mime_crlf_feed(&crlf, piece, (size_t)n, out))
            return error_set(e, ERROR_TOO_BIG, "the header of a message is over %zu bytes",
                             out->max);
        if ((end = header_end(out, before)) != 0) {
            out->len = end;
            out->data[end] = '\0';
            return true;
        }
    }
}

int mailbox_reader_known_header(struct mailbox_reader *r, uint32_t uid, struct buf *out,
                                struct error *e)
{
    struct mailbox_folder *f = reader_folder(r);
    int known = mailbox_fact_get(f, uid, MAILBOX_FACT_HEADER, out, e);
    if (known != 0)
        return known;
    error_clear(e);
    struct mailbox_body *body = reader_body_at_hand(r, uid, e);
    if (!body)
        return e->kind == ERROR_NONE ? 0 : -1;
    bool ok = fact_header_of_body(body, out, e) &&
              mailbox_fact_put(f, uid, MAILBOX_FACT_HEADER, buf_str(out), out->len, e);
    mailbox_body_unref(&body);
    return ok ? 1 : -1;
}
