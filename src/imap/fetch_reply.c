/* The values of FETCH: one item of one message. */
#include "fetch.h"

#include "respond.h"
#include "structure.h"

#include "postern/mailbox/facts.h"
#include "postern/session/inventory.h"

#include <string.h>

/* A longer piece of the message is sent from where it lies. */
#define COPIED_MAX ((size_t)64 * 1024)
/* Of what is not sent from where it lies, beside what the message's own size allows. */
#define REPLY_MAX ((size_t)16 * 1024 * 1024)

/* Chosen fields end with a line end that the header may lack. */
#define FIELDS_END 4

/* A piece of the message that belongs at `at` of the text. */
struct piece {
    size_t at;
    uint64_t start, len;
};

struct reply {
    struct imap_session *s;
    const struct fetch_request *request;
    const struct fetch_source *source;
    struct buf text;
    struct piece *pieces; /* one an item at the most */
    size_t piece_count;
};

/* ---- literals ---- */

/* What of `size` octets was asked for (RFC 3501 section 6.4.5). */
static void cut(const struct fetch_item *item, uint64_t size, uint64_t *start, uint64_t *len)
{
    *start = 0;
    *len = size;
    if (!item->partial)
        return;
    *start = item->offset < size ? item->offset : size;
    *len = size - *start < item->length ? size - *start : item->length;
}

static bool put_literal(struct reply *r, const struct fetch_item *item, const char *data,
                        size_t size)
{
    uint64_t start, len;
    cut(item, size, &start, &len);
    buf_printf(&r->text, "{%llu}\r\n", (unsigned long long)len);
    size_t from = r->text.len;
    buf_append(&r->text, data + start, (size_t)len);
    imap_hide_nuls(r->text.data + from, r->text.len - from);
    return true;
}

static bool put_span(struct reply *r, const struct fetch_item *item, struct mime_span span,
                     struct error *e)
{
    uint64_t start, len;
    cut(item, span.len, &start, &len);
    start += span.start;
    buf_printf(&r->text, "{%llu}\r\n", (unsigned long long)len);
    if (len > COPIED_MAX) {
        r->pieces[r->piece_count++] = (struct piece){.at = r->text.len, .start = start, .len = len};
        return true;
    }
    size_t from = r->text.len;
    bool ok = message_append(r->source->message, start, (size_t)len, &r->text, e);
    if (ok)
        imap_hide_nuls(r->text.data + from, (size_t)len);
    return ok;
}

/* ---- sections ---- */

static bool put_fields(struct reply *r, const struct fetch_item *item, const char *header,
                       size_t len)
{
    struct buf fields = BUF_INIT(len + FIELDS_END);
    bool ok = section_put_fields(&item->section, header, len, &fields) &&
              put_literal(r, item, buf_str(&fields), fields.len);
    buf_free(&fields);
    return ok;
}

static bool chooses_fields(const struct fetch_section *section)
{
    return section->kind == SECTION_FIELDS || section->kind == SECTION_FIELDS_NOT;
}

static bool put_section(struct reply *r, const struct fetch_item *item, struct error *e)
{
    const struct fetch_section *section = &item->section;
    struct imap_fetch_state *m = r->source->message;
    struct section_place place;
    if (chooses_fields(section) && section->depth == 0)
        return put_fields(r, item, r->source->header, r->source->header_len);
    if (section->kind == SECTION_WHOLE && section->depth == 0)
        return put_span(r, item, (struct mime_span){0, (size_t)message_size(m)}, e);
    const struct mime_structure *structure = message_structure(m, e);
    if (!structure)
        return false;
    if (!section_find(section, structure, &place))
        return buf_puts(&r->text, "\"\"");
    if (!chooses_fields(section))
        return put_span(r, item, place.span, e);
    struct buf header = BUF_INIT(place.span.len);
    bool ok = message_append(m, place.span.start, place.span.len, &header, e) &&
              put_fields(r, item, buf_str(&header), header.len);
    buf_free(&header);
    return ok;
}

/* ---- BINARY ---- */

/* The section without transfer encodings; 0: there is none of that name, -1: error (ERROR_CANNOT:
 * an encoding is unknown). */
static int decode(struct reply *r, const struct fetch_item *item, struct buf *out, struct error *e)
{
    struct section_place place;
    const struct mime_structure *structure = message_structure(r->source->message, e);
    const char *text = structure ? message_text(r->source->message, e) : NULL;
    if (!text)
        return -1;
    if (!section_find(&item->section, structure, &place))
        return 0;
    if (chooses_fields(&item->section)) {
        buf_init(out, place.span.len + FIELDS_END);
        return section_put_fields(&item->section, text + place.span.start, place.span.len, out)
                   ? 1
                   : -1;
    }
    const char *unknown = section_decode(place.span, structure, text, out);
    if (!unknown)
        return 1;
    error_set(e, ERROR_CANNOT, "the transfer encoding \"%s\" of a part is not known", unknown);
    return -1;
}

static bool put_binary(struct reply *r, const struct fetch_item *item, struct error *e)
{
    struct buf data = BUF_INIT(0);
    uint64_t start, len;
    int found = decode(r, item, &data, e);
    if (found > 0 && item->kind == FETCH_BINARY_SIZE) {
        buf_printf(&r->text, "%zu", data.len);
    } else if (found > 0) {
        cut(item, data.len, &start, &len);
        const char *from = buf_str(&data) + start;
        buf_printf(&r->text, "%s{%llu}\r\n", memchr(from, '\0', (size_t)len) ? "~" : "",
                   (unsigned long long)len);
        buf_append(&r->text, from, (size_t)len);
    } else if (found == 0) {
        buf_puts(&r->text, item->kind == FETCH_BINARY_SIZE ? "0" : "\"\"");
    }
    buf_free(&data);
    return found >= 0;
}

/* ---- items ---- */

static bool put_emailid(struct reply *r, struct error *e)
{
    uint8_t email[SHA256_SIZE];
    return mailbox_email_of(r->s->account, r->source->entry->digest, email, e) &&
           buf_putc(&r->text, '(') && imap_put_object_id(&r->text, 'M', email) &&
           buf_putc(&r->text, ')');
}

static bool put_value(struct reply *r, const struct fetch_item *item, struct error *e)
{
    const struct fetch_source *source = r->source;
    switch (item->kind) {
    case FETCH_UID:
        return buf_printf(&r->text, "%u", (unsigned)source->entry->uid);
    case FETCH_FLAGS:
        return imap_put_flags(r->s, source->entry, &r->text);
    case FETCH_INTERNALDATE:
        return imap_put_date(&r->text, source->entry->received_ms);
    case FETCH_SIZE:
        return buf_printf(&r->text, "%u", (unsigned)source->size);
    case FETCH_MODSEQ:
        return buf_printf(&r->text, "(%llu)", (unsigned long long)source->entry->modseq);
    case FETCH_EMAILID:
        return put_emailid(r, e);
    case FETCH_THREADID:
        return buf_puts(&r->text, "NIL"); /* RFC 8474 section 5.2: threads are not known */
    case FETCH_ENVELOPE:
        return imap_put_envelope(source->envelope, source->envelope_len, r->source->arena,
                                 &r->text);
    case FETCH_BODYSTRUCTURE:
        return buf_puts(&r->text, source->structure);
    case FETCH_BODY:
        return imap_put_structure_basic(source->structure, strlen(source->structure), &r->text);
    case FETCH_SECTION:
        return put_section(r, item, e);
    case FETCH_BINARY:
    case FETCH_BINARY_SIZE:
        return put_binary(r, item, e);
    }
    return false;
}

static bool put_item(struct reply *r, const struct fetch_item *item, struct error *e)
{
    buf_printf(&r->text, "%s ", item->label);
    return put_value(r, item, e);
}

static bool asks_for(const struct fetch_request *request, enum fetch_kind kind)
{
    for (size_t i = 0; i < request->count; i++)
        if (request->items[i].kind == kind)
            return true;
    return false;
}

static bool build(struct reply *r, struct error *e)
{
    static const struct fetch_item flags = {.kind = FETCH_FLAGS, .label = "FLAGS"};
    static const struct fetch_item modseq = {.kind = FETCH_MODSEQ, .label = "MODSEQ"};
    const struct fetch_request *request = r->request;
    bool changed = r->source->flags_changed, ok = true;
    buf_printf(&r->text, "* %zu FETCH (", r->source->index + 1);
    for (size_t i = 0; ok && i < request->count; i++) {
        if (i)
            buf_putc(&r->text, ' ');
        ok = put_item(r, &request->items[i], e);
    }
    if (ok && changed && !asks_for(request, FETCH_FLAGS)) {
        buf_putc(&r->text, ' ');
        ok = put_item(r, &flags, e);
    }
    if (ok && changed && r->s->selected->condstore && !asks_for(request, FETCH_MODSEQ)) {
        buf_putc(&r->text, ' ');
        ok = put_item(r, &modseq, e);
    }
    buf_puts(&r->text, ")\r\n");
    if (ok && !r->text.overflow)
        return true;
    return e->kind != ERROR_NONE
               ? false
               : error_set(e, ERROR_TOO_BIG, "the answer for one message is over %zu bytes",
                           r->text.max);
}

/* What has begun must be whole: if it cannot be, the connection ends. */
static bool send_reply(struct reply *r, struct error *e)
{
    size_t at = 0;
    for (size_t i = 0; i < r->piece_count; i++) {
        const struct piece *p = &r->pieces[i];
        bool ok = session_conn_write(r->s->conn, r->text.data + at, p->at - at);
        if (!ok)
            return error_set(e, ERROR_CANCELED, "the client is gone or does not read");
        at = p->at;
        if (!message_send(r->s, r->source->message, p->start, p->len, e)) {
            r->s->over = "a message that was cut off";
            return false;
        }
    }
    return session_conn_write(r->s->conn, r->text.data + at, r->text.len - at) ||
           error_set(e, ERROR_CANCELED, "the client is gone or does not read");
}

bool fetch_reply(struct imap_session *s, const struct fetch_request *request,
                 const struct fetch_source *source, struct error *e)
{
    uint64_t own = source->message ? message_size(source->message) : 0;
    struct reply r = {.s = s,
                      .request = request,
                      .source = source,
                      .text = BUF_INIT(REPLY_MAX + 2 * (size_t)own),
                      .pieces = arena_alloc(source->arena, request->count * sizeof *r.pieces)};
    error_clear(e);
    bool ok = build(&r, e) && send_reply(&r, e);
    if (ok && request->needs & FETCH_NEEDS_BODY)
        inventory_fetched(session_conn_client(s->conn), 1);
    buf_free(&r.text);
    return ok;
}
