/*
 * Dates in header fields (RFC 5322 sections 3.3 and 4.3), and what is found there instead:
 * comments, two-digit years, no seconds, zones by name, asctime(3) and RFC 850 order, ISO 8601.
 * Pure, any thread.
 */
#ifndef POSTERN_MIME_DATE_H
#define POSTERN_MIME_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mime_date {
    int64_t wall_ms;  /* since 1970, UTC */
    int zone_minutes; /* east of UTC; -5999 to 5999 */
    bool zone_known;  /* false for "-0000", a missing or an unknown zone: then read as UTC. ISO 8601
                         dates are told in UTC. */
};

/* Parses a raw field value. False: no date can be made of it (no day, month, year or time, or one
 * that does not exist such as 30 February); the weekday is not checked. */
bool mime_date_parse(const char *value, size_t len, struct mime_date *date);

/* "Sat, 21 Nov 2026 05:44:24 +0100" (RFC 5322), written in that zone. */
#define MIME_DATE_SIZE 48
void mime_date_format(int64_t wall_ms, int zone_minutes, char out[MIME_DATE_SIZE]);

#endif
