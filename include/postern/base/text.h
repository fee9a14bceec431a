/*
 * Text that came from outside and will be shown to a person. Pure functions; any thread.
 */
#ifndef POSTERN_BASE_TEXT_H
#define POSTERN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the valid UTF-8 sequence (RFC 3629) that a string begins with; 0: of none. */
size_t text_utf8_len(const char *s);
/* Is the valid sequence of `len` bytes a C1 control, a line separator or a bidi override, which
 * play tricks on whoever reads it? */
bool text_is_trick(const char *s, size_t len);
/* Copies what fits into `size` bytes, the NUL included, whole characters only. A control
 * character, a trick, and a byte that is no UTF-8 become '?'. */
void text_clean(const char *s, char *out, size_t size);

#endif
