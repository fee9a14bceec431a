#include "parse.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

#define LITERAL_DIGITS 19 /* that surely fit into 64 bits */

void imap_parser_init(struct imap_parser *p, struct arena *a)
{
    *p = (struct imap_parser){.arena = a};
}

void imap_parser_free(struct imap_parser *p)
{
    free(p->pending);
    *p = (struct imap_parser){0};
}

bool imap_literal_announced(const char *line, size_t len, struct imap_literal *literal)
{
    const char *end = line + len, *digits;
    if (len < 3 || *--end != '}')
        return false;
    literal->sync = end[-1] != '+';
    if (!literal->sync)
        end--;
    for (digits = end; digits > line && digits[-1] >= '0' && digits[-1] <= '9'; digits--)
        continue;
    if (digits == end || digits == line || digits[-1] != '{')
        return false;
    literal->binary = digits - line >= 2 && digits[-2] == '~';
    literal->size =
        end - digits > LITERAL_DIGITS ? UINT64_MAX : (uint64_t)strtoull(digits, NULL, 10);
    return true;
}

static bool bad(struct imap_parser *p, const char *fault)
{
    p->fault = fault;
    return false;
}

static bool over_limit(struct imap_parser *p, const char *fault)
{
    p->over_limit = true;
    return bad(p, fault);
}

static bool push(struct imap_parser *p, const struct imap_arg *arg)
{
    if (++p->total > IMAP_ARGS_MAX)
        return over_limit(p, "too many arguments");
    if (p->count == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 16;
        p->pending = xreallocarray(p->pending, p->cap, sizeof *p->pending);
    }
    p->pending[p->count++] = *arg;
    return true;
}

/* The arguments from `first` on leave the pending ones for the arena. */
static const struct imap_arg *settle(struct imap_parser *p, size_t first, size_t *count)
{
    *count = p->count - first;
    struct imap_arg *list = arena_alloc(p->arena, (*count + 1) * sizeof *list); /* zero: END */
    if (*count)
        memcpy(list, p->pending + first, *count * sizeof *list);
    p->count = first;
    return list;
}

static bool open_list(struct imap_parser *p)
{
    if (p->depth == IMAP_NESTING_MAX)
        return over_limit(p, "too many parentheses inside each other");
    p->open[p->depth++] = (uint32_t)p->count;
    return true;
}

static bool close_list(struct imap_parser *p)
{
    if (p->depth == 0)
        return bad(p, "a parenthesis is closed that was not opened");
    struct imap_arg list = {.type = IMAP_ARG_LIST};
    list.list = settle(p, p->open[--p->depth], &list.count);
    return push(p, &list);
}

static bool is_atom_char(char c)
{
    return c > 0x20 && c < 0x7f && !strchr("(){\"", c);
}

static bool read_atom(struct imap_parser *p, const char **at, const char *end, bool glued)
{
    const char *start = *at, *stop = start;
    while (stop < end && is_atom_char(*stop))
        stop++;
    size_t len = (size_t)(stop - start);
    struct imap_arg atom = {.type = IMAP_ARG_ATOM,
                            .glued = glued,
                            .text = arena_strndup(p->arena, start, len),
                            .len = len};
    *at = stop;
    return push(p, &atom);
}

static bool read_quoted(struct imap_parser *p, const char **at, const char *end)
{
    const char *start = *at + 1, *stop = start;
    while (stop < end && *stop != '"')
        stop += *stop == '\\' ? 2 : 1;
    if (stop >= end)
        return bad(p, "a quoted string does not end");
    char *text = arena_alloc(p->arena, (size_t)(stop - start) + 1), *to = text;
    for (const char *from = start; from < stop; from++) {
        if (*from == '\\' && *++from != '"' && *from != '\\')
            return bad(p, "in a quoted string a backslash is written \\\\");
        *to++ = *from;
    }
    struct imap_arg quoted = {.type = IMAP_ARG_QUOTED, .text = text, .len = (size_t)(to - text)};
    *at = stop + 1;
    return push(p, &quoted);
}

/* Where a bracket is open: "BODY[HEADER.FIELDS". */
static bool opens_section(const struct imap_arg *arg)
{
    const char *opened = arg->type == IMAP_ARG_ATOM ? strrchr(arg->text, '[') : NULL;
    return opened && !strchr(opened, ']');
}

/* Only the "]" of BODY[HEADER.FIELDS (From)] follows something without a space. */
static bool may_be_glued(const struct imap_parser *p, char next)
{
    if (next == ')')
        return true;
    return next == ']' && p->count >= 2 && p->pending[p->count - 1].type == IMAP_ARG_LIST &&
           opens_section(&p->pending[p->count - 2]);
}

static bool read_one(struct imap_parser *p, const char **at, const char *end, bool glued)
{
    if (!is_atom_char(**at) && !strchr("()\"", **at))
        return bad(p, "a character that is not allowed outside of quotes and literals");
    if (glued && !may_be_glued(p, **at))
        return bad(p, "a space is missing between arguments");
    switch (**at) {
    case '(':
        ++*at;
        return open_list(p);
    case ')':
        ++*at;
        return close_list(p);
    case '"':
        return read_quoted(p, at, end);
    default:
        return read_atom(p, at, end, glued);
    }
}

enum imap_parse imap_parser_line(struct imap_parser *p, const char *line, size_t len,
                                 struct imap_literal *literal)
{
    const char *at = line, *end = line + len;
    bool announced = imap_literal_announced(line, len, literal);
    /* Behind a literal only a space or a closing parenthesis can stand. */
    bool glued = p->total > 0;
    if (p->fault)
        return IMAP_PARSE_BAD;
    if (announced) {
        while (*--end != '{')
            continue;
        end -= literal->binary ? 1 : 0;
    }
    while (at < end) {
        if (*at == ' ') {
            at++;
            glued = false;
            continue;
        }
        bool opens = *at == '(';
        if (!read_one(p, &at, end, glued))
            return IMAP_PARSE_BAD;
        glued = !opens;
    }
    if (announced && glued) {
        bad(p, "a space is missing before a literal");
        return IMAP_PARSE_BAD;
    }
    if (announced)
        return IMAP_PARSE_LITERAL;
    if (p->depth) {
        bad(p, "a parenthesis is not closed");
        return IMAP_PARSE_BAD;
    }
    return IMAP_PARSE_DONE;
}

void imap_parser_literal(struct imap_parser *p, const struct imap_arg *literal)
{
    /* RFC 3501 section 9, CHAR8. */
    if (literal->text && memchr(literal->text, '\0', literal->len))
        bad(p, "a NUL byte has no place in a literal");
    else
        push(p, literal);
}

size_t imap_parser_position(const struct imap_parser *p)
{
    return p->depth ? SIZE_MAX : p->count;
}

const struct imap_arg *imap_parser_args(struct imap_parser *p, size_t *count)
{
    return settle(p, 0, count);
}
