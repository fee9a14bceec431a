/*
 * The housekeeper: one thread that, about once a second, gives the mailboxes their turn (polling
 * watched folders, evicting bodies), renews tokens before they run out and writes down who the
 * clients are, those of sessions under way now and then.
 */
#ifndef POSTERN_CMD_HOUSEKEEPER_H
#define POSTERN_CMD_HOUSEKEEPER_H

#include "postern/base/error.h"
#include "postern/graph/client.h"
#include "postern/mailbox/account.h"
#include "postern/session/inventory.h"
#include "postern/session/server.h"

struct housekeeper;

/* NULL: no thread could be had. All of them must outlive it. */
struct housekeeper *housekeeper_start(struct graph_client *graph,
                                      struct mailbox_registry *mailboxes,
                                      struct inventory *inventory, struct session_server *server,
                                      struct error *e);
/* Waits for the turn under way and joins the thread; clears the caller's pointer. */
void housekeeper_stop(struct housekeeper **h);

#endif
