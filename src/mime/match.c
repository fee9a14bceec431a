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
    struct buf line = BUF_INIT(len), mapped = BUF_INIT(len * MIME_CASEMAP_GROWTH);
    if (field) { /* there, a tab has become a space */
        mime_text_append_line(utf8, len, &line);
        utf8 = buf_str(&line);
        len = line.len;
    }
    mime_casemap(utf8, len, &mapped);
    char *needle = arena_alloc(arena, mapped.len + 1);
    memcpy(needle, buf_str(&mapped), mapped.len); /* NULs too */
    *m = (struct mime_match){.scope = scope, .field = field, .needle = needle, .len = mapped.len};
    buf_free(&line);
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

/* A raw value with each run of white space as one space. */
static void squeeze(const struct mime_field *f, struct buf *out)
{
    for (size_t i = 0; i < f->value_len; i++) {
        if (!is_blank(f->value[i]))
            buf_putc(out, f->value[i]);
        else if (i == 0 || !is_blank(f->value[i - 1]))
            buf_putc(out, ' ');
    }
}

static void put_decoded(const char *text, struct buf *out)
{
    mime_text_decode(text, strlen(text), out);
}

/* An encoded word is an atom too (RFC 2047 section 5). */
static bool is_atom(const char *name)
{
    for (; *name; name++) {
        if ((unsigned char)*name <= ' ' || strchr("()<>[]:;@\\,.\"", *name))
            return false;
    }
    return true;
}

/* Names stand there as an ENVELOPE tells them, without the backslashes of quoted strings. */
static void put_name(const char *name, struct buf *out)
{
    const char *quote = is_atom(name) ? "" : "\"";
    buf_puts(out, quote);
    put_decoded(name, out);
    buf_puts(out, quote);
}

static void put_address(const struct mime_address *a, struct buf *out)
{
    struct buf spec = BUF_INIT(out->max);
    if (a->name) {
        put_name(a->name, out);
        buf_putc(out, ' ');
    }
    buf_putc(out, '<');
    if (a->adl)
        buf_printf(out, "%s:", a->adl);
    mime_address_spec(a, &spec);
    put_decoded(buf_str(&spec), out);
    buf_putc(out, '>');
    buf_free(&spec);
}

static void put_addresses(const struct mime_field *f, struct buf *out)
{
    struct arena *arena = arena_new();
    struct mime_addresses list;
    bool separate = false;
    mime_addresses_parse(f->value, f->value_len, arena, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct mime_address *a = &list.items[i];
        if (!a->host && !a->mailbox) {
            buf_putc(out, ';');
            continue;
        }
        if (separate)
            buf_puts(out, ", ");
        if (a->host) {
            put_address(a, out);
        } else {
            put_name(a->mailbox, out);
            buf_puts(out, ": ");
        }
        separate = a->host != NULL;
    }
    arena_free(&arena);
}

/* The text of a field as matches of that scope want it. */
static void read_field(const struct mime_field *f, enum mime_scope scope, struct buf *out)
{
    struct buf raw = BUF_INIT(f->value_len);
    if (scope == MIME_IN_LINE) {
        squeeze(f, &raw);
        mime_text_decode(buf_str(&raw), raw.len, out);
    } else {
        mime_text_decode(f->value, f->value_len, out);
    }
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
    if (m->scope == MIME_IN_ADDRESSES && !m->found) {
        buf_clear(&text);
        put_addresses(f, &text);
        look(m, 1, 1u << m->scope, buf_str(&text), text.len);
    }
    buf_free(&text);
}

/* Lines of a header that are no fields. */
static void put_stray(const char *header, size_t from, size_t to, struct buf *out)
{
    mime_charset_to_utf8(NULL, 0, header + from, to - from, out);
}

static void put_line(const struct mime_field *f, struct buf *out)
{
    bool blank = f->value_len > 0 && is_blank(f->value[0]);
    mime_charset_to_utf8(NULL, 0, f->name, f->name_len, out);
    buf_puts(out, blank ? ": " : ":");
    read_field(f, MIME_IN_FIELD, out);
    buf_puts(out, "\r\n");
}

/* A header block as one text: "Name: value" and line ends. */
static void look_in_header(struct mime_match *matches, size_t count, const char *header, size_t len)
{
    struct buf text = BUF_INIT(text_max(len));
    struct mime_field f;
    size_t done = 0;
    if (!any_wanted(matches, count, 1u << MIME_IN_TEXT))
        return;
    for (size_t pos = 0; mime_field_next(header, len, &pos, &f);) {
        put_stray(header, done, (size_t)(f.name - header), &text);
        put_line(&f, &text);
        done = (size_t)(f.end - header);
    }
    put_stray(header, done, len, &text);
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
    enum mime_transfer transfer;
    if (!mime_transfer_known(encoding, strlen(encoding), &transfer))
        return;
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
