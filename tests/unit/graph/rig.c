#include "rig.h"

/* Settings that a test tenant points at. */
static char origin[64], ca_file[64], name[] = "contoso", tenant_id[] = "contoso.example",
                                     client_id[] = "app", secret[] = "s3cr&t";

void rig_open_with(struct rig *r, server_fn *fn, bool tokens, const struct graph_settings *settings)
{
    struct error e = ERROR_INIT;
    r->server = server_start(fn, r, tokens);
    snprintf(origin, sizeof origin, "%s", server_url(r->server));
    snprintf(ca_file, sizeof ca_file, "%s", server_ca(r->server));
    r->tenant = (struct config_tenant){.name = name,
                                       .tenant_id = tenant_id,
                                       .client_id = client_id,
                                       .client_secret = secret,
                                       .graph_url = origin,
                                       .login_url = origin,
                                       .ca_file = ca_file,
                                       .max_concurrent = 4};
    r->config = (struct config){.tenants = &r->tenant, .tenant_count = 1};
    r->client = graph_client_start(settings, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r->client);
    CU_ASSERT_FATAL(graph_client_configure(r->client, &r->config, &e));
    r->user =
        graph_user_get(r->client, &(struct principal){.tenant = name}, "o'neil+x@contoso.example");
    CU_ASSERT_FATAL(wait_init(&r->wait, &e));
}

void rig_open(struct rig *r, server_fn *fn)
{
    const struct graph_settings settings = {.request_timeout_ms = 5000,
                                            .patience_ms = 15000,
                                            .background_ms = 15000,
                                            .max_json = 1 << 20,
                                            .max_message = 1 << 20};
    rig_open_with(r, fn, true, &settings);
}

void rig_close(struct rig *r)
{
    wait_close(&r->wait);
    graph_user_unref(&r->user);
    graph_client_stop(&r->client);
    server_stop(&r->server);
}

struct graph_call *rig_get(struct rig *r, const char *path)
{
    const struct graph_request request = {.method = GRAPH_GET, .path = path};
    return graph_call_start(r->user, &request);
}

bool rig_finish(struct rig *r, struct graph_call **call, struct error *e)
{
    error_clear(e);
    bool ok = graph_call_wait(*call, &r->wait, e);
    graph_call_free(call);
    return ok;
}
