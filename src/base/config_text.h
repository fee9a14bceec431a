/*
 * The text of a config file by libconfuse's rules, where it must be looked at byte by byte. Private
 * to the configuration.
 */
#ifndef POSTERN_BASE_CONFIG_TEXT_H
#define POSTERN_BASE_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Makes spaces of all comments, keeping the ends of lines, and every byte at its place. */
void config_blank_comments(char *text);

/* A word, a string with its quotes, or one of {}(),=+ of a text without comments. */
struct config_token {
    const char *start;
    size_t len;
};
/* The token at *p or behind it; *p is then behind that. False: there is none. */
bool config_next_token(const char **p, struct config_token *out);
bool config_token_is(const struct config_token *t, const char *text);

#endif
