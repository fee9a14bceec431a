#include "structure.h"

#include "respond.h"

#include <string.h>
#include <strings.h>

/* What stands for the parts of a multipart that has none: IMAP wants at least one. */
#define NO_PARTS                                                                                   \
    "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL NIL NIL NIL)"

struct writer {
    const struct mime_structure *structure;
    const char *message;
    struct arena *arena;
    struct buf *out;
};

static void put(struct writer *w, const char *text)
{
    imap_put_nstring(w->out, text, text ? strlen(text) : 0);
}

static void put_spaced(struct writer *w, const char *text)
{
    buf_putc(w->out, ' ');
    put(w, text);
}

/* "(name value …)", pieces joined (RFC 2231 section 6). A text without charset is in US-ASCII
 * (RFC 2045 section 5.2). */
static void put_params(struct writer *w, const struct mime_value *v)
{
    bool ascii = strcasecmp(v->type, "text") == 0 && !mime_param_get(v, "charset");
    struct mime_value joined;
    mime_params_join(v, w->arena, &joined);
    v = &joined;
    if (v->count == 0 && !ascii) {
        buf_puts(w->out, "NIL");
        return;
    }
    buf_putc(w->out, '(');
    for (size_t i = 0; i < v->count; i++) {
        if (i)
            buf_putc(w->out, ' ');
        put(w, v->params[i].name);
        put_spaced(w, v->params[i].value);
    }
    if (ascii)
        buf_printf(w->out, "%s\"charset\" \"us-ascii\"", v->count ? " " : "");
    buf_putc(w->out, ')');
}

/* Passes white space and comments. */
static const char *skip_filling(const char *p)
{
    for (int depth = 0; *p; p++) {
        if (*p == '(')
            depth++;
        else if (*p == ')' && depth > 0)
            depth--;
        else if (depth == 0 && !strchr(" \t\r\n", *p))
            break;
    }
    return p;
}

/* Content-Language: a list of tags between commas (RFC 3282). */
static void put_languages(struct writer *w, const char *text)
{
    bool any = false;
    for (const char *p = skip_filling(text ? text : ""); *p;) {
        size_t len = strcspn(p, " \t\r\n,();");
        if (len > 0) {
            buf_putc(w->out, any ? ' ' : '(');
            imap_put_string(w->out, p, len);
            any = true;
        }
        p = skip_filling(p + len);
        if (*p != ',')
            break;
        p = skip_filling(p + 1);
    }
    buf_puts(w->out, any ? ")" : "NIL");
}

/* What both kinds of part end with: disposition, language, location. */
static void put_extension(struct writer *w, const struct mime_part *part)
{
    buf_putc(w->out, ' ');
    if (part->disposition.type[0]) {
        buf_putc(w->out, '(');
        put(w, part->disposition.type);
        buf_putc(w->out, ' ');
        put_params(w, &part->disposition);
        buf_putc(w->out, ')');
    } else {
        buf_puts(w->out, "NIL");
    }
    buf_putc(w->out, ' ');
    put_languages(w, part->language);
    put_spaced(w, part->location);
    buf_putc(w->out, ')');
}

static void put_multipart(struct writer *w, const struct mime_part *part)
{
    put_spaced(w, part->content_type.subtype);
    buf_putc(w->out, ' ');
    put_params(w, &part->content_type);
    put_extension(w, part);
}

/* Up to the size; what follows depends on the type. */
static void put_fields(struct writer *w, const struct mime_part *part)
{
    /* A message beyond the limits has no parts here, and IMAP knows none without. */
    bool cut = part->kind == MIME_LEAF && mime_value_is(&part->content_type, "message", "rfc822");
    put(w, cut ? "application" : part->content_type.type);
    put_spaced(w, cut ? "octet-stream" : part->content_type.subtype);
    buf_putc(w->out, ' ');
    put_params(w, &part->content_type);
    put_spaced(w, part->id);
    put_spaced(w, part->description);
    put_spaced(w, part->encoding ? part->encoding : "7bit");
    buf_printf(w->out, " %zu", part->body.len);
}

/* Recursion goes as deep as parts do: MIME_DEPTH_MAX. */
static void put_part(struct writer *w, const struct mime_part *part)
{
    buf_putc(w->out, '(');
    if (strcasecmp(part->content_type.type, "multipart") == 0) {
        if (part->first_child == MIME_NO_PART)
            buf_puts(w->out, NO_PARTS);
        for (size_t at = part->first_child; at != MIME_NO_PART;
             at = w->structure->parts[at].next_sibling)
            put_part(w, &w->structure->parts[at]);
        put_multipart(w, part);
        return;
    }
    put_fields(w, part);
    if (part->kind == MIME_MESSAGE) {
        const struct mime_part *message = &w->structure->parts[part->first_child];
        buf_putc(w->out, ' ');
        imap_put_envelope(w->message + message->header.start, message->header.len, w->arena,
                          w->out);
        buf_putc(w->out, ' ');
        put_part(w, message);
    }
    if (part->kind == MIME_MESSAGE || strcasecmp(part->content_type.type, "text") == 0)
        buf_printf(w->out, " %zu", part->body_lines);
    put_spaced(w, part->md5);
    put_extension(w, part);
}

bool imap_put_structure(const struct mime_structure *structure, const char *message,
                        struct arena *a, struct buf *out)
{
    struct writer w = {.structure = structure, .message = message, .arena = a, .out = out};
    put_part(&w, structure->parts);
    return !out->overflow;
}
