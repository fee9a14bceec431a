/*
 * One body file: content, then a trailer of BODY_TRAILER_SIZE bytes: magic (8), length of the
 * content (8, big-endian), SHA-256 of the content (32).
 */
#ifndef POSTERN_STORE_BODY_FILE_H
#define POSTERN_STORE_BODY_FILE_H

#include "postern/base/encode.h"
#include "postern/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct store_body;

#define BODY_TRAILER_SIZE (8 + 8 + SHA256_SIZE)

void body_trailer_make(uint8_t out[BODY_TRAILER_SIZE], uint64_t size,
                       const uint8_t digest[SHA256_SIZE]);
/* Reads the whole file against its trailer. 1: sound, 0: torn or rotten, -1: could not be read.
 * *size is the content's. */
int body_file_check(int fd, uint64_t *size, struct error *e);

/* Takes the descriptor over. */
struct store_body *body_new(int fd, uint64_t size);

#endif
