/*
 * Commands, line by line and literal by literal: what comes out is bounded, whole strings of the
 * arena, and each list ends where it says.
 */
#include "../fuzz.h"

#include "parse.h"

#include <string.h>

static size_t check(const struct imap_arg *args, size_t count, size_t depth)
{
    size_t total = count;
    FUZZ_CHECK(depth <= IMAP_NESTING_MAX);
    FUZZ_CHECK(args[count].type == IMAP_ARG_END);
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(args[i].type != IMAP_ARG_END);
        if (args[i].type == IMAP_ARG_LIST) {
            total += check(args[i].list, args[i].count, depth + 1);
        } else {
            FUZZ_CHECK(strlen(args[i].text) == args[i].len);
            FUZZ_CHECK(args[i].type != IMAP_ARG_ATOM || args[i].len > 0);
        }
    }
    return total;
}

/* Literals are cut short where the input ends; the parser does not count their bytes. */
static size_t take_literal(struct imap_parser *p, const struct imap_literal *literal,
                           const char *text, size_t len)
{
    size_t n = literal->size < len ? (size_t)literal->size : len;
    char *copy = arena_alloc(p->arena, n + 1);
    if (n)
        memcpy(copy, text, n);
    imap_parser_literal(p, &(struct imap_arg){.type = IMAP_ARG_LITERAL, .text = copy, .len = n});
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct arena *arena = arena_new();
    struct imap_parser p;
    struct imap_literal literal;
    enum imap_parse result = IMAP_PARSE_LITERAL;
    size_t count;
    imap_parser_init(&p, arena);
    while (result == IMAP_PARSE_LITERAL && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        if (memchr(at, '\0', len))
            break; /* the connection lets no such line through */
        result = imap_parser_line(&p, at, len, &literal);
        at += len + (stop ? 1 : 0);
        if (result == IMAP_PARSE_LITERAL)
            at += take_literal(&p, &literal, at, (size_t)(end - at));
    }
    FUZZ_CHECK(result != IMAP_PARSE_BAD || p.fault);
    if (result == IMAP_PARSE_DONE) {
        const struct imap_arg *args = imap_parser_args(&p, &count);
        FUZZ_CHECK(check(args, count, 0) <= IMAP_ARGS_MAX);
    }
    imap_parser_free(&p);
    arena_free(&arena);
    return 0;
}
