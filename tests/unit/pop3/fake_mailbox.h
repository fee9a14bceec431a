/*
 * A stand-in for the mailbox layer (mailbox/account.h, mailbox/view.h), linked in its place: a
 * table of messages, errors on demand, a record of what was deleted. One mailbox; set up before
 * a session starts and looked at after it has ended.
 */
#ifndef TESTS_POP3_FAKE_MAILBOX_H
#define TESTS_POP3_FAKE_MAILBOX_H

#include "postern/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_MAX 200

struct fake_message {
    const char *text; /* NULL: gone */
    uint32_t uid;
    int64_t received_ms;
    int64_t size; /* as in the view; 0: exact, from the text; -1: unknown */
    bool estimate;
    uint64_t breaks_at; /* reading at or beyond this raw offset fails; 0: never */
};

struct fake_mailbox {
    struct fake_message messages[FAKE_MAX];
    size_t count;
    struct error account_error, folder_error, sync_error, body_error, sizes_error;
    struct error delete_error; /* with delete_failures */
    size_t delete_failures;    /* that many are not deleted */
    bool never_synced;         /* no view before the sync */

    unsigned open_references; /* accounts, folders, views, readers, bodies */
    unsigned syncs, body_fetches, sizes_fetched;
    bool synced_read_only;
    uint32_t deleted[FAKE_MAX];
    size_t deleted_count;
    int delete_client_fd;
};

extern struct fake_mailbox fake;

/* Empty, no errors. */
void fake_reset(void);
/* One more message, of the next UID and with an exact size; further changes by the caller. */
struct fake_message *fake_add(const char *text);

#endif
