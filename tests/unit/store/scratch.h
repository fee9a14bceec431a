/* A directory of its own for each test, and the handling of files in it. */
#ifndef POSTERN_TESTS_STORE_SCRATCH_H
#define POSTERN_TESTS_STORE_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SCRATCH_PATH 512

/* Makes a new directory under TMPDIR; its path stands until scratch_remove(). */
const char *scratch_make(void);
void scratch_remove(void);
/* "SCRATCH/name" in a static buffer, one of four in turn. */
const char *scratch_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

bool scratch_exists(const char *path);
/* Permission bits; 0 if it is not there. */
mode_t scratch_mode(const char *path);
off_t scratch_size(const char *path);
/* Flips all bits of `len` bytes at `offset` (from the end if negative). */
bool scratch_flip(const char *path, off_t offset, size_t len);
/* How many entries of a directory have this in their name. */
int scratch_count(const char *dir, const char *part);
/* The first such entry's path; NULL if none. */
const char *scratch_find(const char *dir, const char *part);

#endif
