/*
 * What the running service tells of itself at one moment, to whoever asks: the control socket and
 * the admin endpoint. No secrets are in it. Any thread.
 */
#ifndef POSTERN_ADMIN_SNAPSHOT_H
#define POSTERN_ADMIN_SNAPSHOT_H

#include "postern/graph/client.h"
#include "postern/graph/sign_in.h"
#include "postern/session/server.h"

/* Where it comes from; both must outlive who asks. */
struct admin_sources {
    struct graph_client *graph;
    struct session_server *server;
    int64_t started_ms; /* monotonic */
};

struct admin_identity {
    char *tenant;
    char *account; /* NULL: the application itself */
    char *reason;  /* of the last failure, "" if none */
    enum graph_identity_state state;
    int64_t token_seconds; /* what is left of its token's life, 0: none */
};

struct admin_snapshot {
    int64_t uptime_seconds;
    unsigned sessions;
    struct graph_counters graph;
    struct admin_identity *identities;
    size_t identity_count;
};

/* Asks nobody but the process itself; the caller frees what `out` holds. */
void admin_snapshot_take(const struct admin_sources *from, struct admin_snapshot *out);
void admin_snapshot_free(struct admin_snapshot *s);

/* "unused", "good", "failing", "needs-login". */
#define ADMIN_STATES (GRAPH_IDENTITY_NEEDS_LOGIN + 1)
const char *admin_state_name(enum graph_identity_state state);

#endif
