/*
 * Allocation that cannot fail: out of memory ends the process through one function.
 *
 * Sizes that come from the network must be capped by a named limit before they get here.
 * Any thread. What these return is freed with free().
 */
#ifndef POSTERN_BASE_ALLOC_H
#define POSTERN_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
/* Grows an array of `count` elements of `size` bytes; dies on overflow too. */
void *xreallocarray(void *old, size_t count, size_t size);
char *xstrdup(const char *s) __attribute__((returns_nonnull));
/* NULL stays NULL. */
char *xstrdup_null(const char *s);
char *xstrndup(const char *s, size_t len) __attribute__((returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Says so on stderr and aborts. */
_Noreturn void alloc_out_of_memory(void);

/* Overwrites a secret string and frees it; NULL is fine. */
void secret_free(char *secret);

/* For libraries through whose hands secrets go, and that let their memory be taken care of: what
 * they give back, or move, is overwritten first. For memory of malloc() and the like. */
void wiping_free(void *p);
/* NULL: there is no memory; `old` stays. */
void *wiping_realloc(void *old, size_t size);

#endif
