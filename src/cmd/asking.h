/*
 * What a subcommand that asks Graph for a moment needs: a client with the tenants of the
 * configuration, the stored sign-ins, a wait. Its requests give up within seconds where `serve`
 * would be patient. One thread.
 */
#ifndef POSTERN_CMD_ASKING_H
#define POSTERN_CMD_ASKING_H

#include "postern/base/config.h"
#include "postern/graph/client.h"
#include "postern/store/vault.h"

#define ASKING_CALL_MS ((int64_t)20000) /* one call takes at most so long */

struct asking {
    struct graph_client *graph;
    struct store_vault *vault;
    struct wait wait;
    int64_t end_ms; /* monotonic: nothing is begun after it; CLOCK_NEVER */
};

/* `max_body`: bytes of a message or another file. False: a certificate or key of a tenant, or the
 * key of the stored sign-ins, cannot be read. The log is silenced: what fails is told by the
 * values. asking_close() in any case. */
bool asking_open(struct asking *a, const struct config *c, size_t max_body, struct error *e);
void asking_close(struct asking *a);
/* Waits for a call of this client, at most ASKING_CALL_MS. */
bool asking_wait(struct asking *a, struct graph_call *call, struct error *e);

#endif
