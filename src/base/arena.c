#include "postern/base/arena.h"

#include "postern/base/alloc.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first block is small, since thousands of sessions keep theirs while they idle. */
#define BLOCK_FIRST ((size_t)512)
#define BLOCK_MAX   ((size_t)16 * 1024)

struct block {
    struct block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *head;
};

static struct block *block_new(size_t size, struct block *next)
{
    struct block *b = xmalloc(sizeof *b + size);
    b->next = next;
    b->size = size;
    b->used = 0;
    return b;
}

struct arena *arena_new(void)
{
    return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena **a)
{
    if (!*a)
        return;
    for (struct block *b = (*a)->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(*a);
    *a = NULL;
}

void arena_clear(struct arena *a)
{
    struct block *keep = NULL;
    for (struct block *b = a->head, *next; b; b = next) {
        next = b->next;
        if (!keep && b->size == BLOCK_FIRST)
            keep = b;
        else
            free(b);
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    a->head = keep;
}

void arena_clear_secret(struct arena *a)
{
    for (struct block *b = a->head; b; b = b->next)
        explicit_bzero(b->data, b->used);
    arena_clear(a);
}

/* Twice the block before, within bounds, but room for what is asked for. */
static size_t block_size(const struct arena *a, size_t least)
{
    size_t size = a->head ? 2 * a->head->size : BLOCK_FIRST;
    size = size < BLOCK_MAX ? size : BLOCK_MAX;
    return size > least ? size : least;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > (size_t)-1 - 2 * align)
        alloc_out_of_memory();
    size = (size + align - 1) / align * align;
    if (!a->head || a->head->size - a->head->used < size)
        a->head = block_new(block_size(a, size), a->head);
    void *p = a->head->data + a->head->used;
    a->head->used += size;
    memset(p, 0, size);
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
    size_t n = strnlen(s, len);
    char *p = arena_alloc(a, n + 1);
    memcpy(p, s, n);
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int need = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (need < 0)
        return arena_strdup(a, "");
    char *p = arena_alloc(a, (size_t)need + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)need + 1, fmt, ap);
    va_end(ap);
    return p;
}
