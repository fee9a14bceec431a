/*
 * The admin endpoint: GET and HEAD over HTTP on a loopback address, for a person of this machine
 * and for what watches it.
 *
 *     /         the status page
 *     /health   200 "ok", or 503 and a line for each problem
 *     /metrics  Prometheus' text format 0.0.4
 *
 * It has no login, changes nothing and tells no secret. It has one thread of its own and so many
 * connections at most that mail service does not feel them.
 */
#ifndef POSTERN_ADMIN_ADMIN_H
#define POSTERN_ADMIN_ADMIN_H

#include "postern/admin/snapshot.h"
#include "postern/base/config.h"
#include "postern/base/error.h"

struct admin;

/* Opens nothing yet. */
struct admin *admin_new(const struct admin_sources *from);
/* Listens where the config says, or no more (at start and at SIGHUP); what is new is open before
 * the old is closed. On false the old state stays. Main thread. */
bool admin_configure(struct admin *a, struct config *config, struct error *e);
/* Waits for the answer under way. NULL is fine. Main thread. */
void admin_free(struct admin **a);

#endif
