/*
 * IMAP keywords and Graph's categories. A set of keywords is one text, words separated by single
 * spaces, "" for none; case makes no other keyword (RFC 3501 section 2.3.2) nor category.
 *
 * Every category has one keyword and every keyword one category: a byte that an atom cannot hold
 * (RFC 3501 section 9) is written "=XX", upper case, and an equals sign is only where what follows
 * it would be read as such an escape. Names that atoms can hold are the same on both sides. Pure
 * functions, any thread.
 */
#ifndef POSTERN_MAILBOX_KEYWORDS_H
#define POSTERN_MAILBOX_KEYWORDS_H

#include "postern/base/arena.h"
#include "postern/mailbox/flags.h"

#include <stdbool.h>

/* Bytes of the keywords of one message. */
#define KEYWORDS_MAX (64 * 1024)
/* UTF-16 units of a category, as many as Outlook takes. */
#define CATEGORY_MAX 255

/* The set of an array that ends with NULL; the caller frees it. *cut: not all fitted in. */
char *keywords_of_categories(const char **categories, bool *cut);
/* The categories of a set, in its order, NULL at the end. NULL: a word of it stands for no
 * category, since its escapes are not UTF-8 or it is too long for one. */
const char **keywords_to_categories(const char *set, struct arena *a);

/* The same words in whatever order and case; NULL is the empty set. */
bool keywords_same(const char *a, const char *b);
/* What a change makes of a set; words that are there already keep their place and spelling. The
 * caller frees it. */
char *keywords_change(const char *set, enum mailbox_flag_op op, const char *words);

#endif
