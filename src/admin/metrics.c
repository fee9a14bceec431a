#include "views.h"

#include "config.h"

#include <inttypes.h>

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_number(struct buf *out, const char *name, const char *type, const char *help,
                       uint64_t value)
{
    put_head(out, name, type, help);
    buf_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void put_identities(struct buf *out, const struct admin_snapshot *s)
{
    size_t counts[ADMIN_STATES] = {0};
    for (size_t i = 0; i < s->identity_count; i++)
        counts[s->identities[i].state]++;
    put_head(out, "postern_identities", "gauge",
             "Identities towards Microsoft 365 by the state of their sign-in.");
    for (size_t state = 0; state < ADMIN_STATES; state++)
        buf_printf(out, "postern_identities{state=\"%s\"} %zu\n",
                   admin_state_name((enum graph_identity_state)state), counts[state]);
}

void admin_metrics(struct buf *out, const struct admin_snapshot *s)
{
    put_head(out, "postern_info", "gauge", "The version that runs.");
    buf_printf(out, "postern_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
    put_number(out, "postern_uptime_seconds", "gauge", "Seconds since the start.",
               (uint64_t)s->uptime_seconds);
    put_number(out, "postern_sessions", "gauge", "Sessions of clients under way.", s->sessions);
    put_number(out, "postern_graph_requests_total", "counter",
               "Requests to Microsoft Graph, retries included.", s->graph.requests);
    put_number(out, "postern_graph_retries_total", "counter",
               "Requests to Microsoft Graph that were repeated.", s->graph.retries);
    put_number(out, "postern_graph_throttled_total", "counter",
               "Answers 429 and 503 of Microsoft Graph.", s->graph.throttled);
    put_number(out, "postern_token_requests_total", "counter", "Requests to the token endpoint.",
               s->graph.tokens);
    put_identities(out, s);
}
