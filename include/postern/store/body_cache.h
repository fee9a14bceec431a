/*
 * Bodies on disk: STATE/bodies/xx/<sha256 of tenant, mailbox and immutable id>. One cache for the
 * process, capped in bytes over all mailboxes, least recently used goes first.
 *
 * A file is written under a temporary name and renamed when whole. It ends with a trailer
 * (magic, length, SHA-256 of the content), so that a torn or rotten file is noticed when opened,
 * set aside (deleted, with a log line) and fetched again; no fsync is needed. Any thread. The
 * order of use lives in memory; a file's time follows it within ten minutes, for the next start.
 *
 * With a cap of 0, or for a body larger than the cap, the file is unlinked at once and lives as
 * long as somebody holds it. A body that is held is never truncated; eviction unlinks it.
 */
#ifndef POSTERN_STORE_BODY_CACHE_H
#define POSTERN_STORE_BODY_CACHE_H

#include "postern/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct store_cache;
struct store_body; /* immutable bytes of one message, reference-counted */

/* Scans the directory once (names, sizes, times), removes left-over temporary files. */
struct store_cache *store_cache_open(const char *state_dir, size_t max_size, struct error *e);
void store_cache_close(struct store_cache **c);
/* SIGHUP: a new cap; evicts at once. */
void store_cache_set_max(struct store_cache *c, size_t max_size);
/* Evicts down to the cap; called by the housekeeper and after each addition. */
void store_cache_evict(struct store_cache *c);
/* Bytes of the files, trailers included. */
size_t store_cache_bytes(struct store_cache *c);

/* Opens the body of a message if it is cached and sound; NULL with e->kind NONE if it is not. */
struct store_body *store_cache_get(struct store_cache *c, const char *tenant, const char *mailbox,
                                   const char *graph_id, struct error *e);

/* Is it cached? Asks the index alone: a file that turns out to be rotten is not seen here. */
bool store_cache_has(struct store_cache *c, const char *tenant, const char *mailbox,
                     const char *graph_id);

/* A body being written by one thread at a time. Of two writers of one message the last to finish
 * names the file; both bodies are good. A writer ends before the cache is closed; a body may
 * outlive it. */
struct store_writer;
struct store_writer *store_writer_new(struct store_cache *c, const char *tenant,
                                      const char *mailbox, const char *graph_id, struct error *e);
bool store_writer_append(struct store_writer *w, const void *data, size_t len, struct error *e);
/* Makes it a body and clears *w. NULL: disk full and the like; the temporary file is gone. */
struct store_body *store_writer_finish(struct store_writer **w, struct error *e);
/* NULL is fine. */
void store_writer_abort(struct store_writer **w);

struct store_body *store_body_ref(struct store_body *b);
void store_body_unref(struct store_body **b);
/* Bytes as Graph sent them. */
uint64_t store_body_size(const struct store_body *b);
/* Reads at `offset`; less than `len` only at the end of the content, 0 behind it; -1:
 * ERROR_LOCAL. */
ssize_t store_body_read(const struct store_body *b, uint64_t offset, void *out, size_t len,
                        struct error *e);

#endif
