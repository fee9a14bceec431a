/* Patterns against a naive matcher. */
#include "../unit.h"
#include "pattern.h"

#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>

extern const struct unit_test pattern_tests[];

static bool naive(const char *pattern, const char *name)
{
    if (*pattern == '*' || *pattern == '%') {
        for (const char *rest = name;; rest++) {
            if (naive(pattern + 1, rest))
                return true;
            if (!*rest || (*pattern == '%' && *rest == '/'))
                return false;
        }
    }
    return *pattern == *name && (!*pattern || naive(pattern + 1, name + 1));
}

static void fill(char *out, const char *alphabet, unsigned *seed)
{
    size_t len = (*seed = *seed * 1103515245 + 12345) >> 16 & 7;
    for (size_t i = 0; i < len; i++) {
        *seed = *seed * 1103515245 + 12345;
        out[i] = alphabet[(*seed >> 16) % strlen(alphabet)];
    }
    out[len] = '\0';
}

static void test_random(void)
{
    unsigned seed = 1;
    for (unsigned i = 0; i < 200000; i++) {
        char pattern[9], name[9];
        fill(pattern, "ab/*%", &seed);
        fill(name, "ab/", &seed);
        if (imap_pattern_match(pattern, name) != naive(pattern, name)) {
            printf("\"%s\" and \"%s\"\n", pattern, name);
            CU_FAIL("differs from the naive matcher");
        }
    }
}

static void test_inbox(void)
{
    CU_ASSERT(imap_pattern_match("inbox", "INBOX"));
    CU_ASSERT(imap_pattern_match("iNb%", "INBOX"));
    CU_ASSERT(imap_pattern_match("inbox/Child", "INBOX/Child"));
    CU_ASSERT_FALSE(imap_pattern_match("inbox/child", "INBOX/Child"));
    CU_ASSERT_FALSE(imap_pattern_match("inboxes", "INBOXES"));
    CU_ASSERT_FALSE(imap_pattern_match("archive", "Archive"));
}

/* A matcher that tries one wildcard after the other would not come back. */
static void test_no_blow_up(void)
{
    char pattern[IMAP_PATTERN_MAX + 2], name[4001];
    for (size_t i = 0; i < IMAP_PATTERN_MAX; i++)
        pattern[i] = i % 2 ? 'a' : i % 4 ? '*' : '%';
    pattern[IMAP_PATTERN_MAX - 1] = 'b';
    pattern[IMAP_PATTERN_MAX] = '\0';
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CU_ASSERT_FALSE(imap_pattern_match(pattern, name));
    memset(pattern, 'a', IMAP_PATTERN_MAX + 1);
    pattern[IMAP_PATTERN_MAX + 1] = '\0';
    name[IMAP_PATTERN_MAX + 1] = '\0';
    CU_ASSERT_FALSE(imap_pattern_match(pattern, name)); /* over the limit */
    pattern[IMAP_PATTERN_MAX] = name[IMAP_PATTERN_MAX] = '\0';
    CU_ASSERT(imap_pattern_match(pattern, name));
}

const struct unit_test pattern_tests[] = {
    {"against a naive matcher", test_random},
    {"INBOX in any case", test_inbox},
    {"no blow-up", test_no_blow_up},
    {NULL, NULL},
};
