/*
 * The one growable byte buffer, with a hard cap.
 *
 * `data` is always NUL-terminated once anything was appended (the NUL is not counted in `len`);
 * it may be NULL while the buffer is empty. Appending past `max` fails, leaves the buffer as it
 * was and sets `overflow`, so that a run of appends can be checked once at its end.
 * Not locked: one thread at a time.
 */
#ifndef POSTERN_BASE_BUF_H
#define POSTERN_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; /* bytes that `len` may reach */
    bool overflow;
};

/* Static initialiser: an empty buffer that may hold up to `limit` bytes. */
#define BUF_INIT(limit)                                                                            \
    {                                                                                              \
        .max = (limit)                                                                             \
    }

void buf_init(struct buf *b, size_t max);
/* Frees the memory; the buffer is empty and usable again. */
void buf_free(struct buf *b);
/* The same, but overwrites the bytes first. */
void buf_free_secret(struct buf *b);
/* Empties it and keeps the memory. */
void buf_clear(struct buf *b);

bool buf_append(struct buf *b, const void *data, size_t len);
bool buf_puts(struct buf *b, const char *s);
bool buf_putc(struct buf *b, char c);
bool buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Makes room for `extra` more bytes without changing `len`. */
bool buf_reserve(struct buf *b, size_t extra);
/* Drops the first `len` bytes. */
void buf_consume(struct buf *b, size_t len);
/* The content as a string; "" when empty. Valid until the next change. */
const char *buf_str(const struct buf *b);
/* Hands the memory to the caller (free() it; never NULL) and empties the buffer. */
char *buf_steal(struct buf *b);

#endif
