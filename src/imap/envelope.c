#include "structure.h"

#include "respond.h"

#include "postern/mime/address.h"
#include "postern/mime/header.h"

#include <string.h>

enum { FROM, SENDER, REPLY_TO, TO, CC, BCC, LISTS };

static const char *const list_names[LISTS] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc"};

/* A field's text on one line: line ends are left out, white space at the ends too. */
static bool put_text(const char *header, size_t len, const char *name, struct arena *a,
                     struct buf *out)
{
    struct mime_field field;
    if (!mime_field_find(header, len, name, &field))
        return imap_put_nstring(out, NULL, 0);
    const char *from = field.value, *end = field.value + field.value_len;
    while (from < end && strchr(" \t\r\n", *from) && *from)
        from++;
    while (end > from && strchr(" \t\r\n", end[-1]) && end[-1])
        end--;
    char *text = arena_alloc(a, (size_t)(end - from) + 1), *to = text;
    for (; from < end; from++)
        if (*from != '\r' && *from != '\n')
            *to++ = *from;
    return imap_put_nstring(out, text, (size_t)(to - text));
}

static bool put_part(struct buf *out, const char *text)
{
    return imap_put_nstring(out, text, text ? strlen(text) : 0);
}

static bool put_addresses(const struct mime_addresses *list, struct buf *out)
{
    if (list->count == 0)
        return buf_puts(out, "NIL");
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
    return buf_putc(out, ')');
}

bool imap_put_envelope(const char *header, size_t len, struct arena *a, struct buf *out)
{
    struct mime_addresses lists[LISTS] = {{0}};
    for (size_t i = 0; i < LISTS; i++) {
        struct mime_field field;
        if (mime_field_find(header, len, list_names[i], &field))
            mime_addresses_parse(field.value, field.value_len, a, &lists[i]);
    }
    buf_putc(out, '(');
    put_text(header, len, "Date", a, out);
    buf_putc(out, ' ');
    put_text(header, len, "Subject", a, out);
    for (size_t i = 0; i < LISTS; i++) {
        /* RFC 3501 section 7.4.2: who wrote it sent it and gets the answers, unless it says so. */
        bool from = (i == SENDER || i == REPLY_TO) && lists[i].count == 0;
        buf_putc(out, ' ');
        put_addresses(&lists[from ? FROM : i], out);
    }
    buf_putc(out, ' ');
    put_text(header, len, "In-Reply-To", a, out);
    buf_putc(out, ' ');
    put_text(header, len, "Message-ID", a, out);
    return buf_putc(out, ')') && !out->overflow;
}
