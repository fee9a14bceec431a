/* Clients with a token of their own, machines, passwords; who shares a mailbox. */
#include "stage.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"
#include "postern/graph/sign_in.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    CU_ASSERT_STRING_EQUAL(subject, STAGE_OWNER);
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

/* A token that says nothing is a personal account's, unless its owner is of a directory. */
static void test_bearer_personal(void)
{
    struct stage s;
    struct error e = ERROR_INIT;
    char *subject = NULL, *user = NULL;
    stage_open(&s, FLOW_CLIENT_CREDENTIALS, &ann);
    owner = "48d31887fa5fad73";
    CU_ASSERT(
        !graph_bearer_subject(s.rig.client, "contoso", "EwAB", &subject, &user, &s.rig.wait, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    CU_ASSERT(subject == NULL && user == NULL);
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

extern const struct unit_test flow_tests[];
const struct unit_test flow_tests[] = {
    {"a client's own token", test_bearer},
    {"whose a token is", test_bearer_subject},
    {"a token of another directory", test_bearer_foreign},
    {"a token of a personal account", test_bearer_personal},
    {"two persons, one mailbox, four slots", test_one_mailbox},
    {"one without a token is in nobody's way", test_blocked_beside},
    {"a machine's identity", test_managed},
    {"a federated token", test_workload},
    {"a password", test_password},
    {NULL, NULL},
};
