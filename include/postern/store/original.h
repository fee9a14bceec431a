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
/* Removes the temporary file; an original that was made of it stays. NULL is fine. */
void store_spool_free(struct store_spool **s);

/* What is told of an appended message whatever Graph shows. */
struct store_original {
    int64_t size;        /* wire octets; -1: not known */
    int64_t received_ms; /* INTERNALDATE that the client gave; INT64_MIN: none */
    uint32_t flags;      /* as the client gave them, STORE_SEEN …; STORE_DRAFT as last told */
    bool draft;          /* Graph was seen to call it a draft; false when it is kept */
};

/* Makes the spool's bytes the original of a message; the spool stays, mapped, and may become that
 * of another too. On disk when it returns. */
bool store_original_keep(struct store_db *db, struct store_spool *s, const char *graph_id,
                         const struct store_original *original, struct error *e);
/* Gives a copy of a message the original of its source, if that has one. */
bool store_original_copy(struct store_db *db, const char *from_id, const char *to_id,
                         struct error *e);
/* 1 found, 0 there is none, -1 error. */
int store_original_find(struct store_db *db, const char *graph_id, struct store_original *out,
                        struct error *e);
/* Graph calls it a draft. */
bool store_original_is_draft(struct store_db *db, const char *graph_id, struct error *e);
/* From now on \Draft is told of it, or is not. One that is not there is no error. */
bool store_original_tell_draft(struct store_db *db, const char *graph_id, bool told,
                               struct error *e);
/* The bytes; NULL with e->kind NONE if there are none, or if they turn out to be torn: then the
 * original is dropped with a log line. */
struct store_body *store_original_open(struct store_db *db, const char *graph_id, struct error *e);
/* The message is gone, or is no longer what was appended. One that is not there is no error. */
bool store_original_drop(struct store_db *db, const char *graph_id, struct error *e);

/* A message that leaves its folder may have moved to another one, so its original is looked after
 * a while later. Appends to `ids` (each the caller's to free) up to `max` that are due at `now_ms`;
 * the count, -1: error. */
int store_original_due(struct store_db *db, int64_t now_ms, char **ids, int max, struct error *e);
/* The message was seen to live: look again at `when_ms`, or, if it is in a folder that we know,
 * when it leaves that. */
bool store_original_lives(struct store_db *db, const char *graph_id, int64_t when_ms,
                          struct error *e);

/*
 * Messages being made: a COPY or APPEND is all or nothing, and a killed process must not leave half
 * of one behind. A row is there from before the request until the whole command is done.
 */
struct store_making {
    int64_t key;
    const char *folder;   /* where it is made */
    const char *mark;     /* ours on it; NULL: only its answer tells it from others */
    const char *graph_id; /* NULL: no answer came yet */
    int64_t began_ms;     /* wall clock */
};
/* Sets m->key. On disk when it returns, or with the transaction that this thread has open. */
bool store_making_begin(struct store_db *db, struct store_making *m, struct error *e);
/* The answer came. */
bool store_making_known(struct store_db *db, int64_t key, const char *graph_id, struct error *e);
/* It is done, or undone. */
bool store_making_end(struct store_db *db, int64_t key, struct error *e);
/* It could not be undone now: whoever looks after the mailbox does it later. */
bool store_making_abandon(struct store_db *db, int64_t key, struct error *e);
/* Those which a process that ended left, and the abandoned ones. Stops when fn returns false. `fn`
 * may not write the database. */
bool store_making_each(struct store_db *db, bool (*fn)(void *arg, const struct store_making *m),
                       void *arg, struct error *e);

#endif
