/*
 * The SQLite database of one mailbox: folders, messages, UIDs, links. All SQL of the project is
 * in src/store/.
 *
 * STATE/mailboxes/<sha256 of tenant and mailbox, 32 hex digits>/mail.db, directories 0700, files
 * 0600, WAL. Transactions and folder rows are committed with synchronous=FULL (they survive a
 * power failure); aliases and sizes with NORMAL (they survive a killed process).
 *
 * Any thread may call; calls are short and never wait for the network. A transaction belongs to
 * the thread that began it and holds the handle: other threads wait for its end, and calls by
 * its own thread become part of it.
 *
 * A file that SQLite calls corrupt is renamed to mail.db.corrupt-<time> with a log line that says
 * so; the newest three stay. At open an empty one takes its place at once; when a later call
 * notices it, that call and all after it fail with ERROR_LOCAL until the account is opened anew.
 * Opening runs quick_check on a file of up to 32 MB always, on a larger one only when the last
 * close was not clean (a write-ahead log is left), so that a large mailbox opens in milliseconds.
 *
 * A full disk is ERROR_LOCAL with a text that says so; the database stays sound and in use.
 */
#ifndef POSTERN_STORE_MAILBOX_DB_H
#define POSTERN_STORE_MAILBOX_DB_H

#include "postern/base/encode.h"
#include "postern/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_db;

/* Opens or makes the database; runs the migrations (PRAGMA user_version). A version newer than
 * ours is refused, not touched. *fresh: it is new and empty (nothing there, or set aside). One
 * handle a mailbox at a time. */
struct store_db *store_db_open(const char *state_dir, const char *tenant, const char *mailbox,
                               bool *fresh, struct error *e);
void store_db_close(struct store_db **db);
/* The mailbox's directory, for log lines and the tests. */
const char *store_db_dir(const struct store_db *db);
/* False once the file was set aside: close it and open anew. */
bool store_db_usable(struct store_db *db);

enum store_uid_mode { STORE_UID_EXACT, STORE_UID_DIVERGED };

/* A folder that was opened at least once. Strings are owned by the struct. */
struct store_folder {
    int64_t key; /* rowid; 0 for one not stored yet */
    char *graph_id;
    uint32_t uidvalidity;
    uint32_t uidnext;
    uint64_t modseq; /* highest given */
    uint32_t recent; /* no session has claimed the UIDs from this one on as \Recent */
    enum store_uid_mode uid_mode;
    bool synced;        /* the first sync is complete, `delta_link` is good */
    bool marked;        /* our property on the folder says the same as this row */
    char *delta_link;   /* NULL: none */
    char *resume_delta; /* nextLinks of an unfinished first sync, NULL: start anew */
    char *resume_listing;
    bool listing_done;
    bool delta_done;
};

/* Frees the strings and clears the struct, which is the caller's. */
void store_folder_free(struct store_folder *f);
/* 1 found, 0 not there, -1 error. */
int store_folder_find(struct store_db *db, const char *graph_id, struct store_folder *out,
                      struct error *e);
/* Inserts it and sets `key`. */
bool store_folder_insert(struct store_db *db, struct store_folder *f, struct error *e);
/* Forgets a folder with its messages. */
bool store_folder_delete(struct store_db *db, int64_t folder, struct error *e);

/* Names that were resolved: special folders ("inbox", "deleteditems" …) and paths of the tree to
 * folder ids, so that a restart asks nothing. */
int store_alias_get(struct store_db *db, const char *name, char **graph_id, struct error *e);
bool store_alias_set(struct store_db *db, const char *name, const char *graph_id, struct error *e);
/* Every name of that folder is resolved anew next time. */
bool store_alias_forget(struct store_db *db, const char *graph_id, struct error *e);

/* Flag bits as stored. The protocol layers give them their names. */
#define STORE_SEEN      0x0001u
#define STORE_FLAGGED   0x0002u
#define STORE_DRAFT     0x0004u
#define STORE_ANSWERED  0x0008u
#define STORE_FORWARDED 0x0010u
#define STORE_DELETED   0x0020u
#define STORE_CUT       0x0040u /* `keywords` is not all */

struct store_message {
    const char *graph_id; /* immutable id */
    uint32_t uid;         /* 0: staged by a first sync, not given yet */
    uint32_t flags;
    int64_t received_ms;
    int64_t article;  /* 0x0E23, -1: unknown, -2: the server has none */
    int64_t estimate; /* bytes from 0x0E08, -1: unknown */
    int64_t size;     /* exact wire size once known, -1: unknown; final */
    uint32_t told;    /* the size that IMAP was told first, 0: none yet; final */
    int64_t written;  /* wall clock of our own last change of it, 0: never */
    uint64_t modseq;
    const char *change_key; /* "" if unknown */
    const char *keywords;   /* categories as IMAP keywords, space separated; "" for none */
};

/* One transaction of a sync, one at a time. Nothing is visible to others before the commit. After
 * a failed call in it every later one fails, the commit too. */
struct store_tx;
struct store_tx *store_tx_begin(struct store_db *db, struct error *e);
/* Clears *tx in every case; false: nothing was committed. */
bool store_tx_commit(struct store_tx **tx, struct error *e);
/* NULL is fine. */
void store_tx_rollback(struct store_tx **tx);

/* Writes all columns of a folder's row. ERROR_FOLDER_GONE: store_folder_delete() was quicker. */
bool store_tx_folder(struct store_tx *tx, const struct store_folder *f, struct error *e);
/* Inserts or replaces by (folder, graph_id); uid 0 stages it. A row that has its UID keeps it when
 * put with 0, and sizes that are known stay while the UID does. Two rows of one UID: error. */
bool store_tx_put(struct store_tx *tx, int64_t folder, const struct store_message *m,
                  struct error *e);
/* Writes flags, keywords, change_key, written and modseq of a message that has its UID; one that is
 * not there is no error. */
bool store_tx_set_flags(struct store_tx *tx, int64_t folder, const struct store_message *m,
                        struct error *e);
/* The first size told to IMAP is final: writes only where none is stored. */
bool store_tx_set_told(struct store_tx *tx, int64_t folder, uint32_t uid, uint32_t told,
                       struct error *e);
/* Retires a message: the row goes, a tombstone (uid, hash of the id, modseq, time) stays for 90
 * days. A UID that is not there is no error. */
bool store_tx_expunge(struct store_tx *tx, int64_t folder, uint32_t uid, uint64_t modseq,
                      struct error *e);
/* Drops staged rows (uid 0): the one of that id, or with NULL all of the folder (the first sync
 * starts anew). */
bool store_tx_unstage(struct store_tx *tx, int64_t folder, const char *graph_id_or_null,
                      struct error *e);

/* Calls `fn` for every message of the folder in UID order (staged ones first, by article, then
 * received time, those without an article last). Pointers are good during the call. Stops when fn
 * returns false, which is no error. `fn` may read the database, not write it. */
bool store_message_each(struct store_db *db, int64_t folder,
                        bool (*fn)(void *arg, const struct store_message *m), void *arg,
                        struct error *e);
/* 1 found, 0 not there, -1 error. *graph_id is the caller's to free. */
int store_message_id_by_uid(struct store_db *db, int64_t folder, uint32_t uid, char **graph_id,
                            struct error *e);
/* Is this id, or was it, in another folder? 1, 0; -1: error. */
int store_message_elsewhere(struct store_db *db, int64_t folder, const char *graph_id,
                            struct error *e);
/* Finds the row of an id: 1 found (strings of *out point into *own, the caller frees *own),
 * 0 not there, -1 error. *retired_ms: wall clock of the newest tombstone of that id, 0: none. */
int store_message_find(struct store_db *db, int64_t folder, const char *graph_id,
                       struct store_message *out, char **own, int64_t *retired_ms, struct error *e);
/* The first exact size is final: writes only where none is stored. */
bool store_message_set_size(struct store_db *db, int64_t folder, uint32_t uid, int64_t size,
                            struct error *e);

#endif
