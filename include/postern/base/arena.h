/*
 * An arena: many small allocations with one lifetime (a command, a page of an answer).
 * arena_clear() ends that lifetime and keeps one block for the next. One thread at a time.
 */
#ifndef POSTERN_BASE_ARENA_H
#define POSTERN_BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
/* Frees everything and clears the caller's pointer; NULL is fine. */
void arena_free(struct arena **a);
void arena_clear(struct arena *a);
/* The same, but overwrites the bytes first. */
void arena_clear_secret(struct arena *a);
/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
