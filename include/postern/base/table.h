/*
 * A hash table from strings to pointers. Keys are copied; the hash has a random seed. One thread
 * at a time.
 */
#ifndef POSTERN_BASE_TABLE_H
#define POSTERN_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table;

struct table *table_new(void);
/* Frees the table, not the values; clears the caller's pointer. */
void table_free(struct table **t);
void *table_get(const struct table *t, const char *key);
/* Returns the value that was there before, NULL if none. `value` is not NULL. */
void *table_put(struct table *t, const char *key, void *value);
/* Returns the value that was removed, NULL if none. */
void *table_remove(struct table *t, const char *key);
size_t table_count(const struct table *t);
/* Visits every entry; the callback may not change the table. Stops when it returns false. */
void table_each(const struct table *t, bool (*fn)(void *arg, const char *key, void *value),
                void *arg);

#endif
