/*
 * The syntax of commands (RFC 3501 section 9): lines and literals become the arguments of args.h.
 * The parser is fed line by line; a line that announces a literal is followed by that literal.
 * Pure; nothing recurses, and the depth of lists and the number of arguments are bounded.
 */
#ifndef IMAP_PARSE_H
#define IMAP_PARSE_H

#include "args.h"

#include "postern/base/arena.h"

#define IMAP_NESTING_MAX 100   /* lists in lists */
#define IMAP_ARGS_MAX    65536 /* of a command, those in lists included */

struct imap_literal {
    uint64_t size; /* UINT64_MAX: more than fits */
    bool sync;     /* the client waits for "+" (RFC 7888: not for "{n+}") */
    bool binary;   /* "~{n}" (RFC 3516) */
};

struct imap_parser {
    struct arena *arena;      /* where the arguments live */
    struct imap_arg *pending; /* those of lists that are still open, one behind the other */
    size_t count, cap;
    size_t total;
    uint32_t open[IMAP_NESTING_MAX]; /* where in `pending` each open list begins */
    size_t depth;
    const char *fault; /* what is wrong, for the client */
    bool over_limit;   /* … and it is no fault of syntax */
};

enum imap_parse {
    IMAP_PARSE_DONE,    /* the command is whole: imap_parser_args() */
    IMAP_PARSE_LITERAL, /* goes on with the literal that the line announced */
    IMAP_PARSE_BAD      /* `fault` says why */
};

void imap_parser_init(struct imap_parser *p, struct arena *a);
void imap_parser_free(struct imap_parser *p);
/* The next line, without its end. On IMAP_PARSE_LITERAL `literal` is set. */
enum imap_parse imap_parser_line(struct imap_parser *p, const char *line, size_t len,
                                 struct imap_literal *literal);
/* The literal that was announced: text in the arena, or an upload. What is wrong with it shows when
 * the next line is parsed. */
void imap_parser_literal(struct imap_parser *p, const struct imap_arg *literal);
/* How many arguments of the outermost level there are so far, the tag included; where a literal
 * would stand in a list: SIZE_MAX. */
size_t imap_parser_position(const struct imap_parser *p);
/* The arguments of a whole command, tag and name included, ended by IMAP_ARG_END. */
const struct imap_arg *imap_parser_args(struct imap_parser *p, size_t *count);

/* Does the line end with the announcement of a literal? Also for lines that are not parsed, to
 * know what must be skipped. */
bool imap_literal_announced(const char *line, size_t len, struct imap_literal *literal);

#endif
