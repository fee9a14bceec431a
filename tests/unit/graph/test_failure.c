/* Calls that go wrong, against a server on loopback. */
#include "rig.h"

#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/graph/sign_in.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct server_reply script[8];
static size_t script_len;

/* The n-th request gets the n-th reply, later ones the last. */
static struct server_reply answer_script(void *arg, const struct server_request *request)
{
    (void)arg;
    size_t n = request->number - 1;
    return script[n < script_len ? n : script_len - 1];
}

static const struct server_reply fine = {.status = 200, .type = JSON, .body = "{\"value\":[]}"};

#define SCRIPT(...)                                                                                \
    do {                                                                                           \
        const struct server_reply replies[] = {__VA_ARGS__};                                       \
        script_len = sizeof replies / sizeof replies[0];                                           \
        memcpy(script, replies, sizeof replies);                                                   \
    } while (0)

static char other_client[] = "other";
static const struct graph_settings quick = {.request_timeout_ms = 400,
                                            .patience_ms = 3000,
                                            .background_ms = 3000,
                                            .max_json = 1000,
                                            .max_message = 1000};

/* One GET against the script. */
static bool one_get(struct error *e, unsigned *requests)
{
    struct rig r;
    rig_open_with(&r, answer_script, true, &quick);
    struct graph_call *call = rig_get(&r, "/mailFolders/inbox");
    bool ok = rig_finish(&r, &call, e);
    *requests = server_count(r.server);
    rig_close(&r);
    return ok;
}

static bool one_delete(struct error *e, unsigned *requests)
{
    struct rig r;
    rig_open_with(&r, answer_script, true, &quick);
    struct graph_call *call = graph_delete_start(r.user, (struct graph_as){0}, "ID");
    bool ok = rig_finish(&r, &call, e);
    *requests = server_count(r.server);
    rig_close(&r);
    return ok;
}

static void test_retry_after(void)
{
    struct error e;
    unsigned n;
    SCRIPT({.status = 429, .type = JSON, .headers = "Retry-After: 0.7\r\n"}, fine);
    int64_t start = clock_mono_ms();
    CU_ASSERT(one_get(&e, &n));
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT(clock_mono_ms() - start >= 700);
    SCRIPT({.status = 429, .headers = "Retry-After: 60\r\n"}, fine);
    CU_ASSERT(!one_get(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_THROTTLED);
    CU_ASSERT_EQUAL(n, 1);
}

static void test_pause_holds_mailbox(void)
{
    struct rig r;
    struct error e;
    SCRIPT({.status = 429, .headers = "Retry-After: 1\r\n"}, fine);
    rig_open_with(&r, answer_script, true, &quick);
    struct graph_call *first = rig_get(&r, "/a");
    while (server_count(r.server) == 0 && !graph_call_ended(first)) {
        const struct timespec tick = {.tv_nsec = 1000000};
        nanosleep(&tick, NULL);
    }
    int64_t start = clock_mono_ms();
    struct graph_counters c;
    do
        graph_client_counters(r.client, &c);
    while (c.throttled == 0);
    struct graph_call *second = rig_get(&r, "/b");
    CU_ASSERT(rig_finish(&r, &second, &e));
    CU_ASSERT(clock_mono_ms() - start >= 900);
    CU_ASSERT(rig_finish(&r, &first, &e));
    rig_close(&r);
}

/* Four requests abreast that are all refused are one refusal: the pause is the first one's. */
static void test_abreast_is_one_failure(void)
{
    const struct server_reply busy = {.status = 503, .delay_ms = 500};
    struct rig r;
    struct error e;
    struct graph_call *calls[4];
    SCRIPT(fine, busy, busy, busy, busy, fine);
    rig_open(&r, answer_script);
    calls[0] = rig_get(&r, "/warm");
    CU_ASSERT(rig_finish(&r, &calls[0], &e));
    server_gather(r.server, 4);
    int64_t start = clock_mono_ms();
    for (size_t i = 0; i < 4; i++)
        calls[i] = rig_get(&r, "/a");
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT(rig_finish(&r, &calls[i], &e));
    CU_ASSERT_EQUAL(server_most_abreast(r.server), 4);
    CU_ASSERT_EQUAL(server_count(r.server), 9);
    CU_ASSERT(clock_mono_ms() - start < 2400); /* four failures in a row: 500 and 2000 at least */
    rig_close(&r);
}

/* A request whose connection is still being made when the 429 comes is held back as well. */
static void test_pause_holds_connecting(void)
{
    struct rig r;
    struct error e;
    /* The delays keep the connections that are open busy until the third request has come; the
     * handshake is slow enough for the 429 to come first on a slow machine too. */
    SCRIPT(fine, {.status = 429, .headers = "Retry-After: 2\r\n", .delay_ms = 50},
           {.status = 200, .type = JSON, .body = "{}", .delay_ms = 800}, fine);
    rig_open(&r, answer_script);
    struct graph_call *warm = rig_get(&r, "/warm");
    CU_ASSERT(rig_finish(&r, &warm, &e));
    server_slow_handshakes(r.server, 1000);
    int64_t start = clock_mono_ms();
    /* The token may have left a second connection that is open. */
    struct graph_call *first = rig_get(&r, "/a"), *second = rig_get(&r, "/b"),
                      *connecting = rig_get(&r, "/c");
    CU_ASSERT(rig_finish(&r, &connecting, &e));
    CU_ASSERT(clock_mono_ms() - start >= 2000);
    CU_ASSERT(rig_finish(&r, &first, &e));
    CU_ASSERT(rig_finish(&r, &second, &e));
    CU_ASSERT_EQUAL(server_count(r.server), 5);
    rig_close(&r);
}

static void test_transient(void)
{
    struct error e;
    unsigned n;
    SCRIPT({.status = 502, .type = "text/html", .body = "<html>"}, {.status = 0}, fine);
    CU_ASSERT(one_get(&e, &n));
    CU_ASSERT(n >= 3);
}

static void test_silence(void)
{
    struct error e;
    unsigned n;
    SCRIPT({.status = 200, .type = JSON, .body = "{}", .delay_ms = 1000}, fine);
    CU_ASSERT(one_get(&e, &n));
    CU_ASSERT_EQUAL(n, 2);
    SCRIPT({.status = 204, .delay_ms = 1000});
    CU_ASSERT(!one_delete(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_UNKNOWN_WRITE);
    CU_ASSERT_EQUAL(n, 1);
}

static void test_writes(void)
{
    struct error e;
    unsigned n;
    SCRIPT({.status = 204});
    CU_ASSERT(one_delete(&e, &n));
    SCRIPT({.status = 429, .headers = "Retry-After: 0\r\n"}, {.status = 204});
    CU_ASSERT(one_delete(&e, &n));
    CU_ASSERT_EQUAL(n, 2);
    SCRIPT({.status = 502, .type = "text/html", .body = "<html>"}, {.status = 204});
    CU_ASSERT(!one_delete(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_UNKNOWN_WRITE);
    CU_ASSERT_EQUAL(n, 1);
    SCRIPT({.status = 0}, {.status = 204});
    CU_ASSERT(!one_delete(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_UNKNOWN_WRITE);
    CU_ASSERT_EQUAL(n, 1);
    SCRIPT({.status = 200, .type = "text/html", .body = "<html>login</html>"});
    CU_ASSERT(!one_delete(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_UNKNOWN_WRITE);
    SCRIPT({.status = 404, .type = JSON});
    CU_ASSERT(!one_delete(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_GONE);
}

/* libcurl repeats a request by itself when a kept connection turns out dead; not a write. */
static void test_write_on_dead_connection(void)
{
    struct rig r;
    struct error e;
    SCRIPT(fine, {.status = 0}, {.status = 204});
    rig_open_with(&r, answer_script, true, &quick);
    struct graph_call *call = rig_get(&r, "/a");
    CU_ASSERT(rig_finish(&r, &call, &e));
    call = graph_delete_start(r.user, (struct graph_as){0}, "ID");
    CU_ASSERT(!rig_finish(&r, &call, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_UNKNOWN_WRITE);
    CU_ASSERT_EQUAL(server_count(r.server), 2);
    rig_close(&r);
}

static void test_wrong_answers(void)
{
    struct error e;
    unsigned n;
    static char big[1200];
    memset(big, ' ', sizeof big - 1);
    SCRIPT({.status = 200, .type = "text/html", .body = "<html>"});
    CU_ASSERT(!one_get(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_ANSWER);
    SCRIPT({.status = 200, .type = JSON, .body = big});
    CU_ASSERT(!one_get(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_ANSWER);
    big[1000] = '\0';
    CU_ASSERT(one_get(&e, &n));
    SCRIPT({.status = 302, .headers = "Location: https://evil.example/\r\n"});
    CU_ASSERT(!one_get(&e, &n));
    CU_ASSERT_EQUAL(e.kind, ERROR_ANSWER);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "evil.example"));
    CU_ASSERT_EQUAL(n, 1);
}

static void test_foreign_link(void)
{
    struct rig r;
    struct error e;
    SCRIPT(fine);
    rig_open_with(&r, answer_script, true, &quick);
    struct graph_call *call =
        graph_delta_start(r.user, (struct graph_as){0}, "F", "https://localhost:1/v1.0/delta");
    CU_ASSERT(!rig_finish(&r, &call, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_RESYNC);
    CU_ASSERT_EQUAL(server_count(r.server), 0);
    rig_close(&r);
}

static void test_renewal(void)
{
    struct rig r;
    struct error e;
    SCRIPT({.status = 401, .type = JSON}, fine);
    rig_open_with(&r, answer_script, true, &quick);
    struct graph_call *call = rig_get(&r, "/a");
    CU_ASSERT(rig_finish(&r, &call, &e));
    CU_ASSERT_EQUAL(server_token_count(r.server), 2);
    rig_close(&r);
    SCRIPT({.status = 401, .type = JSON});
    rig_open_with(&r, answer_script, true, &quick);
    for (int i = 0; i < 3; i++) {
        call = rig_get(&r, "/a");
        CU_ASSERT(!rig_finish(&r, &call, &e));
        CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    }
    CU_ASSERT_EQUAL(server_token_count(r.server), 2);
    rig_close(&r);
}

static struct server_reply refuse_token(void *arg, const struct server_request *request)
{
    (void)arg;
    if (!strstr(request->body, "client_secret=s3cr%26t") ||
        !strstr(request->body, "scope=https%3A%2F%2Flocalhost%3A"))
        return (struct server_reply){.status = 500};
    return (struct server_reply){.status = 401,
                                 .type = "application/json",
                                 .body = "{\"error\":\"invalid_client\",\"error_description\":"
                                         "\"AADSTS7000222: expired\",\"error_codes\":[7000222]}"};
}

static void test_refusal(void)
{
    struct rig r;
    struct error e;
    rig_open_with(&r, refuse_token, false, &quick);
    for (int i = 0; i < 5; i++) {
        struct graph_call *call = rig_get(&r, "/a");
        CU_ASSERT(!rig_finish(&r, &call, &e));
        CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
        CU_ASSERT_STRING_EQUAL(e.code, "AADSTS7000222");
    }
    CU_ASSERT_EQUAL(server_token_count(r.server), 1);
    CU_ASSERT_EQUAL(server_count(r.server), 0);
    rig_close(&r);
}

/* Nobody waits for what is further away than his patience, and nobody asks before. */
static void test_token_throttled(void)
{
    struct rig r;
    struct error e;
    SCRIPT({.status = 429, .headers = "Retry-After: 600\r\n"}, fine);
    rig_open_with(&r, answer_script, false, &quick);
    for (int i = 0; i < 2; i++) {
        struct graph_call *call = rig_get(&r, "/a");
        CU_ASSERT(!rig_finish(&r, &call, &e));
        CU_ASSERT_EQUAL(e.kind, ERROR_THROTTLED);
    }
    CU_ASSERT_EQUAL(server_token_count(r.server), 1);
    rig_close(&r);
}

static const char *known_name; /* set before the server runs */

/* Knows Graph by one name only; in words alone, as older parts of Entra ID refuse. */
static struct server_reply know_one_name(void *arg, const struct server_request *request)
{
    (void)arg;
    if (!strstr(request->target, "/oauth2/"))
        return (struct server_reply){.status = 200, .type = "application/json", .body = "{}"};
    if (strstr(request->body, known_name))
        return (struct server_reply){.status = 200,
                                     .type = "application/json",
                                     .body = "{\"token_type\":\"Bearer\",\"expires_in\":3599,"
                                             "\"access_token\":\"abc\"}"};
    return (struct server_reply){
        .status = 400, .type = "application/json", .body = "{\"error\":\"invalid_resource\"}"};
}

/* The rig's Graph has an address and a port: the cloud's name is tried first. */
static void check_names(const char *known, bool ok, unsigned asked)
{
    struct rig r;
    struct error e;
    known_name = known;
    rig_open_with(&r, know_one_name, false, &quick);
    r.tenant.cloud_url = "https://graph.microsoft.com";
    r.tenant.client_id = other_client; /* or the tenant counts as unchanged */
    CU_ASSERT(graph_client_configure(r.client, &r.config, &e));
    struct graph_call *call = rig_get(&r, "/a");
    CU_ASSERT_EQUAL(rig_finish(&r, &call, &e), ok);
    CU_ASSERT_EQUAL(server_token_count(r.server), asked);
    rig_close(&r);
}

static void test_names_of_graph(void)
{
    check_names("scope=https%3A%2F%2Fgraph.microsoft.com%2F.default", true, 1);
    check_names("scope=https%3A%2F%2Flocalhost", true, 2);
    check_names("scope=neither", false, 2);
}

/* Knows all tokens but "fake…", and does not say whose they are. */
static struct server_reply not_say(void *arg, const struct server_request *request)
{
    char bearer[320];
    (void)arg;
    server_header(request, "Authorization", bearer, sizeof bearer);
    return (struct server_reply){
        .status = strstr(bearer, "fake") ? 401 : 403, .type = JSON, .body = "{}"};
}

/* A token without User.Read that Graph knows speaks for itself, if it can. */
static void test_bearer_claims(void)
{
    static const struct {
        const char *payload;
        const char *user; /* NULL: refused */
    } tokens[] = {
        {"{\"tid\":\"contoso.example\",\"oid\":\"o-7\",\"upn\":\"bob@c.example\"}",
         "bob@c.example"},
        {"{\"tid\":\"contoso.example\",\"oid\":\"o-7\",\"unique_name\":\"bob@c.example\"}",
         "bob@c.example"},
        {"{\"tid\":\"contoso.example\",\"oid\":\"o-7\"}", NULL},
        {"{\"tid\":\"contoso.example\",\"oid\":\"\",\"upn\":\"bob@c.example\"}", NULL},
        {"{\"tid\":\"contoso.example\",\"upn\":\"bob@c.example\"}", NULL},
        {"no JSON", NULL}};
    struct rig r;
    struct error e = ERROR_INIT;
    rig_open_with(&r, not_say, false, &quick);
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        char token[300], *subject = NULL, *user = NULL;
        struct buf text = BUF_INIT(256);
        base64url_encode(tokens[i].payload, strlen(tokens[i].payload), &text);
        snprintf(token, sizeof token, "h.%s.s", buf_str(&text));
        buf_free(&text);
        error_clear(&e);
        bool ok = graph_bearer_subject(r.client, "contoso", token, &subject, &user, &r.wait, &e);
        CU_ASSERT_EQUAL(ok, tokens[i].user != NULL);
        CU_ASSERT_EQUAL(e.kind, ok ? ERROR_NONE : ERROR_DENIED);
        if (ok) {
            CU_ASSERT_STRING_EQUAL(subject, "o-7");
            CU_ASSERT_STRING_EQUAL(user, tokens[i].user);
        }
        free(subject);
        free(user);
    }
    /* Made up: Graph does not know it, whatever it says. */
    char *subject, *user;
    CU_ASSERT(!graph_bearer_subject(r.client, "contoso", "fake.eyJvaWQiOiJvIiwidXBuIjoidSJ9.s",
                                    &subject, &user, &r.wait, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    rig_close(&r);
}

static void test_untrusted(void)
{
    struct rig r;
    struct error e;
    SCRIPT(fine);
    rig_open_with(&r, answer_script, true, &quick);
    r.tenant.ca_file = NULL;
    CU_ASSERT(graph_client_configure(r.client, &r.config, &e));
    struct graph_call *call = rig_get(&r, "/a");
    CU_ASSERT(!rig_finish(&r, &call, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TEMPORARY);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "ca-file"));
    CU_ASSERT_EQUAL(server_token_count(r.server), 0);
    rig_close(&r);
}

static void test_reload(void)
{
    struct rig r;
    struct error e;
    SCRIPT(fine);
    rig_open_with(&r, answer_script, true, &quick);
    struct graph_call *call = rig_get(&r, "/a");
    CU_ASSERT(rig_finish(&r, &call, &e));
    static char other[] = "other", missing[] = "/nonexistent/ca.pem";
    CU_ASSERT(graph_client_configure(r.client, &r.config, &e));
    call = rig_get(&r, "/a");
    CU_ASSERT(rig_finish(&r, &call, &e));
    CU_ASSERT_EQUAL(server_token_count(r.server), 1);
    r.tenant.client_secret = other;
    CU_ASSERT(graph_client_configure(r.client, &r.config, &e));
    call = rig_get(&r, "/a");
    CU_ASSERT(rig_finish(&r, &call, &e));
    CU_ASSERT_EQUAL(server_token_count(r.server), 2);
    r.tenant.ca_file = missing;
    CU_ASSERT(!graph_client_configure(r.client, &r.config, &e));
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, missing));
    r.config.tenant_count = 0;
    CU_ASSERT(graph_client_configure(r.client, &r.config, &e));
    call = rig_get(&r, "/a");
    CU_ASSERT(!rig_finish(&r, &call, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_SIGN_IN);
    rig_close(&r);
}

static void test_cancel(void)
{
    struct rig r;
    struct error e;
    struct graph_call *calls[8];
    SCRIPT({.status = 200, .type = JSON, .body = "{}", .delay_ms = 300});
    rig_open_with(&r, answer_script, true, &quick);
    for (size_t i = 0; i < 8; i++)
        calls[i] = rig_get(&r, "/a");
    r.wait.deadline_ms = clock_mono_ms() + 20;
    CU_ASSERT(!graph_call_wait(calls[7], &r.wait, &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_TIMEOUT);
    r.wait.deadline_ms = CLOCK_NEVER;
    graph_call_free(&calls[7]);
    graph_call_free(&calls[0]);
    CU_ASSERT(graph_call_wait_any(calls, 8, &r.wait, &e));
    graph_client_cancel_all(r.client);
    unsigned canceled = 0;
    for (size_t i = 1; i < 7; i++)
        canceled += !rig_finish(&r, &calls[i], &e) && e.kind == ERROR_CANCELED;
    CU_ASSERT(canceled >= 2);
    CU_ASSERT(server_most_abreast(r.server) <= 4);
    calls[0] = rig_get(&r, "/a");
    CU_ASSERT(!rig_finish(&r, &calls[0], &e));
    CU_ASSERT_EQUAL(e.kind, ERROR_CANCELED);
    rig_close(&r);
}

/* A message that takes longer than a call may take, with its bytes coming steadily or hardly. */
static void test_slow_message(void)
{
    static const struct graph_settings settings = {.request_timeout_ms = 1000,
                                                   .patience_ms = 500,
                                                   .background_ms = 500,
                                                   .max_json = 1000,
                                                   .max_message = 100000};
    static char steady[60000], hardly[60];
    char *const texts[] = {steady, hardly};
    const size_t sizes[] = {sizeof steady, sizeof hardly};
    for (size_t i = 0; i < 2; i++) {
        struct rig r;
        struct error e;
        memset(texts[i], 'x', sizes[i]);
        SCRIPT({.status = 200,
                .type = "text/plain",
                .body = texts[i],
                .body_len = sizes[i],
                .rest_ms = 700,
                .pieces = 4});
        rig_open_with(&r, answer_script, true, &settings);
        struct graph_call *call =
            graph_mime_start(r.user, (struct graph_as){0}, "ID", NULL, NULL, NULL);
        CU_ASSERT_EQUAL(rig_finish(&r, &call, &e), texts[i] == steady);
        CU_ASSERT_EQUAL(e.kind, texts[i] == steady ? ERROR_NONE : ERROR_TIMEOUT);
        rig_close(&r);
    }
}

extern const struct unit_test failure_tests[];
const struct unit_test failure_tests[] = {
    {"Retry-After", test_retry_after},
    {"Retry-After of the sign-in server", test_token_throttled},
    {"a pause holds the whole mailbox", test_pause_holds_mailbox},
    {"refused abreast is refused once", test_abreast_is_one_failure},
    {"a pause holds what still connects", test_pause_holds_connecting},
    {"passing faults", test_transient},
    {"silence", test_silence},
    {"a message that comes slowly", test_slow_message},
    {"writes", test_writes},
    {"a write on a dead connection", test_write_on_dead_connection},
    {"wrong answers", test_wrong_answers},
    {"a link to somebody else", test_foreign_link},
    {"a token renewed once", test_renewal},
    {"a refused sign-in is remembered", test_refusal},
    {"Graph has the name of its cloud, or its own", test_names_of_graph},
    {"a client's token that speaks for itself", test_bearer_claims},
    {"a certificate nobody vouches for", test_untrusted},
    {"settings read anew", test_reload},
    {"cancel", test_cancel},
    {NULL, NULL},
};
