/*
 * Text in header fields as a person reads it: folding undone, encoded words (RFC 2047) decoded,
 * all as UTF-8. Pure functions, any thread.
 *
 * Broken input is made the most of, as real mail needs it: encoded words that touch other text,
 * hold spaces, are longer than 75 characters, or split a character between two words of one
 * charset. Bytes above 127 outside of encoded words are read as UTF-8.
 */
#ifndef POSTERN_MIME_WORD_H
#define POSTERN_MIME_WORD_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the text of a raw field value, without white space at its ends. What comes out is valid
 * UTF-8 on one line: control characters (also encoded ones) have become spaces. False: `out` is
 * over its cap; it may hold part of the text. */
bool mime_text_decode(const char *value, size_t len, struct buf *out);

/* Appends valid UTF-8 with each control character as a space. */
bool mime_text_append_line(const char *utf8, size_t len, struct buf *out);

#endif
