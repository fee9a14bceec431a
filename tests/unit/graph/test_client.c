/* Calls end to end, against a server on loopback. */
#include "rig.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <string.h>

static struct server_request seen;

static struct server_reply answer_page(void *arg, const struct server_request *request)
{
    (void)arg;
    seen = *request;
    return (struct server_reply){
        .status = 200, .type = JSON, .body = "{\"value\":[{\"id\":\"A\",\"isRead\":true}]}"};
}

static void test_request(void)
{
    struct rig r;
    struct error e;
    char value[256];
    struct graph_page page;
    rig_open(&r, answer_page);
    struct graph_call *call = graph_delta_start(r.user, (struct graph_as){0}, "AAMk=/+", NULL);
    CU_ASSERT_FATAL(graph_call_wait(call, &r.wait, &e));
    CU_ASSERT_EQUAL(graph_call_status(call), 200);
    CU_ASSERT_FATAL(graph_page_decode(call, &page, &e));
    CU_ASSERT_EQUAL(page.count, 1);
    graph_page_free(&page);
    graph_call_free(&call);
    CU_ASSERT_PTR_NULL(call);
    CU_ASSERT_STRING_EQUAL(
        seen.target,
        "/v1.0/users/o%27neil%2Bx%40contoso.example/mailFolders/AAMk%3D%2F%2B/messages/delta"
        "?$select=isRead,isDraft,flag,categories,receivedDateTime,changeKey,parentFolderId");
    CU_ASSERT_STRING_EQUAL(server_header(&seen, "Authorization", value, sizeof value), "Bearer T1");
    CU_ASSERT_STRING_EQUAL(server_header(&seen, "Prefer", value, sizeof value),
                           "IdType=\"ImmutableId\", odata.maxpagesize=500");
    CU_ASSERT_STRING_EQUAL(server_header(&seen, "Accept", value, sizeof value), "application/json");
    CU_ASSERT_EQUAL(strlen(server_header(&seen, "client-request-id", value, sizeof value)), 36);
    CU_ASSERT_STRING_EQUAL(server_header(&seen, "return-client-request-id", value, sizeof value),
                           "true");
    CU_ASSERT_NSTRING_EQUAL(server_header(&seen, "User-Agent", value, sizeof value), "postern/", 8);
    rig_close(&r);
}

static struct server_reply answer_slowly(void *arg, const struct server_request *request)
{
    (void)arg;
    (void)request;
    return (struct server_reply){
        .status = 200, .type = JSON, .body = "{\"value\":[]}", .delay_ms = 100};
}

static void test_abreast(void)
{
    struct rig r;
    struct error e;
    struct graph_call *calls[12];
    rig_open(&r, answer_slowly);
    struct graph_call *first = rig_get(&r, "/mailFolders");
    CU_ASSERT(rig_finish(&r, &first, &e));
    server_gather(r.server, 4);
    int64_t start = clock_mono_ms();
    for (size_t i = 0; i < 12; i++)
        calls[i] = rig_get(&r, "/mailFolders");
    for (size_t i = 0; i < 12; i++)
        CU_ASSERT(rig_finish(&r, &calls[i], &e));
    int64_t took = clock_mono_ms() - start;
    if (getenv("UNIT_VERBOSE"))
        printf("12 calls of 100 ms, four abreast: %lld ms ", (long long)took);
    CU_ASSERT_EQUAL(server_most_abreast(r.server), 4);
    CU_ASSERT(took >= 300);
    struct graph_counters n;
    graph_client_counters(r.client, &n);
    CU_ASSERT_EQUAL(n.requests, 13);
    CU_ASSERT_EQUAL(n.tokens, 1);
    CU_ASSERT_EQUAL(n.retries, 0);
    rig_close(&r);
}

/* A sink that keeps what it is given. */
struct kept {
    struct buf bytes;
    unsigned restarts, done;
    bool fail;
};

static bool keep(void *arg, const void *data, size_t len, struct error *e)
{
    struct kept *k = arg;
    if (k->fail)
        return error_set(e, ERROR_LOCAL, "disk full");
    return buf_append(&k->bytes, data, len);
}

static bool keep_restart(void *arg, struct error *e)
{
    struct kept *k = arg;
    (void)e;
    buf_clear(&k->bytes);
    k->restarts++;
    return true;
}

static void keep_done(void *arg, struct graph_call *call)
{
    struct kept *k = arg;
    CU_ASSERT(graph_call_ended(call));
    k->done++;
}

static bool fetch(struct rig *r, struct kept *k, struct error *e)
{
    const struct graph_sink sink = {.write = keep, .restart = keep_restart, .arg = k};
    buf_init(&k->bytes, 1 << 20);
    struct graph_call *call =
        graph_mime_start(r->user, (struct graph_as){0}, "ID", &sink, keep_done, k);
    return rig_finish(r, &call, e);
}

static struct server_reply mime_reply;
static struct server_reply then_reply;

/* The first request gets `mime_reply`, the others `then_reply`. */
static struct server_reply answer_mime(void *arg, const struct server_request *request)
{
    (void)arg;
    seen = *request;
    return request->number == 1 ? mime_reply : then_reply;
}

static const struct server_reply good_mail = {
    .status = 200, .type = "text/plain", .body = "Subject: x\r\n\r\n<html>mail</html>\r\n"};

static void one_fetch(struct server_reply first, struct server_reply then, struct kept *k,
                      struct error *e, unsigned *requests)
{
    struct rig r;
    memset(k, 0, sizeof *k);
    mime_reply = first;
    then_reply = then;
    rig_open(&r, answer_mime);
    fetch(&r, k, e);
    *requests = server_count(r.server);
    CU_ASSERT_EQUAL(k->done, 1);
    rig_close(&r);
}

static void test_mime(void)
{
    struct kept k;
    struct error e;
    unsigned n;
    one_fetch(good_mail, good_mail, &k, &e, &n);
    CU_ASSERT_EQUAL(e.kind, ERROR_NONE);
    CU_ASSERT_STRING_EQUAL(buf_str(&k.bytes), good_mail.body);
    CU_ASSERT_STRING_EQUAL(seen.target, "/v1.0/users/o%27neil%2Bx%40contoso.example/messages/ID/"
                                        "$value");
    buf_free(&k.bytes);
}

static void test_mime_cut_short(void)
{
    struct kept k;
    struct error e;
    unsigned n;
    struct server_reply cut = good_mail;
    char *big = xmalloc(40000);
    memset(big, 'x', 40000);
    cut.body = big;
    cut.body_len = 40000;
    cut.cut_to = 30000;
    one_fetch(cut, good_mail, &k, &e, &n);
    CU_ASSERT_EQUAL(e.kind, ERROR_NONE);
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT_EQUAL(k.restarts, 1);
    CU_ASSERT_STRING_EQUAL(buf_str(&k.bytes), good_mail.body);
    buf_free(&k.bytes);
    free(big);
}

static void test_error_is_never_mail(void)
{
    static const struct server_reply bad[] = {
        {.status = 200, .type = "application/json", .body = "{\"error\":{\"code\":\"x\"}}"},
        {.status = 200, .type = "text/plain", .body = " \r\n{ \"error\":{\"code\":\"x\"}}"},
        {.status = 200, .type = "text/html", .body = "Subject: x\r\n\r\n"},
        {.status = 200, .type = "text/plain", .body = "<!DOCTYPE html><html></html>"},
        {.status = 200, .type = "text/plain", .body = "\n<HTML>"},
        {.status = 200, .type = "text/plain"},
        {.status = 204},
        {.status = 206, .type = "text/plain", .body = "Subject: x\r\n\r\n"},
        {.status = 302,
         .type = "text/plain",
         .headers = "Location: https://localhost:1/\r\n",
         .body = "moved"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct kept k;
        struct error e;
        unsigned n;
        one_fetch(bad[i], good_mail, &k, &e, &n);
        CU_ASSERT_EQUAL(e.kind, ERROR_ANSWER);
        CU_ASSERT_EQUAL(k.bytes.len, 0);
        CU_ASSERT_EQUAL(n, 1);
        buf_free(&k.bytes);
    }
}

static void test_error_bodies(void)
{
    struct kept k;
    struct error e;
    unsigned n;
    const struct server_reply gone = {
        .status = 404,
        .type = JSON,
        .headers = "request-id: R-1\r\n",
        .body = "{\"error\":{\"code\":\"ErrorItemNotFound\",\"message\":\"not in the store\"}}"};
    one_fetch(gone, good_mail, &k, &e, &n);
    CU_ASSERT_EQUAL(e.kind, ERROR_GONE);
    CU_ASSERT_EQUAL(e.status, 404);
    CU_ASSERT_STRING_EQUAL(e.code, "ErrorItemNotFound");
    CU_ASSERT_STRING_EQUAL(e.request_id, "R-1");
    CU_ASSERT_EQUAL(k.bytes.len, 0);
    buf_free(&k.bytes);
    const struct server_reply busy = {
        .status = 503, .type = "text/html", .body = "<html>", .headers = "Retry-After: 0.2\r\n"};
    one_fetch(busy, good_mail, &k, &e, &n);
    CU_ASSERT_EQUAL(e.kind, ERROR_NONE);
    CU_ASSERT_EQUAL(n, 2);
    buf_free(&k.bytes);
}

extern const struct unit_test client_tests[];
const struct unit_test client_tests[] = {
    {"a request as Graph wants it", test_request},
    {"four abreast, never five", test_abreast},
    {"a message", test_mime},
    {"a message cut short is fetched anew", test_mime_cut_short},
    {"an error is never mail", test_error_is_never_mail},
    {"error bodies never reach the sink", test_error_bodies},
    {NULL, NULL},
};
