/* Persons' stored sign-ins: renewed, shared, ended; claims challenges. */
#include "stage.h"

#include "postern/base/alloc.h"
#include "postern/graph/sign_in.h"

#include <stdlib.h>
#include <string.h>

static void check_stored(struct stage *s, const char *refresh, const char *access)
{
    struct sign_in in = fake_vault_look(&s->vault);
    CU_ASSERT_STRING_EQUAL(in.refresh_token ? in.refresh_token : "none", refresh);
    CU_ASSERT_STRING_EQUAL(in.access_token ? in.access_token : "none", access);
    sign_in_clear(&in);
}

static void test_refresh(void)
{
    struct stage s;
    struct error e;
    stage_open(&s, FLOW_DEVICE_CODE, &ann);
    replies[0] = (struct server_reply)GOOD("A1", "R2");
    replies[1] = (struct server_reply)GOOD("A2", "R3");
    taken = "Bearer A1";
    fake_vault_sign_in(&s.vault, "R1", "old", 1000);
    CU_ASSERT(one_call(&s, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[0], "grant_type=refresh_token&refresh_token=R1&scope="));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[0], "offline_access%20openid%20profile%20https%3A%2F%2F"));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[0], "%2FMail.ReadWrite%20https%3A%2F%2Fx.example%2FOther"));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[0], "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22"));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[0], "&client_id=app"));
    CU_ASSERT_PTR_NULL(strstr(forms[0], "client_secret"));
    check_stored(&s, "R2", "A1");
    /* A 401 without a word: the refresh token that was saved has its turn. */
    taken = "Bearer A2";
    CU_ASSERT(one_call(&s, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "refresh_token=R2&"));
    check_stored(&s, "R3", "A2");
    CU_ASSERT_EQUAL(atomic_load(&asked), 2);
    CU_ASSERT_EQUAL(s.vault.saves, 2);
    stage_close(&s);
}

/* Another process has just renewed: its token serves here too. */
static void test_shared(void)
{
    struct stage s;
    struct error e;
    stage_open(&s, FLOW_DEVICE_CODE, &ann);
    taken = "Bearer A9";
    fake_vault_sign_in(&s.vault, "R1", "A9", 3600000);
    CU_ASSERT(one_call(&s, &e));
    CU_ASSERT_EQUAL(atomic_load(&asked), 0);
    CU_ASSERT_EQUAL(s.vault.saves, 0);
    /* Until Graph refuses it. */
    replies[0] = (struct server_reply)GOOD("A10", "R2");
    taken = "Bearer A10";
    CU_ASSERT(one_call(&s, &e));
    CU_ASSERT_EQUAL(atomic_load(&asked), 1);
    check_stored(&s, "R2", "A10");
    stage_close(&s);
}

/* Two processes that need a token at the same moment ask for one. */
static void test_two_processes(void)
{
    struct stage s;
    struct error e;
    struct graph_call *calls[2];
    const struct graph_request request = {.method = GRAPH_GET, .path = "/a"};
    stage_open(&s, FLOW_AUTHORIZATION_CODE, &ann);
    replies[0] = (struct server_reply)GOOD("A1", "R2");
    replies[0].delay_ms = 300;
    fake_vault_sign_in(&s.vault, "R1", NULL, 0);
    struct graph_client *other = graph_client_start(&stage_settings, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    graph_client_set_vault(other, &s.vault.functions);
    CU_ASSERT_FATAL(graph_client_configure(other, &s.rig.config, &e));
    struct graph_user *user = graph_user_get(other, &ann, "box@c.example");
    calls[0] = graph_call_start(s.user, &request);
    calls[1] = graph_call_start(user, &request);
    CU_ASSERT(rig_finish(&s.rig, &calls[0], &e));
    CU_ASSERT(rig_finish(&s.rig, &calls[1], &e));
    CU_ASSERT_EQUAL(atomic_load(&asked), 1);
    CU_ASSERT(s.vault.busy > 0);
    graph_user_unref(&user);
    graph_client_stop(&other);
    stage_close(&s);
}

static enum graph_identity_state state;
static char reason[512];

static void take_state(void *arg, const struct graph_identity_status *status)
{
    if (!status->account)
        return;
    CU_ASSERT_STRING_EQUAL(status->account, arg);
    CU_ASSERT_STRING_EQUAL(status->tenant, "contoso");
    state = status->state;
    snprintf(reason, sizeof reason, "%s", status->reason);
}

static enum graph_identity_state look(struct stage *s)
{
    graph_client_each_identity(s->rig.client, take_state, account);
    return state;
}

/* Refused for good: saved as ended, told at once and not asked again, until somebody signs in. */
static void test_needs_login(void)
{
    struct stage s;
    struct error e;
    stage_open(&s, FLOW_DEVICE_CODE, &ann);
    CU_ASSERT_EQUAL(look(&s), GRAPH_IDENTITY_UNUSED);
    CU_ASSERT(!one_call(&s, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "run: postern login ann@c.example"));
    CU_ASSERT_EQUAL(look(&s), GRAPH_IDENTITY_NEEDS_LOGIN);
    replies[0] = (struct server_reply)BAD(400, "invalid_grant", "700082");
    replies[1] = (struct server_reply)GOOD("A1", "R3");
    fake_vault_sign_in(&s.vault, "R1", NULL, 0);
    graph_client_sign_in_changed(s.rig.client, "contoso", "Ann@c.example");
    for (int i = 0; i < 20; i++) {
        CU_ASSERT(!one_call(&s, &e));
        CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
        CU_ASSERT_STRING_EQUAL(e.code, "AADSTS700082");
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "run: postern login ann@c.example"));
    }
    CU_ASSERT_EQUAL(atomic_load(&asked), 1);
    check_stored(&s, "none", "none");
    struct sign_in in = fake_vault_look(&s.vault);
    CU_ASSERT(in.ended && strstr(in.ended, "AADSTS700082"));
    sign_in_clear(&in);
    CU_ASSERT_EQUAL(look(&s), GRAPH_IDENTITY_NEEDS_LOGIN);
    CU_ASSERT_PTR_NOT_NULL(strstr(reason, "must sign in"));
    /* Nobody tells this process; it sees it within a second of being asked. */
    fake_vault_sign_in(&s.vault, "R2", NULL, 0);
    CU_ASSERT(call_until_served(&s, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "refresh_token=R2&"));
    CU_ASSERT_EQUAL(look(&s), GRAPH_IDENTITY_GOOD);
    CU_ASSERT_STRING_EQUAL(reason, "");
    stage_close(&s);
}

/* Trouble, and what an administrator mends, never end a sign-in. */
static void test_never_ends(void)
{
    static const struct server_reply troubles[] = {
        {.status = 503},
        {.status = 502, .type = "text/html", .body = "<html>"},
        {.status = 200, .type = "text/html", .body = "<html>"},
        {.status = 0},
        BAD(400, "invalid_grant", "53003"),
        BAD(400, "invalid_grant", "50196"),
        BAD(401, "invalid_client", "7000222"),
        BAD(400, "temporarily_unavailable", "0"),
    };
    stage_settings.patience_ms = 700;
    for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        struct stage s;
        struct error e;
        stage_open(&s, FLOW_DEVICE_CODE, &ann);
        replies[0] = troubles[i];
        fake_vault_sign_in(&s.vault, "R1", NULL, 0);
        CU_ASSERT(!one_call(&s, &e));
        check_stored(&s, "R1", "none");
        CU_ASSERT_EQUAL(s.vault.saves, 0);
        stage_close(&s);
    }
    stage_settings.patience_ms = STAGE_PATIENCE_MS;
}

/* A full disk: what came serves all the same, and is shown next time. */
static void test_unsaved(void)
{
    struct stage s;
    struct error e;
    stage_open(&s, FLOW_DEVICE_CODE, &ann);
    replies[0] = (struct server_reply)GOOD("A1", "R2");
    replies[1] = (struct server_reply)GOOD("A2", "R3");
    fake_vault_sign_in(&s.vault, "R1", NULL, 0);
    s.vault.refuse_saves = true;
    CU_ASSERT(one_call(&s, &e));
    check_stored(&s, "R1", "none");
    s.vault.refuse_saves = false;
    taken = "Bearer A2";
    CU_ASSERT(one_call(&s, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "refresh_token=R2&"));
    check_stored(&s, "R3", "A2");
    stage_close(&s);
}

static void test_unreadable(void)
{
    struct stage s;
    struct error e;
    stage_open(&s, FLOW_DEVICE_CODE, &ann);
    fake_vault_sign_in(&s.vault, "R1", NULL, 0);
    s.vault.refuse_loads = true;
    CU_ASSERT(!one_call(&s, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_LOCAL);
    CU_ASSERT_EQUAL(look(&s), GRAPH_IDENTITY_FAILING);
    CU_ASSERT_EQUAL(atomic_load(&asked), 0);
    stage_close(&s);
}

/* Continuous access evaluation: the claims go to the token endpoint, and no token that is kept
 * anywhere serves in place of the new one. */
static void test_challenge(void)
{
    static const enum config_flow flows[] = {FLOW_DEVICE_CODE, FLOW_WORKLOAD_IDENTITY};
    for (size_t i = 0; i < 2; i++) {
        struct stage s;
        struct error e;
        const struct principal app = {.tenant = "contoso"};
        stage_open(&s, flows[i], i ? &app : &ann);
        if (i) {
            s.rig.tenant.federated_token_file = s.rig.tenant.ca_file; /* any text does */
            CU_ASSERT_FATAL(graph_client_configure(s.rig.client, &s.rig.config, &e));
        }
        replies[0] = (struct server_reply)GOOD("A1", "R2");
        replies[1] = (struct server_reply)GOOD("A2", "R3");
        fake_vault_sign_in(&s.vault, "R1", NULL, 0);
        challenge = CHALLENGE;
        taken = "Bearer A2";
        CU_ASSERT(one_call(&s, &e));
        CU_ASSERT_EQUAL(atomic_load(&asked), 2);
        CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "%22nbf%22%3A"));
        CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "%22cp1%22"));
        /* One that cannot be satisfied is no loop. */
        taken = "Bearer none";
        for (int n = 0; n < 5; n++) {
            CU_ASSERT(!one_call(&s, &e));
            CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
        }
        CU_ASSERT(atomic_load(&asked) <= 3);
        stage_close(&s);
    }
}

extern const struct unit_test identity_tests[];
const struct unit_test identity_tests[] = {
    {"a refresh token is shown once, and its successor saved", test_refresh},
    {"another process's token serves", test_shared},
    {"two processes, one refresh", test_two_processes},
    {"needs login", test_needs_login},
    {"trouble ends no sign-in", test_never_ends},
    {"a sign-in that cannot be saved", test_unsaved},
    {"a sign-in that cannot be read", test_unreadable},
    {"claims challenges", test_challenge},
    {NULL, NULL},
};
