/*
 * Patterns of LIST and LSUB (RFC 3501 section 6.3.8): '*' stands for anything, '%' for anything
 * without a '/'. The time is bounded by the product of both lengths, whatever the wildcards. Pure,
 * any thread.
 */
#ifndef IMAP_PATTERN_H
#define IMAP_PATTERN_H

#include <stdbool.h>

/* Longer patterns match nothing. */
#define IMAP_PATTERN_MAX 2048

/* The letters of INBOX, at the beginning of a name that is it or below it, have no case. */
bool imap_pattern_match(const char *pattern, const char *name);

#endif
