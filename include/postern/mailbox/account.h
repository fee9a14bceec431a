/*
 * Accounts: one per mailbox, shared by all its sessions, by reference count. What protocols see
 * of a mailbox: folders, views, bodies, deletes. They know nothing of HTTP, JSON and SQL.
 *
 * Blocking calls take a struct wait and end with ERROR_CANCELED or ERROR_TIMEOUT as it says.
 * The account's mutex guards its tables and is never held over I/O.
 */
#ifndef POSTERN_MAILBOX_ACCOUNT_H
#define POSTERN_MAILBOX_ACCOUNT_H

#include "postern/base/config.h"
#include "postern/base/error.h"
#include "postern/base/wait.h"
#include "postern/mailbox/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph_client;
struct store_cache;
struct mailbox_registry; /* all accounts of the process, and the background workers */
struct mailbox_account;
struct mailbox_folder; /* one folder of an account; lives as long as a reference is held */
struct mailbox_body;   /* bytes of one message, reference-counted, pinned while held */
struct mailbox_reader; /* one session's way through bodies: read-ahead, sizes, pins */

struct mailbox_settings {
    const char *state_dir;
    size_t read_ahead; /* bytes ahead per reader */
    int64_t poll_interval_ms;
};

struct mailbox_registry *mailbox_registry_new(struct graph_client *graph, struct store_cache *cache,
                                              const struct mailbox_settings *settings);
/* Stops the background workers; every account must be released by then. */
void mailbox_registry_free(struct mailbox_registry **r);
/* First syncs of these logins' folders start in the background (boot, SIGHUP). */
void mailbox_registry_warm(struct mailbox_registry *r, struct config *config);
/* SIGHUP: a new poll interval. */
void mailbox_registry_set_poll_interval(struct mailbox_registry *r, int64_t ms);
/* The housekeeper's regular turn, about once a second: starts the polls that are due, closes
 * accounts that nobody has used for a while, evicts bodies. Does not wait for the network. */
void mailbox_registry_tick(struct mailbox_registry *r);

/* Opens (or joins) the account of a principal and a mailbox; touches only the disk. The mailbox's
 * name has no case. */
struct mailbox_account *mailbox_account_get(struct mailbox_registry *r, const struct principal *who,
                                            const char *mailbox, struct error *e);
void mailbox_account_release(struct mailbox_account **a);

/* "INBOX" (any case), a well-known name's folder by path, or a path with '/' in display names.
 * Asks Graph only for what the store does not know. ERROR_FOLDER_GONE: no such folder. */
struct mailbox_folder *mailbox_folder_open(struct mailbox_account *a, const char *path,
                                           struct wait *w, struct error *e);
void mailbox_folder_release(struct mailbox_folder **f);

/* One delta round, shared with whoever asks at the same moment; the first time the whole first
 * sync, which goes on in the background if this wait ends before it: then ERROR_TIMEOUT with the
 * progress in the text ("12,500 of about 40,000 messages"). `read_only`: write no mark on the
 * folder. Afterwards mailbox_folder_view() is the present. */
bool mailbox_folder_sync(struct mailbox_folder *f, bool read_only, struct wait *w, struct error *e);
/* The newest generation; the caller unrefs it. NULL before the first sync. */
struct mailbox_view *mailbox_folder_view(struct mailbox_folder *f);
uint32_t mailbox_folder_uidvalidity(struct mailbox_folder *f);
uint32_t mailbox_folder_uidnext(struct mailbox_folder *f);

/* A session's reader on one folder. `fair_key` of its Graph calls is the reader itself. */
struct mailbox_reader *mailbox_reader_new(struct mailbox_folder *f);
void mailbox_reader_free(struct mailbox_reader **r);
/* What is likely to be read, in order: told before a body is asked for, either once or before each
 * one (starting at that body's UID or before it). Read-ahead starts when a body is asked for that
 * followed the one before in this order. The first MAILBOX_SEQUENCE_MAX UIDs are copied. */
#define MAILBOX_SEQUENCE_MAX 1024
void mailbox_reader_sequence(struct mailbox_reader *r, const uint32_t *uids, size_t count);
/* The body of one message: from the cache, from a download under way, or downloaded (single
 * flight). ERROR_GONE: it no longer exists. Only a complete answer becomes a body. */
struct mailbox_body *mailbox_reader_body(struct mailbox_reader *r, uint32_t uid, struct wait *w,
                                         struct error *e);
/* Exact wire sizes for those of the UIDs whose size is unknown, four abreast; fills `sizes`
 * (-1: that message is gone). The bodies stay pinned in the cache for what follows. */
bool mailbox_reader_sizes(struct mailbox_reader *r, const uint32_t *uids, size_t count,
                          int64_t *sizes, struct wait *w, struct error *e);

void mailbox_body_unref(struct mailbox_body **b);
/* Octets on the wire: line ends normalised to CRLF, last line ended (mime/crlf.h). */
uint64_t mailbox_body_wire_size(const struct mailbox_body *b);
/* Octets as IMAP tells them: mime_crlf_init_literal(), which differs for a message with a bare CR
 * or without a last line end; of what was appended the raw size, since it comes back as it came. */
uint64_t mailbox_body_literal_size(const struct mailbox_body *b);
uint64_t mailbox_body_raw_size(const struct mailbox_body *b);
/* Raw bytes; pread semantics. -1: ERROR_LOCAL. */
ssize_t mailbox_body_read(const struct mailbox_body *b, uint64_t offset, void *out, size_t len,
                          struct error *e);

struct mailbox_delete_result {
    size_t deleted; /* by us, or already gone */
    size_t failed;
};
/* Deletes messages as `how` says: four always in flight, whatever the wait's client does (it must
 * have client_fd -1). One delta round first, so that a message that somebody moved meanwhile
 * counts as gone and stays where it is. A write whose answer was lost is settled by looking. In
 * Deleted Items it means delete. Rows are retired and committed before this returns. `e` holds
 * the first failure; true if none failed. */
bool mailbox_delete(struct mailbox_folder *f, const uint32_t *uids, size_t count,
                    enum config_expunge how, struct wait *w, struct mailbox_delete_result *result,
                    struct error *e);

#endif
