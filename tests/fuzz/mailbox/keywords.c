/* Keywords and categories: each has one on the other side, and comes back. */
#include "../fuzz.h"

#include "../../../src/mailbox/change/keywords.h"

#include <string.h>

/* A keyword is an atom without "]" (RFC 3501 section 9). */
static bool is_keyword(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p <= ' ' || *p >= 0x7f || strchr("(){%*\"\\]", *p))
            return false;
    return *text != '\0';
}

static void check_category(const char *category)
{
    const char *list[] = {category, NULL};
    bool cut;
    struct arena *a = arena_new();
    char *keyword = keywords_of_categories(list, &cut);
    FUZZ_CHECK(!cut && is_keyword(keyword));
    const char **back = keywords_to_categories(keyword, a);
    FUZZ_CHECK(!back || (strcmp(back[0], category) == 0 && !back[1]));
    free(keyword);
    arena_free(&a);
}

static void check_keyword(const char *keyword)
{
    struct arena *a = arena_new();
    bool cut;
    const char **categories = keywords_to_categories(keyword, a);
    if (categories) {
        char *back = keywords_of_categories(categories, &cut);
        FUZZ_CHECK(strcmp(back, keyword) == 0);
        free(back);
    }
    arena_free(&a);
}

/* Adding makes it so, once; removing undoes it. */
static void check_change(const char *word)
{
    char *more = keywords_change("Work other", MAILBOX_FLAGS_ADD, word);
    char *again = keywords_change(more, MAILBOX_FLAGS_ADD, word);
    char *less = keywords_change(more, MAILBOX_FLAGS_REMOVE, word);
    char *only = keywords_change(more, MAILBOX_FLAGS_REPLACE, word);
    FUZZ_CHECK(strcmp(more, again) == 0);
    FUZZ_CHECK(!keywords_same(less, more) && keywords_same(only, word));
    free(more);
    free(again);
    free(less);
    free(only);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    if (size == 0 || size >= sizeof text || memchr(data, '\0', size))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_category(text);
    if (is_keyword(text)) {
        check_keyword(text);
        check_change(text);
    }
    return 0;
}
