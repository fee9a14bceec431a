/*
 * Postern's mailbox layer whole, in front of the mailbox of exchange.h: Graph client, cache,
 * registry, one account, its inbox. Restarts and the loss of the state directory are one call.
 */
#ifndef POSTERN_TESTS_MAILBOX_RIG_H
#define POSTERN_TESTS_MAILBOX_RIG_H

#include "../unit.h"
#include "exchange.h"

#include "postern/base/wait.h"
#include "postern/graph/client.h"
#include "postern/mailbox/account.h"
#include "postern/store/body_cache.h"

struct rig {
    struct exchange *exchange;
    struct graph_client *graph;
    struct store_cache *cache;
    struct mailbox_registry *registry;
    struct mailbox_account *account;
    struct mailbox_folder *folder;
    struct wait wait;
    size_t cache_max, read_ahead;
    char dir[64];
};

/* An inbox with so many messages; nothing is opened yet. */
void rig_init(struct rig *r, unsigned messages);
void rig_free(struct rig *r);
/* Starts the service on the state directory, opens the inbox; ends it. */
void rig_open(struct rig *r);
void rig_close(struct rig *r);
/* Removes the state directory's content; to be called while closed. */
void rig_lose_state(struct rig *r);
/* A sync that must succeed; returns the requests that it took. */
unsigned rig_sync(struct rig *r);
/* UID and flags of the message at an index of the newest view; 0 if there is none. */
uint32_t rig_uid(struct rig *r, size_t index);
uint32_t rig_flags(struct rig *r, size_t index);
size_t rig_count(struct rig *r);

#endif
