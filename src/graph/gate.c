#include "gate.h"

#include <string.h>
#include <strings.h>

/* Compares as far as bytes are there. PASS: it differs; HOLD: all that is there agrees. */
static enum gate starts(const char *p, size_t len, const char *word)
{
    size_t n = strlen(word);
    if (strncasecmp(p, word, len < n ? len : n) != 0)
        return GATE_PASS;
    return len < n ? GATE_HOLD : GATE_REFUSE;
}

static size_t blanks(const char *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] && strchr(" \t\r\n\f\v", p[n]))
        n++;
    return n;
}

/* {"error" with white space allowed behind the brace. */
static enum gate json_error(const char *p, size_t len)
{
    if (*p != '{')
        return GATE_PASS;
    size_t skip = 1 + blanks(p + 1, len - 1);
    return starts(p + skip, len - skip, "\"error\"");
}

enum gate gate_look(const char *head, size_t len, bool end)
{
    static const char *const pages[] = {"<html", "<!doctype html"};
    bool last = end || len >= GATE_HEAD_MAX;
    size_t bom = len >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    size_t skip = bom + blanks(head + bom, len - bom);
    const char *p = head + skip;
    size_t left = len - skip;
    if (left == 0 || (skip == 0 && len < 3 && (unsigned char)*p == 0xef))
        return last ? GATE_PASS : GATE_HOLD;
    enum gate verdict = json_error(p, left);
    for (size_t i = 0; verdict == GATE_PASS && i < sizeof pages / sizeof pages[0]; i++)
        verdict = starts(p, left, pages[i]);
    return verdict == GATE_HOLD && last ? GATE_PASS : verdict;
}

bool gate_encoding(const struct answer *a)
{
    return !a->encoding[0] || strcasecmp(a->encoding, "identity") == 0;
}

bool gate_type(const struct answer *a)
{
    return !answer_is_json(a) && !answer_is_type(a, "text/html") &&
           !answer_is_type(a, "application/xhtml+xml");
}
