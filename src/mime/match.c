#include "postern/mime/match.h"

#include "postern/mime/address.h"
#include "postern/mime/casemap.h"
#include "postern/mime/charset.h"
#include "postern/mime/header.h"
#include "postern/mime/structure.h"
#include "postern/mime/transfer.h"
#include "postern/mime/word.h"

#include <string.h>
#include <strings.h>

/* Text that is mapped at once; what is kept of the piece before is shorter than a needle. */
#define PIECE 65536
/* Decoding to UTF-8 never grows text more (mime/charset.h). */
#define UTF8_GROWTH 18

void mime_match_init(struct mime_match *m, enum mime_scope scope, const char *field,
                     const char *utf8, size_t len, struct arena *arena)
{
    struct buf mapped = BUF_INIT(len * MIME_CASEMAP_GROWTH);
    mime_casemap(utf8, len, &mapped);
    *m = (struct mime_match){.scope = scope,
                             .field = field,
                             .needle = arena_strndup(arena, buf_str(&mapped), mapped.len),
                             .len = mapped.len};
    buf_free(&mapped);
}

static bool is_wanted(const struct mime_match *m, unsigned scopes)
{
    return !m->found && scopes >> m->scope & 1;
}

static bool any_wanted(const struct mime_match *matches, size_t count, unsigned scopes)
{
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(&matches[i], scopes))
            return true;
    }
    return false;
}

/* Length of the longest piece of `text` up to PIECE that ends between two characters. */
static size_t piece_of(const char *text, size_t len)
{
    if (len <= PIECE)
        return len;
    size_t n = PIECE;
    while (n > PIECE - 4 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* Looks for those of the scopes in one stretch of text. */
static void look(struct mime_match *matches, size_t count, unsigned scopes, const char *utf8,
                 size_t len)
{
    size_t longest = 1, kept;
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(&matches[i], scopes) && matches[i].len > longest)
            longest = matches[i].len;
    }
    struct buf window = BUF_INIT(PIECE * MIME_CASEMAP_GROWTH + longest);
    for (size_t at = 0, n; at < len && any_wanted(matches, count, scopes); at += n) {
        n = piece_of(utf8 + at, len - at);
        mime_casemap(utf8 + at, n, &window);
        for (size_t i = 0; i < count; i++) {
            struct mime_match *m = &matches[i];
            if (is_wanted(m, scopes))
                m->found = memmem(buf_str(&window), window.len, m->needle, m->len) != NULL;
        }
        kept = window.len < longest - 1 ? window.len : longest - 1;
        buf_consume(&window, window.len - kept);
    }
    buf_free(&window);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A raw value with each fold, or each run of white space, as one space. */
static void squeeze(const struct mime_field *f, bool all, struct buf *out)
{
    for (size_t i = 0; i < f->value_len;) {
        size_t end = i;
        bool folded = false;
        while (end < f->value_len && is_blank(f->value[end]))
            folded |= f->value[end++] == '\n';
        if (end > i && (all || folded))
            buf_putc(out, ' ');
        else if (end > i)
            buf_append(out, f->value + i, end - i);
        else
            buf_putc(out, f->value[end++]);
        i = end;
    }
}

static void put_decoded(const char *text, struct buf *out)
{
    mime_text_decode(text, strlen(text), out);
}

static bool needs_quotes(const char *name)
{
    return strpbrk(name, "()<>[]:;@\\,.\"") != NULL;
}

static void put_name(const char *name, struct buf *out)
{
    bool quote = needs_quotes(name);
    if (quote)
        buf_putc(out, '"');
    put_decoded(name, out);
    if (quote)
        buf_putc(out, '"');
}

static void put_spec(const struct mime_address *a, struct buf *out)
{
    put_decoded(a->mailbox, out);
    if (*a->host)
        buf_putc(out, '@');
    put_decoded(a->host, out);
}

/* Names are told without the backslashes of quoted strings, as in an ENVELOPE. */
static void put_addresses(const struct mime_field *f, struct buf *out)
{
    struct arena *arena = arena_new();
    struct mime_addresses list;
    mime_addresses_parse(f->value, f->value_len, arena, &list);
    bool separate = false;
    for (size_t i = 0; i < list.count; i++) {
        const struct mime_address *a = &list.items[i];
        if (!a->host && !a->mailbox) {
            buf_putc(out, ';');
            continue;
        }
        if (separate)
            buf_puts(out, ", ");
        separate = a->host != NULL;
        if (!a->host) {
            put_name(a->mailbox, out);
            buf_puts(out, ": ");
        } else if (a->name || a->adl) {
            put_name(a->name ? a->name : "", out);
            buf_puts(out, a->name ? " <" : "<");
            buf_puts(out, a->adl ? a->adl : "");
            buf_puts(out, a->adl ? ":" : "");
            put_spec(a, out);
            buf_putc(out, '>');
        } else {
            put_spec(a, out);
        }
    }
    arena_free(&arena);
}

/* The text of a field as matches of that scope want it. */
static void read_field(const struct mime_field *f, enum mime_scope scope, struct buf *out)
{
    if (scope == MIME_IN_ADDRESSES) {
        put_addresses(f, out);
        return;
    }
    struct buf raw = BUF_INIT(f->value_len);
    squeeze(f, scope == MIME_IN_LINE, &raw);
    mime_text_decode(buf_str(&raw), raw.len, out);
    buf_free(&raw);
}

/* More than any form of a field can have: decoding grows it by UTF8_GROWTH, and an address of a
 * byte or two may get separators and brackets. */
static size_t text_max(size_t len)
{
    return len * UTF8_GROWTH + 16;
}

static void match_field(struct mime_match *m, const struct mime_field *f)
{
    if (m->len == 0) {
        m->found = true;
        return;
    }
    struct buf text = BUF_INIT(text_max(f->value_len));
    read_field(f, m->scope, &text);
    look(m, 1, 1u << m->scope, buf_str(&text), text.len);
    buf_free(&text);
}

/* A header block as one text: "Name: value" and line ends. */
static void look_in_header(struct mime_match *matches, size_t count, const char *header, size_t len)
{
    struct buf text = BUF_INIT(text_max(len));
    struct mime_field f;
    if (!any_wanted(matches, count, 1u << MIME_IN_TEXT))
        return;
    for (size_t pos = 0; mime_field_next(header, len, &pos, &f);) {
        size_t blanks = 0;
        while (blanks < f.value_len && is_blank(f.value[blanks]))
            blanks++;
        mime_charset_to_utf8(NULL, 0, f.name, f.name_len, &text);
        buf_puts(&text, blanks ? ": " : ":");
        read_field(&f, MIME_IN_FIELD, &text);
        buf_puts(&text, "\r\n");
    }
    look(matches, count, 1u << MIME_IN_TEXT, buf_str(&text), text.len);
    buf_free(&text);
}

/* What is looked for without a needle is in every text. */
static void find_empty(struct mime_match *matches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool in_text = matches[i].scope == MIME_IN_BODY || matches[i].scope == MIME_IN_TEXT;
        matches[i].found = matches[i].found || (in_text && matches[i].len == 0);
    }
}

void mime_match_header(struct mime_match *matches, size_t count, const char *header, size_t len)
{
    struct mime_field f;
    find_empty(matches, count);
    for (size_t pos = 0; mime_field_next(header, len, &pos, &f);) {
        for (size_t i = 0; i < count; i++) {
            struct mime_match *m = &matches[i];
            if (m->field && !m->found && mime_field_is(&f, m->field))
                match_field(m, &f);
        }
    }
    look_in_header(matches, count, header, len);
}

static bool is_text(const struct mime_part *part)
{
    return part->kind == MIME_LEAF && (strcasecmp(part->content_type.type, "text") == 0 ||
                                       strcasecmp(part->content_type.type, "message") == 0);
}

static void look_in_part(struct mime_match *matches, size_t count, const struct mime_part *part,
                         const char *message)
{
    const char *encoding = part->encoding ? part->encoding : "";
    const char *charset = mime_param_get(&part->content_type, "charset");
    const char *data = message + part->body.start;
    size_t len = part->body.len;
    enum mime_transfer transfer = mime_transfer_of(encoding, strlen(encoding));
    struct buf decoded = BUF_INIT(len), text = BUF_INIT(text_max(len));
    if (transfer != MIME_TRANSFER_NONE) {
        mime_transfer_decode(transfer, data, len, &decoded);
        data = buf_str(&decoded);
        len = decoded.len;
    }
    mime_charset_to_utf8(charset, charset ? strlen(charset) : 0, data, len, &text);
    buf_free(&decoded);
    look(matches, count, 1u << MIME_IN_BODY | 1u << MIME_IN_TEXT, buf_str(&text), text.len);
    buf_free(&text);
}

void mime_match_body(struct mime_match *matches, size_t count, const char *message, size_t len)
{
    const unsigned scopes = 1u << MIME_IN_BODY | 1u << MIME_IN_TEXT;
    struct arena *arena = arena_new();
    struct mime_structure structure;
    find_empty(matches, count);
    mime_structure_parse(message, len, arena, &structure);
    for (size_t i = 0; i < structure.count && any_wanted(matches, count, scopes); i++) {
        const struct mime_part *part = &structure.parts[i];
        if (i > 0)
            look_in_header(matches, count, message + part->header.start, part->header.len);
        if (is_text(part))
            look_in_part(matches, count, part, message);
    }
    arena_free(&arena);
}
