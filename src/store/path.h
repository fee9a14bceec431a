/* Files that belong to one mailbox or one message: their names, and what is left of them. */
#ifndef POSTERN_STORE_PATH_H
#define POSTERN_STORE_PATH_H

#include "postern/base/encode.h"

#define PATH_KEY_SIZE (2 * SHA256_SIZE + 1)

/* Hexadecimal SHA-256 of the given strings, each with its NUL, so that no two lists of strings
 * run together. The list ends with NULL. */
void path_key(char out[PATH_KEY_SIZE], ...) __attribute__((sentinel));

/* Removes the files of a directory: what was being written when the last process ended. */
void path_empty(const char *dir);

#endif
