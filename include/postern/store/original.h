/*
 * Originals: the bytes of messages that clients appended, kept beside the mailbox's database as
 * long as the message lives, whatever the cache drops:
 * STATE/mailboxes/<…>/originals/<sha256 of the immutable id>, in the format of a cached body, so
 * that a torn file is noticed. Unlike bodies they cannot be fetched again and are fsynced.
 *
 * One thread a spool.
 */
#ifndef POSTERN_STORE_ORIGINAL_H
#define POSTERN_STORE_ORIGINAL_H

#include "postern/store/body_cache.h"
#include "postern/store/mailbox_db.h"

/* Bytes on their way to become an original, in a temporary file. */
struct store_spool;
struct store_spool *store_spool_new(struct store_db *db, struct error *e);
bool store_spool_append(struct store_spool *s, const void *data, size_t len, struct error *e);
uint64_t store_spool_size(const struct store_spool *s);
/* Ends the writing: the bytes, mapped into memory until the spool is freed; never NULL but on
 * error. */
const char *store_spool_map(struct store_spool *s, struct error *e);
/* Removes the file if it has not become an original; NULL is fine. */
void store_spool_free(struct store_spool **s);

#endif
