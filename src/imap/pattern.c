#include "pattern.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define INBOX_LEN 5

/* Positions in the pattern that what was read of the name may have led to, rising. */
struct states {
    uint16_t at[IMAP_PATTERN_MAX + 1];
    size_t count;
};

/* Adds a position, and those behind wildcards that may stand for nothing. */
static void add(struct states *s, const char *pattern, size_t at)
{
    for (;; at++) {
        if (s->count > 0 && s->at[s->count - 1] >= at)
            return; /* it is there, with all that follows from it */
        s->at[s->count++] = (uint16_t)at;
        if (pattern[at] != '*' && pattern[at] != '%')
            return;
    }
}

static bool is_below_inbox(const char *name)
{
    return strncmp(name, "INBOX", INBOX_LEN) == 0 &&
           (name[INBOX_LEN] == '\0' || name[INBOX_LEN] == '/');
}

bool imap_pattern_match(const char *pattern, const char *name)
{
    struct states sets[2] = {{.count = 0}, {.count = 0}};
    struct states *now = &sets[0], *next = &sets[1];
    size_t len = strlen(pattern), inbox = is_below_inbox(name) ? INBOX_LEN : 0;
    if (len > IMAP_PATTERN_MAX)
        return false;
    add(now, pattern, 0);
    for (size_t i = 0; name[i] && now->count > 0; i++) {
        next->count = 0;
        for (size_t k = 0; k < now->count; k++) {
            size_t at = now->at[k];
            char want = pattern[at];
            if (want == '*' || (want == '%' && name[i] != '/'))
                add(next, pattern, at);
            else if (want &&
                     (want == name[i] || (i < inbox && toupper((unsigned char)want) == name[i])))
                add(next, pattern, at + 1);
        }
        struct states *swap = now;
        now = next;
        next = swap;
    }
    return now->count > 0 && now->at[now->count - 1] == len;
}
