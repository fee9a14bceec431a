/*
 * Comma-separated values (RFC 4180), read record by record from a text in memory, and written.
 *
 * Read: fields may stand in quotes, with commas, line breaks and doubled quotes inside; records end
 * with LF or CRLF, the last one may lack its end; a UTF-8 byte order mark before the first is
 * passed over, and so are empty lines. One thread at a time.
 */
#ifndef POSTERN_BASE_CSV_H
#define POSTERN_BASE_CSV_H

#include "postern/base/arena.h"
#include "postern/base/buf.h"
#include "postern/base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define CSV_FIELDS_MAX 256             /* of a record */
#define CSV_FIELD_MAX  ((size_t)65536) /* bytes of a field */

struct csv {
    const char *next, *end;
    unsigned line; /* of the next byte, from 1 */
};

struct csv_record {
    char *fields[CSV_FIELDS_MAX]; /* in the arena */
    size_t count;
    unsigned line; /* where it begins */
};

enum csv_result { CSV_RECORD, CSV_END, CSV_FAULT };

/* The text must stay until it is read. */
void csv_open(struct csv *c, const char *text, size_t len);
/* CSV_FAULT: `e` (ERROR_ANSWER) names the line: a quote that is never closed or stands where none
 * may, a NUL, more than the limits above. Nothing can be read behind a fault. */
enum csv_result csv_next(struct csv *c, struct arena *a, struct csv_record *out, struct error *e);

/* Appends one field, in quotes where it needs them; no comma, no line end. What a spreadsheet would
 * take for a formula ("=", "+", "-", "@", a tab or CR before anything else) gets an apostrophe
 * before it: names come from outside, and the file is opened by an administrator. */
bool csv_put(struct buf *out, const char *field);

#endif
