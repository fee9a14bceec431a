/*
 * Time, from one place, so that tests can drive it.
 * Milliseconds everywhere: int64_t, monotonic for waiting, wall for dates.
 */
#ifndef POSTERN_BASE_CLOCK_H
#define POSTERN_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_SECOND 1000
#define CLOCK_NEVER  INT64_MAX

int64_t clock_mono_ms(void);
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);

/* For unit tests only: from now on both clocks read what was set, until clock_test_off(). */
void clock_test_set(int64_t mono_ms, int64_t wall_ms);
void clock_test_off(void);

/* ISO 8601 / RFC 3339 as Graph writes it: "2026-06-01T10:00:00Z", with a fraction or an offset
 * too. Milliseconds since 1970 UTC. False if it is not a date. `len` bytes of `s` are read. */
bool clock_parse_iso(const char *s, size_t len, int64_t *wall_ms);
/* "2026-06-01T10:00:00Z" (seconds) into at least 21 bytes. */
#define CLOCK_ISO_SIZE 32
void clock_format_iso(int64_t wall_ms, char out[CLOCK_ISO_SIZE]);
/* "YYYY-MM-DD", as settings write a day: its first millisecond in UTC. */
bool clock_parse_day(const char *s, int64_t *wall_ms);

#endif
