#include "postern/mime/param.h"

#include "postern/base/encode.h"
#include "postern/mime/charset.h"
#include "postern/mime/word.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PIECE_NAME_MAX 80 /* a longer name has no pieces */

struct scan {
    const char *p;
    const char *end;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_filling(struct scan *s)
{
    int depth = 0;
    for (; s->p < s->end; s->p++) {
        if (*s->p == '(')
            depth++;
        else if (*s->p == ')' && depth > 0)
            depth--;
        else if (*s->p == '\\' && depth > 0 && s->end - s->p > 1)
            s->p++;
        else if (depth == 0 && !is_blank(*s->p))
            return;
    }
}

/* Bytes up to white space or one of `stops`. */
static const char *read_token(struct scan *s, const char *stops, struct arena *arena)
{
    const char *start = s->p;
    while (s->p < s->end && !is_blank(*s->p) && *s->p && !strchr(stops, *s->p))
        s->p++;
    return arena_strndup(arena, start, (size_t)(s->p - start));
}

static const char *read_quoted(struct scan *s, struct arena *arena)
{
    struct buf out = BUF_INIT((size_t)(s->end - s->p));
    for (s->p++; s->p < s->end && *s->p != '"'; s->p++) {
        if (*s->p == '\\' && s->end - s->p > 1)
            s->p++;
        if (*s->p && *s->p != '\r' && *s->p != '\n')
            buf_putc(&out, *s->p);
    }
    if (s->p < s->end)
        s->p++;
    const char *text = arena_strndup(arena, buf_str(&out), out.len);
    buf_free(&out);
    return text;
}

/* At the byte behind ";". False: no parameter stands there. */
static bool read_param(struct scan *s, struct arena *arena, struct mime_param *param)
{
    skip_filling(s);
    param->name = read_token(s, "=;(", arena);
    skip_filling(s);
    if (!*param->name || s->p == s->end || *s->p != '=')
        return false;
    s->p++;
    skip_filling(s);
    if (s->p < s->end && *s->p == '"')
        param->value = read_quoted(s, arena);
    else
        param->value = read_token(s, ";(", arena);
    return true;
}

void mime_value_parse(const char *value, size_t len, struct arena *arena, struct mime_value *out)
{
    struct scan s = {value, value + len};
    struct mime_param params[MIME_PARAMS_MAX];
    *out = (struct mime_value){.subtype = NULL};
    skip_filling(&s);
    out->type = read_token(&s, "/;(", arena);
    skip_filling(&s);
    if (s.p < s.end && *s.p == '/') {
        s.p++;
        skip_filling(&s);
        out->subtype = read_token(&s, ";(", arena);
    }
    while (out->count < MIME_PARAMS_MAX && s.p < s.end) {
        if (*s.p++ == ';' && read_param(&s, arena, &params[out->count]))
            out->count++;
    }
    out->params = arena_alloc(arena, out->count * sizeof *params);
    if (out->count)
        memcpy(out->params, params, out->count * sizeof *params);
}

bool mime_value_is(const struct mime_value *v, const char *type, const char *subtype)
{
    return strcasecmp(v->type ? v->type : "", type ? type : "") == 0 &&
           strcasecmp(v->subtype ? v->subtype : "", subtype ? subtype : "") == 0;
}

const char *mime_param_get(const struct mime_value *v, const char *name)
{
    for (size_t i = 0; i < v->count; i++) {
        if (strcasecmp(v->params[i].name, name) == 0)
            return v->params[i].value;
    }
    return NULL;
}

static bool percent_decode(const char *text, struct buf *out)
{
    for (; *text; text++) {
        uint8_t byte = (uint8_t)*text;
        if (*text == '%' && text[1] && hex_decode(text + 1, 2, &byte))
            text += 2;
        if (!buf_putc(out, (char)byte))
            return false;
    }
    return true;
}

/* "charset'language'text": moves *text behind it. */
static void read_charset(const char **text, const char **charset, size_t *charset_len)
{
    const char *first = strchr(*text, '\'');
    const char *second = first ? strchr(first + 1, '\'') : NULL;
    if (!second)
        return;
    *charset = *text;
    *charset_len = (size_t)(first - *text);
    *text = second + 1;
}

struct pieces {
    const char *charset; /* said by the first piece */
    size_t charset_len;
    struct buf bytes;
};

/* The escaped piece `name` with a "*" behind it. */
static bool add_escaped(const struct mime_value *v, const char *name, bool first, struct pieces *p)
{
    char escaped[PIECE_NAME_MAX + 1];
    snprintf(escaped, sizeof escaped, "%s*", name);
    const char *value = mime_param_get(v, escaped);
    if (!value)
        return false;
    if (first)
        read_charset(&value, &p->charset, &p->charset_len);
    return percent_decode(value, &p->bytes);
}

static bool add_numbered(const struct mime_value *v, const char *name, struct pieces *p)
{
    char piece[PIECE_NAME_MAX];
    size_t i = 0;
    for (; i < MIME_PARAMS_MAX; i++) {
        if ((size_t)snprintf(piece, sizeof piece, "%s*%zu", name, i) >= sizeof piece)
            break;
        const char *plain = mime_param_get(v, piece);
        if (plain ? !buf_puts(&p->bytes, plain) : !add_escaped(v, piece, i == 0, p))
            break;
    }
    return i > 0;
}

static bool append_pieces(const struct pieces *p, struct buf *out)
{
    struct buf text = BUF_INIT(out->max);
    bool ok =
        mime_charset_to_utf8(p->charset, p->charset_len, buf_str(&p->bytes), p->bytes.len, &text) &&
        mime_text_append_line(buf_str(&text), text.len, out);
    out->overflow = out->overflow || text.overflow;
    buf_free(&text);
    return ok;
}

static size_t values_len(const struct mime_value *v)
{
    size_t len = 0;
    for (size_t i = 0; i < v->count; i++)
        len += strlen(v->params[i].value);
    return len;
}

bool mime_param_decode(const struct mime_value *v, const char *name, struct buf *out)
{
    struct pieces p = {.bytes = BUF_INIT(values_len(v))};
    const char *plain = mime_param_get(v, name);
    bool ok = false;
    /* The extended form is the better one where both are (RFC 6266 section 4.3). */
    if (strlen(name) < PIECE_NAME_MAX &&
        (add_escaped(v, name, true, &p) || add_numbered(v, name, &p)))
        ok = append_pieces(&p, out);
    else if (plain)
        ok = mime_text_decode(plain, strlen(plain), out);
    buf_free(&p.bytes);
    return ok;
}

/* Does `name` end with "*0" or "*0*"? *len: of what stands before. */
static bool is_first_piece(const char *name, size_t *len)
{
    const char *star = strchr(name, '*');
    if (!star || (strcmp(star, "*0") != 0 && strcmp(star, "*0*") != 0))
        return false;
    *len = (size_t)(star - name);
    return *len > 0 && *len < PIECE_NAME_MAX;
}

/* The n-th piece; NULL if there is none. */
static const char *find_piece(const struct mime_value *v, const char *name, size_t len, size_t n,
                              bool *escaped)
{
    char piece[PIECE_NAME_MAX + 24];
    snprintf(piece, sizeof piece, "%.*s*%zu", (int)len, name, n);
    const char *value = mime_param_get(v, piece);
    *escaped = !value;
    if (value)
        return value;
    snprintf(piece, sizeof piece, "%.*s*%zu*", (int)len, name, n);
    return mime_param_get(v, piece);
}

static void put_escaped(struct buf *out, const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c <= ' ' || c > 0x7e || strchr("*'%()<>@,;:\\\"/[]?=", c))
            buf_printf(out, "%%%02X", c);
        else
            buf_putc(out, *text);
    }
}

static struct mime_param join(const struct mime_value *v, const char *name, size_t len,
                              struct arena *arena)
{
    struct buf value = BUF_INIT(3 * values_len(v) + 4);
    bool any_escaped = false, escaped;
    const char *piece;
    for (size_t n = 0; n < MIME_PARAMS_MAX && find_piece(v, name, len, n, &escaped); n++)
        any_escaped = any_escaped || escaped;
    for (size_t n = 0; n < MIME_PARAMS_MAX; n++) {
        piece = find_piece(v, name, len, n, &escaped);
        if (!piece)
            break;
        if (n == 0 && any_escaped && !escaped)
            buf_puts(&value, "''");
        if (any_escaped && !escaped)
            put_escaped(&value, piece);
        else
            buf_puts(&value, piece);
    }
    struct mime_param joined = {
        .name = arena_printf(arena, "%.*s%s", (int)len, name, any_escaped ? "*" : ""),
        .value = arena_strdup(arena, buf_str(&value))};
    buf_free(&value);
    return joined;
}

/* Is it a later piece of a parameter whose first one is there too? */
static bool is_joined(const struct mime_value *v, const char *name)
{
    const char *star = strchr(name, '*');
    bool escaped;
    if (!star || star == name || star - name >= PIECE_NAME_MAX || star[1] < '1' || star[1] > '9')
        return false;
    size_t digits = strspn(star + 1, "0123456789"), n = strtoul(star + 1, NULL, 10);
    if (digits > 2 || (star[1 + digits] && strcmp(star + 1 + digits, "*") != 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!find_piece(v, name, (size_t)(star - name), i, &escaped))
            return false;
    return true;
}

void mime_params_join(const struct mime_value *v, struct arena *arena, struct mime_value *out)
{
    *out = *v;
    out->params = arena_alloc(arena, v->count * sizeof *out->params);
    out->count = 0;
    for (size_t i = 0; i < v->count; i++) {
        size_t len;
        const char *name = v->params[i].name;
        if (is_first_piece(name, &len))
            out->params[out->count++] = join(v, name, len, arena);
        else if (!is_joined(v, name))
            out->params[out->count++] = v->params[i];
    }
}
