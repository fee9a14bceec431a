#include "postern/admin/snapshot.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>

static void add_identity(void *arg, const struct graph_identity_status *status)
{
    struct admin_snapshot *s = arg;
    int64_t left = status->token_expires_ms ? status->token_expires_ms - clock_mono_ms() : 0;
    s->identities = xreallocarray(s->identities, s->identity_count + 1, sizeof *s->identities);
    s->identities[s->identity_count++] =
        (struct admin_identity){.tenant = xstrdup(status->tenant),
                                .account = xstrdup_null(status->account),
                                .reason = xstrdup(status->reason),
                                .state = status->state,
                                .token_seconds = left > 0 ? left / CLOCK_SECOND : 0};
}

void admin_snapshot_take(const struct admin_sources *from, struct admin_snapshot *out)
{
    *out = (struct admin_snapshot){
        .uptime_seconds = (clock_mono_ms() - from->started_ms) / CLOCK_SECOND,
        .sessions = session_server_count(from->server),
    };
    graph_client_counters(from->graph, &out->graph);
    graph_client_each_identity(from->graph, add_identity, out);
}

void admin_snapshot_free(struct admin_snapshot *s)
{
    for (size_t i = 0; i < s->identity_count; i++) {
        free(s->identities[i].tenant);
        free(s->identities[i].account);
        free(s->identities[i].reason);
    }
    free(s->identities);
    *s = (struct admin_snapshot){0};
}

const char *admin_state_name(enum graph_identity_state state)
{
    static const char *const names[ADMIN_STATES] = {[GRAPH_IDENTITY_UNUSED] = "unused",
                                                    [GRAPH_IDENTITY_GOOD] = "good",
                                                    [GRAPH_IDENTITY_FAILING] = "failing",
                                                    [GRAPH_IDENTITY_NEEDS_LOGIN] = "needs-login"};
    return names[state];
}
