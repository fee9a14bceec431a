/*
 * The housekeeper: one thread that, about once a second, gives the mailboxes their turn (polling
 * watched folders, evicting bodies) and renews tokens before they run out.
 */
#ifndef POSTERN_CMD_HOUSEKEEPER_H
#define POSTERN_CMD_HOUSEKEEPER_H

#include "postern/base/error.h"
#include "postern/graph/client.h"
#include "postern/mailbox/account.h"
#include "postern/session/inventory.h"

struct housekeeper;

/* NULL: no thread could be had. All three must outlive it. */
struct housekeeper *housekeeper_start(struct graph_client *graph,
                                      struct mailbox_registry *mailboxes,
                                      struct inventory *inventory, struct error *e);
/* Waits for the turn under way and joins the thread; clears the caller's pointer. */
void housekeeper_stop(struct housekeeper **h);

#endif
