#include "views.h"

#include "../unit.h"

#include <string.h>

#define TENANT(name, flow)                                                                         \
    "tenant " name " {\n tenant-id = x\n client-id = y\n flow = " flow "\n}\n"
#define REST                                                                                       \
    "listener x { protocol = pop3 address = \"127.0.0.1:1110\" tls = none }\n"                     \
    "login a { mailbox = \"a@example.com\" tenant = one password = "                               \
    "\"$6$rounds=1000$postern$mZ0638u2aMh3VxDx/.Fcv.a4hwqY/Lb0o3IpLJyg8FZSt3CQv6MPB8Mmdj"          \
    "xzVKWXPrJ1V2t99q7au6MFgBZDY/\" }\n"

static char tenant[] = "one", account[] = "a@example.com", nothing[] = "", other[] = "two",
            hostile[] = "<b>'x' & \"y\"\n\xe2\x80\xae\xff", option[] = "--tenant=x y";

static void print(void *arg, const char *file, int line, const char *text)
{
    (void)arg;
    printf("%s:%d: %s\n", file, line, text);
}

static struct config *parse(const char *text)
{
    struct config *c = config_parse("test", text, print, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

static struct buf page(struct admin_identity identity, const char *config)
{
    struct buf out = BUF_INIT(1 << 20);
    struct config *c = parse(config);
    const struct admin_snapshot s = {
        .uptime_seconds = 93784, .sessions = 3, .identities = &identity, .identity_count = 1};
    admin_page(&out, &s, c);
    config_unref(&c);
    return out;
}

#define SHOWS(out, text) CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), text))
#define LACKS(out, text) CU_ASSERT_PTR_NULL(strstr(buf_str(&out), text))
#define ONE              TENANT("one", "device-code") REST
#define TWO              TENANT("one", "device-code") TENANT("two", "authorization-code") REST

static void test_page(void)
{
    struct admin_identity i = {tenant, account, nothing, GRAPH_IDENTITY_GOOD, 60};
    struct buf out = page(i, ONE);
    SHOWS(out, "up for 1 d 2 h 3 min");
    SHOWS(out, "sessions of clients: 3.");
    SHOWS(out, "<td>a@example.com</td><td>good</td>");
    SHOWS(out, "<td>POP3</td><td>127.0.0.1:1110</td><td>none</td>");
    LACKS(out, "<code>");
    buf_free(&out);
}

static void test_commands(void)
{
    struct admin_identity i = {tenant, account, nothing, GRAPH_IDENTITY_NEEDS_LOGIN, 0};
    struct buf out = page(i, ONE);
    SHOWS(out, "<td>needs login</td>");
    SHOWS(out, "<code>postern login a@example.com</code>");
    buf_free(&out);
    i.tenant = other;
    out = page(i, TWO);
    SHOWS(out, "<code>postern login --tenant two a@example.com</code>");
    buf_free(&out);
    i.account = NULL;
    out = page(i, TWO);
    SHOWS(out, "<td>the application</td><td>needs login</td>");
    SHOWS(out, "<code>postern doctor</code>");
    buf_free(&out);
    i = (struct admin_identity){tenant, option, nothing, GRAPH_IDENTITY_NEEDS_LOGIN, 0};
    out = page(i, ONE);
    SHOWS(out, "<code>postern login &#39;--tenant=x y&#39;</code>");
    buf_free(&out);
}

static void test_hostile(void)
{
    struct admin_identity i = {tenant, hostile, hostile, GRAPH_IDENTITY_NEEDS_LOGIN, 0};
    struct buf out = page(i, ONE);
    SHOWS(out, "<td>&lt;b&gt;&#39;x&#39; &amp; &quot;y&quot;\?\?\?</td>");
    LACKS(out, "<b>");
    LACKS(out, "\xe2\x80\xae");
    buf_free(&out);
}

static void test_health(void)
{
    struct buf out = BUF_INIT(1 << 20);
    struct admin_identity all[] = {{tenant, account, nothing, GRAPH_IDENTITY_GOOD, 60},
                                   {tenant, NULL, nothing, GRAPH_IDENTITY_UNUSED, 0},
                                   {tenant, NULL, hostile, GRAPH_IDENTITY_FAILING, 0},
                                   {other, account, option, GRAPH_IDENTITY_NEEDS_LOGIN, 0}};
    struct admin_snapshot s = {.identities = all, .identity_count = 2};
    CU_ASSERT_TRUE(admin_health(&out, &s));
    CU_ASSERT_STRING_EQUAL(buf_str(&out), "ok\n");
    buf_clear(&out);
    s.identity_count = 4;
    CU_ASSERT_FALSE(admin_health(&out, &s));
    CU_ASSERT_STRING_EQUAL(buf_str(&out),
                           "failing: tenant one, the application: <b>'x' & \"y\"\?\?\?\n"
                           "needs-login: tenant two, a@example.com: --tenant=x y\n");
    buf_free(&out);
}

static void test_metrics(void)
{
    struct buf out = BUF_INIT(1 << 20);
    struct admin_identity all[] = {{tenant, account, nothing, GRAPH_IDENTITY_GOOD, 60},
                                   {other, account, nothing, GRAPH_IDENTITY_GOOD, 60}};
    const struct admin_snapshot s = {.uptime_seconds = 7,
                                     .sessions = 2,
                                     .graph = {UINT64_MAX, 3, 4, 5},
                                     .identities = all,
                                     .identity_count = 2};
    admin_metrics(&out, &s);
    SHOWS(out, "# HELP postern_sessions Sessions of clients under way.\n"
               "# TYPE postern_sessions gauge\npostern_sessions 2\n");
    SHOWS(out, "\npostern_uptime_seconds 7\n");
    SHOWS(out, "# TYPE postern_graph_requests_total counter\n"
               "postern_graph_requests_total 18446744073709551615\n");
    SHOWS(out, "\npostern_token_requests_total 3\n");
    SHOWS(out, "\npostern_graph_throttled_total 4\n");
    SHOWS(out, "\npostern_graph_retries_total 5\n");
    SHOWS(out, "\npostern_identities{state=\"good\"} 2\n"
               "postern_identities{state=\"failing\"} 0\n"
               "postern_identities{state=\"needs-login\"} 0\n");
    CU_ASSERT_EQUAL(buf_str(&out)[out.len - 1], '\n');
    buf_free(&out);
}

const struct unit_test view_tests[] = {{"page", test_page},       {"commands", test_commands},
                                       {"hostile", test_hostile}, {"health", test_health},
                                       {"metrics", test_metrics}, {NULL, NULL}};
