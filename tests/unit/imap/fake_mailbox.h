/*
 * A stand-in for the mailbox layer, linked in its place (but for mailbox/view.h, which is real):
 * an account with the folder INBOX, a table of messages, errors on demand, a record of what was
 * asked for. Set up before a session starts; changed under way by fake_publish() only.
 */
#ifndef TESTS_IMAP_FAKE_MAILBOX_H
#define TESTS_IMAP_FAKE_MAILBOX_H

#include "postern/base/buf.h"
#include "postern/base/error.h"
#include "postern/mailbox/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_MAX         200
#define FAKE_UPLOADS_MAX 8
#define FAKE_UPLOAD_MAX  ((size_t)4 * 1024 * 1024)
#define FAKE_UIDVALIDITY 77

struct fake_message {
    const char *text; /* NULL: the body is gone */
    uint32_t uid;
    uint32_t flags;
    const char *keywords; /* NULL: none */
    char stored[128];     /* those that STORE left */
    int64_t received_ms;
    uint64_t modseq;
    int64_t estimate; /* the size in the view is this and not exact; 0: it is exact */
    bool cached;      /* the body costs no request */
};

struct fake_mailbox {
    struct fake_message messages[FAKE_MAX];
    size_t count;
    uint32_t uidnext;
    uint64_t modseq;
    uint32_t recent_from; /* below `uidnext`: not told to anybody yet */
    struct error account_error, folder_error, sync_error, refresh_error, body_error;
    struct error expunge_error, upload_error, write_error, append_error, headers_error;

    uint32_t copy, copied; /* this UID tells the EMAILID of that one; 0: none does */

    uint32_t store_refused; /* changes of this UID fail with write_error */
    uint32_t store_others;  /* flags that somebody else sets at the same moment */

    unsigned sync_ticks; /* a sync takes that many times ten seconds (clock_test_set()) */

    unsigned open_references; /* accounts, folders, readers, bodies, uploads */
    unsigned syncs, refreshes, watches;
    unsigned headers_asked, bodies_asked, sizes_asked; /* of messages */
    bool synced_read_only, claimed;
    uint32_t expunged[FAKE_MAX];
    size_t expunged_count;
    int expunge_client_fd, store_client_fd;
    struct buf uploads[FAKE_UPLOADS_MAX]; /* what was written, kept when they are freed */
    size_t upload_count;
};

extern struct fake_mailbox fake;

/* Empty, no errors. */
void fake_reset(void);
/* One more message, of the next UID and modseq; further changes by the caller. Shows at the next
 * fake_publish(), or at the first look at the folder. */
struct fake_message *fake_add(const char *text);
/* Takes the message out of the table. */
void fake_remove(uint32_t uid);
struct fake_message *fake_find(uint32_t uid);
/* A new generation of the folder as the table is now; sessions that watch it are notified. */
void fake_publish(void);
/* For the stand-in's own files: true if this call is to fail, with the error then. */
bool fake_fails(const struct error *wanted, struct error *e);

#endif
