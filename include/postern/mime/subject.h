/*
 * Base subjects (RFC 5256 section 2.1): what is left of a Subject without the marks of replies and
 * forwards and the tags of mailing lists. Pure, any thread.
 */
#ifndef POSTERN_MIME_SUBJECT_H
#define POSTERN_MIME_SUBJECT_H

#include "postern/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Appends the base subject of a raw field value, mapped for comparing (mime/casemap.h). `reply`:
 * something marks it as a reply or forward. At most MIME_SUBJECT_GROWTH bytes for one. False: `out`
 * is over its cap. */
#define MIME_SUBJECT_GROWTH 200
bool mime_base_subject(const char *value, size_t len, struct buf *out, bool *reply);

#endif
