#include "stage.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct server_reply replies[4];
atomic_uint asked;
char forms[4][40000];
const char *taken, *challenge, *owner;

atomic_uint wanted;
static atomic_uint arrived;

static void wait_for_others(void)
{
    const struct timespec tick = {.tv_nsec = 1000000};
    atomic_fetch_add(&arrived, 1);
    for (int i = 0; i < 10000 && atomic_load(&arrived) < atomic_load(&wanted); i++)
        nanosleep(&tick, NULL);
}

static struct server_reply answer(void *arg, const struct server_request *request)
{
    static _Thread_local char me[128];
    char bearer[256];
    (void)arg;
    if (strstr(request->target, "/oauth2/")) {
        unsigned n = atomic_fetch_add(&asked, 1);
        n = n < 4 ? n : 3;
        snprintf(forms[n], sizeof forms[n], "%s %s\n%s%s", request->method, request->target,
                 request->headers, request->body);
        while (n && !replies[n].status)
            n--;
        return replies[n];
    }
    wait_for_others();
    server_header(request, "Authorization", bearer, sizeof bearer);
    if (taken && strcmp(bearer, taken) != 0)
        return (struct server_reply){.status = 401, .type = JSON, .headers = challenge};
    snprintf(me, sizeof me, "{\"id\":\"%s\",\"userPrincipalName\":\"ann@c.example\"}", owner);
    return (struct server_reply){.status = 200, .type = JSON, .body = me, .delay_ms = 20};
}

struct graph_settings stage_settings = {.request_timeout_ms = 3000,
                                        .patience_ms = STAGE_PATIENCE_MS,
                                        .background_ms = 10000,
                                        .max_json = 1000,
                                        .max_message = 1000};
char account[] = "ann@c.example";
static char scope[] = "Mail.ReadWrite https://x.example/Other";
static char password[] = "pa&ss";
const struct principal ann = {.tenant = "contoso", .account = "ann@c.example"};

void stage_open(struct stage *s, enum config_flow flow, const struct principal *who)
{
    struct error e = ERROR_INIT;
    atomic_store(&asked, 0);
    memset(forms, 0, sizeof forms);
    memset(replies, 0, sizeof replies);
    taken = challenge = NULL;
    owner = STAGE_OWNER;
    atomic_store(&wanted, 0);
    atomic_store(&arrived, 0);
    fake_vault_open(&s->vault);
    rig_open_with(&s->rig, answer, false, &stage_settings);
    graph_client_set_vault(s->rig.client, &s->vault.functions);
    s->rig.tenant.flow = flow;
    s->rig.tenant.scope = scope;
    s->rig.tenant.identity_url = s->rig.tenant.graph_url;
    if (flow != FLOW_CLIENT_CREDENTIALS)
        s->rig.tenant.client_secret = NULL;
    if (flow == FLOW_PASSWORD)
        s->rig.tenant.account_password = password;
    CU_ASSERT_FATAL(graph_client_configure(s->rig.client, &s->rig.config, &e));
    s->user = graph_user_get(s->rig.client, who, "box@c.example");
}

void stage_close(struct stage *s)
{
    graph_user_unref(&s->user);
    rig_close(&s->rig);
    fake_vault_close(&s->vault);
}

bool one_call(struct stage *s, struct error *e)
{
    const struct graph_request request = {.method = GRAPH_GET, .path = "/a"};
    struct graph_call *call = graph_call_start(s->user, &request);
    return rig_finish(&s->rig, &call, e);
}

bool call_until_served(struct stage *s, struct error *e)
{
    const struct timespec tick = {.tv_nsec = 10000000};
    bool ok = one_call(s, e);
    for (int i = 0; i < 3000 && !ok; i++) {
        nanosleep(&tick, NULL);
        ok = one_call(s, e);
    }
    return ok;
}
