/* ENVELOPE from a header block (RFC 3501 section 7.4.2). */
#include "structure.h"

#include "respond.h"

#include "postern/mime/address.h"
#include "postern/mime/header.h"

#include <string.h>

enum { DATE, SUBJECT, IN_REPLY_TO, MESSAGE_ID, TEXTS };
enum { FROM, SENDER, REPLY_TO, TO, CC, BCC, LISTS };

static const char *const text_names[TEXTS] = {"Date", "Subject", "In-Reply-To", "Message-ID"};
static const char *const list_names[LISTS] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc"};

struct envelope {
    struct mime_field texts[TEXTS]; /* value NULL: there is none */
    struct mime_addresses lists[LISTS];
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A field's text on one line: each fold has become one space, and with `trim` so has all other
 * white space between words. */
static void put_text(const struct mime_field *field, bool trim, struct arena *a, struct buf *out)
{
    if (!field->value) {
        buf_puts(out, "NIL");
        return;
    }
    const char *p = field->value, *end = field->value + field->value_len;
    char *text = arena_alloc(a, field->value_len + 1), *to = text;
    while (p < end && is_blank(*p))
        p++;
    while (p < end) {
        const char *run = p;
        while (p < end && is_blank(*p))
            p++;
        bool fold = memchr(run, '\n', (size_t)(p - run)) != NULL;
        if (p > run && (fold || trim)) {
            *to++ = ' ';
        } else {
            p += p == run;
            memcpy(to, run, (size_t)(p - run));
            to += p - run;
        }
    }
    if (trim && to > text && to[-1] == ' ')
        to--;
    imap_put_string(out, text, (size_t)(to - text));
}

static void put_part(struct buf *out, const char *text)
{
    imap_put_nstring(out, text, text ? strlen(text) : 0);
}

static void put_addresses(const struct mime_addresses *list, struct buf *out)
{
    if (list->count == 0) {
        buf_puts(out, "NIL");
        return;
    }
    buf_putc(out, '(');
    for (size_t i = 0; i < list->count; i++) {
        const struct mime_address *m = &list->items[i];
        buf_putc(out, '(');
        put_part(out, m->name);
        buf_putc(out, ' ');
        put_part(out, m->adl);
        buf_putc(out, ' ');
        put_part(out, m->mailbox);
        buf_putc(out, ' ');
        put_part(out, m->host);
        buf_putc(out, ')');
    }
    buf_putc(out, ')');
}

/* A field that came before has addresses too (To and Cc of old mail). */
static void add_addresses(const struct mime_field *field, struct arena *a,
                          struct mime_addresses *list)
{
    struct mime_addresses more;
    mime_addresses_parse(field->value, field->value_len, a, &more);
    if (list->count == 0 || list->count + more.count > MIME_ADDRESSES_MAX) {
        *list = list->count ? *list : more;
        return;
    }
    struct mime_address *all = arena_alloc(a, (list->count + more.count) * sizeof *all);
    memcpy(all, list->items, list->count * sizeof *all);
    if (more.count)
        memcpy(all + list->count, more.items, more.count * sizeof *all);
    list->items = all;
    list->count += more.count;
}

/* Of a text that comes twice the last one counts, as with other servers. */
static void read_fields(const char *header, size_t len, struct arena *a, struct envelope *out)
{
    size_t pos = 0;
    struct mime_field field;
    while (mime_field_next(header, len, &pos, &field)) {
        for (size_t i = 0; i < TEXTS; i++)
            if (mime_field_is(&field, text_names[i]))
                out->texts[i] = field;
        for (size_t i = 0; i < LISTS; i++)
            if (mime_field_is(&field, list_names[i]))
                add_addresses(&field, a, &out->lists[i]);
    }
}

bool imap_put_envelope(const char *header, size_t len, struct arena *a, struct buf *out)
{
    struct envelope e = {0};
    read_fields(header, len, a, &e);
    buf_putc(out, '(');
    put_text(&e.texts[DATE], false, a, out);
    buf_putc(out, ' ');
    put_text(&e.texts[SUBJECT], true, a, out);
    for (size_t i = 0; i < LISTS; i++) {
        /* RFC 3501 section 7.4.2: who wrote it sent it and gets the answers, unless it says so. */
        bool from = (i == SENDER || i == REPLY_TO) && e.lists[i].count == 0;
        buf_putc(out, ' ');
        put_addresses(&e.lists[from ? FROM : i], out);
    }
    buf_putc(out, ' ');
    put_text(&e.texts[IN_REPLY_TO], false, a, out);
    buf_putc(out, ' ');
    put_text(&e.texts[MESSAGE_ID], false, a, out);
    return buf_putc(out, ')') && !out->overflow;
}
