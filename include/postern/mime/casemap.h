/*
 * Text made comparable without regard to case: i;unicode-casemap (RFC 5051), as SORT and THREAD
 * require (RFC 5256 section 3) and SEARCH may use. Each character gets its simple titlecase and is
 * taken apart into what it is made of; unlike in the RFC this goes on until nothing changes, so
 * that U+FB01 (one character for "fi") equals "FI" too. What comes out is compared byte by byte.
 *
 * The table is made from the Unicode data by src/mime/make-casemap.py. Pure, any thread.
 */
#ifndef POSTERN_MIME_CASEMAP_H
#define POSTERN_MIME_CASEMAP_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* One byte becomes at most so many. */
#define MIME_CASEMAP_GROWTH 11

/* Appends the mapping of valid UTF-8. False: `out` is over its cap. */
bool mime_casemap(const char *utf8, size_t len, struct buf *out);

#endif
