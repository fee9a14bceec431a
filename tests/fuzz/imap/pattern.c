/* Patterns of LIST against a table of what each pair of ends matches. The input is a pattern and a
 * name with a line feed between them. */
#include "../fuzz.h"

#include "pattern.h"

#include <string.h>

#define SIDE_MAX 64

/* fits[p][n]: the rest of the pattern from p on matches the rest of the name from n on. */
static bool by_table(const char *pattern, const char *name)
{
    static bool fits[SIDE_MAX + 1][SIDE_MAX + 1];
    size_t plen = strlen(pattern), nlen = strlen(name);
    for (size_t p = plen + 1; p-- > 0;) {
        for (size_t n = nlen + 1; n-- > 0;) {
            bool wild = pattern[p] == '*' || pattern[p] == '%';
            if (p == plen)
                fits[p][n] = n == nlen;
            else if (wild)
                fits[p][n] = fits[p + 1][n] ||
                             (n < nlen && (pattern[p] == '*' || name[n] != '/') && fits[p][n + 1]);
            else
                fits[p][n] = n < nlen && pattern[p] == name[n] && fits[p + 1][n + 1];
        }
    }
    return fits[0][0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char pattern[SIDE_MAX + 1], name[SIDE_MAX + 1];
    const uint8_t *split = memchr(data, '\n', size);
    if (!split || memchr(data, '\0', size))
        return 0;
    size_t plen = (size_t)(split - data), nlen = size - plen - 1;
    if (plen > SIDE_MAX || nlen > SIDE_MAX)
        return 0;
    memcpy(pattern, data, plen);
    pattern[plen] = '\0';
    memcpy(name, split + 1, nlen);
    name[nlen] = '\0';
    bool matches = imap_pattern_match(pattern, name);
    /* The letters of INBOX have no case there. */
    if (strncmp(name, "INBOX", 5) != 0)
        FUZZ_CHECK(matches == by_table(pattern, name));
    return 0;
}
