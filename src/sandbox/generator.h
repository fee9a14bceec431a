/*
 * Messages from a seed: the same seed, size and date give the same bytes for ever, so that a
 * mailbox of any size keeps only seeds. The texts look like what monitors, ticket systems and
 * devices send.
 */
#ifndef SANDBOX_GENERATOR_H
#define SANDBOX_GENERATOR_H

#include "model.h"

#define GENERATED_SIZE_MIN ((size_t)1024)
#define GENERATED_SIZE_MAX ((size_t)25 * 1024 * 1024)
/* 2026-06-01T10:00:00Z: the same messages at every start are the same to the last byte. */
#define GENERATED_NEWEST_MS INT64_C(1780308000000)

/* Exactly `size` bytes (within the limits above) of CRLF text, replaces what `out` held. */
void generator_write(uint32_t seed, size_t size, int64_t date_ms, struct buf *out);
/* The header block of the same message, with its blank line. */
void generator_write_head(uint32_t seed, int64_t date_ms, struct buf *out);
/* Adds `count` messages, the last one received at `newest_ms`, to the second. `size` 0: from 1 to
 * 16 KB, by seed. False: the mailbox is full. */
bool generator_fill(struct folder *f, size_t count, size_t size, int64_t newest_ms);

#endif
