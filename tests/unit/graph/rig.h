/*
 * What the tests of calls stand on: one client, one tenant, one mailbox, one server.
 */
#ifndef POSTERN_TESTS_GRAPH_RIG_H
#define POSTERN_TESTS_GRAPH_RIG_H

#include "../unit.h"
#include "server.h"

#include "postern/graph/client.h"
#include "postern/graph/mail.h"

#define JSON "application/json; odata.metadata=minimal"

/* One client, one tenant, one mailbox, one server. */
struct rig {
    struct server *server;
    struct graph_client *client;
    struct graph_user *user;
    struct config config;
    struct config_tenant tenant;
    struct wait wait;
};

/* The server answers from `fn`, whose `arg` is the rig. */
void rig_open(struct rig *r, server_fn *fn);
void rig_open_with(struct rig *r, server_fn *fn, bool tokens,
                   const struct graph_settings *settings);
void rig_close(struct rig *r);
struct graph_call *rig_get(struct rig *r, const char *path);
/* Waits for the outcome and frees the call. */
bool rig_finish(struct rig *r, struct graph_call **call, struct error *e);

#endif
