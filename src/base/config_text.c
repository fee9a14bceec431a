#include "config_text.h"

#include <string.h>

#define PUNCTUATION "{}(),=+"
#define SPACES      " \t\r\n"
#define WORD_ENDS   SPACES "\"'" PUNCTUATION

/* Behind the string that begins at p, by libconfuse's rules: a backslash escapes in both kinds. */
static const char *string_end(const char *p)
{
    char quote = *p++;
    while (*p && *p != quote)
        p += *p == '\\' && p[1] ? 2 : 1;
    return *p ? p + 1 : p;
}

/* Behind the comment that begins at p; p itself if none does, or if it never ends, which is left
 * for libconfuse to find. Within a word slashes are only slashes: https://host. */
static char *comment_end(char *p, bool in_word)
{
    if (*p == '#' || (!in_word && strncmp(p, "//", 2) == 0))
        return p + strcspn(p, "\n");
    char *end = !in_word && strncmp(p, "/*", 2) == 0 ? strstr(p + 2, "*/") : NULL;
    return end ? end + 2 : p;
}

void config_blank_comments(char *text)
{
    bool in_word = false;
    char *next;
    for (char *p = text; *p; p = next) {
        char *end = comment_end(p, in_word);
        next = *p == '"' || *p == '\'' ? p + (string_end(p) - p) : end > p ? end : p + 1;
        if (strncmp(p, "${", 2) == 0) /* an environment variable, with a fallback of any text */
            next = p + strcspn(p, "}\n");
        for (; p < end; p++) {
            if (*p != '\n')
                *p = ' ';
        }
        in_word = !strchr(WORD_ENDS, next[-1]);
    }
}

/* Behind the word that begins at p, in which ${…} may hold anything. */
static const char *word_end(const char *p)
{
    while (*p && !strchr(WORD_ENDS, *p)) {
        if (strncmp(p, "${", 2) == 0)
            p += strcspn(p, "}\n");
        if (*p)
            p++;
    }
    return p;
}

bool config_next_token(const char **p, struct config_token *out)
{
    const char *start = *p + strspn(*p, SPACES), *end;
    if (!*start)
        return false;
    if (*start == '"' || *start == '\'')
        end = string_end(start);
    else
        end = strchr(PUNCTUATION, *start) ? start + 1 : word_end(start);
    *out = (struct config_token){start, (size_t)(end - start)};
    *p = end;
    return true;
}

bool config_token_is(const struct config_token *t, const char *text)
{
    return strlen(text) == t->len && memcmp(t->start, text, t->len) == 0;
}
