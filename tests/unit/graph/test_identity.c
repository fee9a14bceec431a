/* On whose behalf Graph is asked: stored sign-ins, machines, clients with a token of their own. */
#include "fake_vault.h"
#include "rig.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/graph/sign_in.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GOOD(access, refresh)                                                                      \
    {                                                                                              \
        .status = 200, .type = "application/json",                                                 \
        .body = "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"" access        \
                "\",\"refresh_token\":\"" refresh "\"}"                                            \
    }
#define BAD(status_, word, number)                                                                 \
    {                                                                                              \
        .status = (status_), .type = "application/json",                                           \
        .body = "{\"error\":\"" word "\",\"error_description\":\"AADSTS" number                    \
                ": no\",\"error_codes\":[" number "]}"                                             \
    }

/* The n-th token request gets the n-th reply, later ones the last; Graph takes `taken` only, if it
 * is set. */
static struct server_reply replies[4];
static atomic_uint asked;
static char forms[4][40000];
static const char *taken, *challenge;

/* So many requests to Graph must be there at one time before the first is answered; 0: none. */
static atomic_uint wanted, arrived;

static void wait_for_others(void)
{
    const struct timespec tick = {.tv_nsec = 1000000};
    atomic_fetch_add(&arrived, 1);
    for (int i = 0; i < 10000 && atomic_load(&arrived) < atomic_load(&wanted); i++)
        nanosleep(&tick, NULL);
}

static struct server_reply answer(void *arg, const struct server_request *request)
{
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
    return (struct server_reply){.status = 200,
                                 .type = JSON,
                                 .body = "{\"id\":\"o-1\",\"userPrincipalName\":\"ann@c.example\"}",
                                 .delay_ms = 20};
}

#define PATIENCE_MS 10000

static struct graph_settings quick = {.request_timeout_ms = 3000,
                                      .patience_ms = PATIENCE_MS,
                                      .background_ms = 10000,
                                      .max_json = 1000,
                                      .max_message = 1000};
static char scope[] = "Mail.ReadWrite https://x.example/Other", account[] = "ann@c.example";
static char password[] = "pa&ss";
static const struct principal ann = {.tenant = "contoso", .account = "ann@c.example"};

/* The rig with a tenant of this flow, and a mailbox opened for `who`. */
struct stage {
    struct rig rig;
    struct fake_vault vault;
    struct graph_user *user;
};

static void stage_open(struct stage *s, enum config_flow flow, const struct principal *who)
{
    struct error e = ERROR_INIT;
    atomic_store(&asked, 0);
    memset(forms, 0, sizeof forms);
    memset(replies, 0, sizeof replies);
    taken = challenge = NULL;
    atomic_store(&wanted, 0);
    atomic_store(&arrived, 0);
    fake_vault_open(&s->vault);
    rig_open_with(&s->rig, answer, false, &quick);
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

static void stage_close(struct stage *s)
{
    graph_user_unref(&s->user);
    rig_close(&s->rig);
    fake_vault_close(&s->vault);
}

static bool one_call(struct stage *s, struct error *e)
{
    const struct graph_request request = {.method = GRAPH_GET, .path = "/a"};
    struct graph_call *call = graph_call_start(s->user, &request);
    return rig_finish(&s->rig, &call, e);
}

/* Until what was refused is looked at again. */
static bool call_until_served(struct stage *s, struct error *e)
{
    const struct timespec tick = {.tv_nsec = 10000000};
    bool ok = one_call(s, e);
    for (int i = 0; i < 3000 && !ok; i++) {
        nanosleep(&tick, NULL);
        ok = one_call(s, e);
    }
    return ok;
}

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
    struct graph_client *other = graph_client_start(&quick, &e);
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
    quick.patience_ms = 700;
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
    quick.patience_ms = PATIENCE_MS;
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

#define CHALLENGE                                                                                  \
    "WWW-Authenticate: Bearer realm=\"\", authorization_uri=\"https://l.example/authorize\", "     \
    "error=\"insufficient_claims\", "                                                              \
    "claims="                                                                                      \
    "\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19"       \
    "fQ==\"\r\n"

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

static void test_bearer(void)
{
    struct stage s;
    struct error e;
    const struct principal first = {.tenant = "contoso", .subject = "o-1", .bearer = "B1"};
    const struct principal newer = {.tenant = "contoso", .subject = "o-1", .bearer = "B2"};
    const struct principal bad = {.tenant = "contoso", .subject = "o-2", .bearer = "B\r\nX: y"};
    stage_open(&s, FLOW_DEVICE_CODE, &first);
    taken = "Bearer B1";
    CU_ASSERT(one_call(&s, &e));
    taken = "Bearer B2";
    challenge = CHALLENGE;
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(!one_call(&s, &e));
        CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
        CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "the client brought"));
    }
    CU_ASSERT_EQUAL(server_count(s.rig.server), 2);
    struct graph_user *again = graph_user_get(s.rig.client, &newer, "box@c.example");
    CU_ASSERT_PTR_EQUAL(again, s.user);
    CU_ASSERT(one_call(&s, &e));
    graph_user_unref(&again);
    CU_ASSERT_EQUAL(atomic_load(&asked), 0);
    graph_user_unref(&s.user);
    s.user = graph_user_get(s.rig.client, &bad, "box@c.example");
    CU_ASSERT(!one_call(&s, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    stage_close(&s);
}

static void test_bearer_subject(void)
{
    struct stage s;
    struct error e;
    char *subject, *user;
    stage_open(&s, FLOW_CLIENT_CREDENTIALS, &ann);
    taken = "Bearer mine";
    CU_ASSERT_FATAL(
        graph_bearer_subject(s.rig.client, "contoso", "mine", &subject, &user, &s.rig.wait, &e));
    CU_ASSERT_STRING_EQUAL(subject, "o-1");
    CU_ASSERT_STRING_EQUAL(user, "ann@c.example");
    free(subject);
    free(user);
    static const char *const bad[] = {"other", "", "a b", "a\r\nb", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT(!graph_bearer_subject(s.rig.client, "contoso", bad[i], &subject, &user,
                                        &s.rig.wait, &e));
        CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    }
    CU_ASSERT_EQUAL(server_count(s.rig.server), 2);
    stage_close(&s);
}

/* One that says that another directory gave it is not even shown to Graph. */
static void test_bearer_foreign(void)
{
    static char ours[] = "0a0b0c0d-1111-2222-3333-444455556666";
    static const struct {
        const char *payload;
        bool good;
    } tokens[] = {{"{\"tid\":\"0A0B0C0D-1111-2222-3333-444455556666\"}", true},
                  {"{\"tid\":\"0a0b0c0d-1111-2222-3333-444455556667\"}", false},
                  {"{\"tid\":\"\"}", false},
                  {"{\"tid\":7}", true}, /* says nothing */
                  {"{}", true},
                  {"no JSON", true}};
    struct stage s;
    struct error e = ERROR_INIT;
    stage_open(&s, FLOW_CLIENT_CREDENTIALS, &ann);
    s.rig.tenant.tenant_id = ours;
    CU_ASSERT_FATAL(graph_client_configure(s.rig.client, &s.rig.config, &e));
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        char header[300], *token = header + strlen("Bearer "), *subject = NULL, *user = NULL;
        unsigned before = server_count(s.rig.server);
        struct buf text = BUF_INIT(256);
        base64url_encode(tokens[i].payload, strlen(tokens[i].payload), &text);
        snprintf(header, sizeof header, "Bearer h.%s.s", buf_str(&text));
        buf_free(&text);
        taken = header;
        CU_ASSERT_EQUAL(
            graph_bearer_subject(s.rig.client, "contoso", token, &subject, &user, &s.rig.wait, &e),
            tokens[i].good);
        CU_ASSERT_EQUAL(server_count(s.rig.server) - before, tokens[i].good);
        free(subject);
        free(user);
    }
    taken = NULL;
    stage_close(&s);
}

/* Two persons in one mailbox have its four slots together. */
static void test_one_mailbox(void)
{
    struct stage s;
    struct error e;
    struct graph_call *calls[12];
    const struct principal bob = {.tenant = "contoso", .subject = "o-7", .bearer = "B1"};
    const struct graph_request request = {.method = GRAPH_GET, .path = "/a"};
    stage_open(&s, FLOW_DEVICE_CODE, &ann);
    fake_vault_sign_in(&s.vault, "R1", "A1", 3600000);
    struct graph_user *other = graph_user_get(s.rig.client, &bob, "Box@c.example");
    atomic_store(&wanted, 4);
    CU_ASSERT_PTR_NOT_EQUAL(other, s.user);
    for (size_t i = 0; i < 12; i++)
        calls[i] = graph_call_start(i % 2 ? other : s.user, &request);
    for (size_t i = 0; i < 12; i++)
        CU_ASSERT(rig_finish(&s.rig, &calls[i], &e));
    CU_ASSERT_EQUAL(server_most_abreast(s.rig.server), 4);
    graph_user_unref(&other);
    stage_close(&s);
}

/* One who must sign in is in nobody's way. */
static void test_blocked_beside(void)
{
    struct stage s;
    struct error e;
    const struct principal bob = {.tenant = "contoso", .subject = "o-7", .bearer = "B1"};
    const struct graph_request request = {.method = GRAPH_GET, .path = "/a"};
    stage_open(&s, FLOW_DEVICE_CODE, &ann);
    replies[0] = (struct server_reply){.status = 503, .delay_ms = 1500};
    fake_vault_sign_in(&s.vault, "R1", NULL, 0);
    struct graph_user *other = graph_user_get(s.rig.client, &bob, "box@c.example");
    struct graph_call *stuck = graph_call_start(s.user, &request);
    struct graph_call *call = graph_call_start(other, &request);
    CU_ASSERT(rig_finish(&s.rig, &call, &e));
    CU_ASSERT(!graph_call_ended(stuck));
    graph_call_free(&stuck);
    graph_user_unref(&other);
    stage_close(&s);
}

static void test_managed(void)
{
    struct stage s;
    struct error e;
    const struct principal app = {.tenant = "contoso"};
    stage_open(&s, FLOW_MANAGED_IDENTITY, &app);
    replies[0] = (struct server_reply){.status = 404};
    replies[1] = (struct server_reply){.status = 200,
                                       .type = "application/json",
                                       .body = "{\"access_token\":\"M1\",\"expires_in\":\"3599\","
                                               "\"refresh_token\":\"\",\"expires_on\":\"15\"}"};
    taken = "Bearer M1";
    CU_ASSERT(one_call(&s, &e));
    CU_ASSERT_EQUAL(atomic_load(&asked), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "GET /metadata/identity/oauth2/token?api-version="
                                            "2018-02-01&resource=https%3A%2F%2Flocalhost%3A"));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "%2F&client_id=app\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "Metadata: true\r\n"));
    CU_ASSERT_PTR_NULL(strstr(forms[1], "claims"));
    stage_close(&s);
    stage_open(&s, FLOW_MANAGED_IDENTITY, &app);
    replies[0] = (struct server_reply){.status = 400,
                                       .type = "application/json",
                                       .body = "{\"error\":\"invalid_request\","
                                               "\"error_description\":\"Identity not found\"}"};
    CU_ASSERT(!one_call(&s, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "assign one to this machine"));
    CU_ASSERT_EQUAL(atomic_load(&asked), 1);
    stage_close(&s);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    fputs(text, f);
    fclose(f);
}

static void test_workload(void)
{
    struct stage s;
    struct error e;
    char path[] = "/tmp/postern-federated-XXXXXX";
    const struct principal app = {.tenant = "contoso"};
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    close(fd);
    stage_open(&s, FLOW_WORKLOAD_IDENTITY, &app);
    s.rig.tenant.federated_token_file = path;
    replies[0] = (struct server_reply)BAD(400, "invalid_client", "700024");
    replies[1] = (struct server_reply)GOOD("A1", "");
    CU_ASSERT_FATAL(graph_client_configure(s.rig.client, &s.rig.config, &e));
    write_file(path, "first.jwt.x\n");
    for (int i = 0; i < 5; i++)
        CU_ASSERT(!one_call(&s, &e));
    CU_ASSERT_EQUAL(atomic_load(&asked), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[0], "client_assertion=first.jwt.x"));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[0], "grant_type=client_credentials&scope="));
    /* A new file is a new chance. */
    write_file(path, "second.jwt.xy");
    CU_ASSERT(call_until_served(&s, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "client_assertion=second.jwt.xy"));
    unlink(path);
    stage_close(&s);
}

static void test_password(void)
{
    struct stage s;
    struct error e;
    stage_open(&s, FLOW_PASSWORD, &ann);
    replies[0] = (struct server_reply)GOOD("A1", "R1");
    replies[1] = (struct server_reply)BAD(400, "invalid_grant", "700082");
    replies[2] = (struct server_reply)GOOD("A2", "R2");
    taken = "Bearer A1";
    CU_ASSERT(one_call(&s, &e));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(forms[0], "grant_type=password&username=ann%40c.example&password=pa%26ss&scope="));
    taken = "Bearer A2";
    CU_ASSERT(one_call(&s, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[1], "grant_type=refresh_token&refresh_token=R1&"));
    CU_ASSERT_PTR_NOT_NULL(strstr(forms[2], "grant_type=password&"));
    CU_ASSERT_EQUAL(s.vault.loads, 0);
    stage_close(&s);
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
    {"a client's own token", test_bearer},
    {"whose a token is", test_bearer_subject},
    {"a token of another directory", test_bearer_foreign},
    {"two persons, one mailbox, four slots", test_one_mailbox},
    {"one without a token is in nobody's way", test_blocked_beside},
    {"a machine's identity", test_managed},
    {"a federated token", test_workload},
    {"a password", test_password},
    {NULL, NULL},
};
