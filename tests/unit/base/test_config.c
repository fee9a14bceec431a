#include "../unit.h"

#include "postern/base/alloc.h"
#include "postern/base/config.h"
#include "postern/base/file.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of "secret"; the config only looks at its form. */
#define HASH "$y$j9T$abcdefghijklmnop$xxI14acrF4kcY59GsyqJ1DqdhVdc9N0f1.omTKnq.61"

/* Sections that are whole by themselves; the tests add or replace one each. */
#define TENANT                                                                                     \
    "tenant \"contoso\" {\n"                                                                       \
    "  tenant-id = \"contoso.onmicrosoft.com\"\n"                                                  \
    "  client-id = \"6731de76-14a6-49ae-97bc-6eba6914391e\"\n"                                     \
    "  client-secret = 'a b'\n"                                                                    \
    "}\n"
#define LISTENER "listener \"pop\" { protocol = pop3  address = \"127.0.0.1:1110\" }\n"
#define LOGIN                                                                                      \
    "login \"nagios\" { mailbox = \"alerts@contoso.com\"  tenant = \"contoso\"  "                  \
    "password = \"" HASH "\" }\n"
#define TENANT_LINES 5
#define CLIENT       "client-id = \"6731de76-14a6-49ae-97bc-6eba6914391e\"\n"

struct heard {
    int faults, warnings;
    int first_line;
    char first[1024];
    const char *want; /* a text to look for, NULL: none */
    int want_line;    /* the line it came with; -1: not heard */
};

static void hear(struct heard *h, int line, const char *text)
{
    if (h->want && strstr(text, h->want) && h->want_line < 0)
        h->want_line = line;
    if (h->faults + h->warnings == 1) {
        h->first_line = line;
        snprintf(h->first, sizeof h->first, "%s", text);
    }
}

static void on_fault(void *arg, const char *file, int line, const char *text)
{
    struct heard *h = arg;
    CU_ASSERT_STRING_EQUAL(file, "test.conf");
    h->faults++;
    hear(h, line, text);
}

static void on_warning(void *arg, const char *file, int line, const char *text)
{
    struct heard *h = arg;
    (void)file;
    h->warnings++;
    hear(h, line, text);
}

static struct config *parse(const char *text, struct heard *h)
{
    *h = (struct heard){.want = h->want, .want_line = -1};
    return config_parse("test.conf", text, on_fault, on_warning, h);
}

struct fault_case {
    const char *text;
    int line;
    const char *says;
};

static void check_faults(const struct fault_case *cases)
{
    for (; cases->text; cases++) {
        struct heard h = {.want = cases->says};
        struct config *c = parse(cases->text, &h);
        if (c || h.want_line != cases->line)
            printf("\n    wanted line %d '%s', got line %d; first: %d '%s'\n    in: %s\n",
                   cases->line, cases->says, h.want_line, h.first_line, h.first, cases->text);
        CU_ASSERT_PTR_NULL(c);
        CU_ASSERT_EQUAL(h.want_line, cases->line);
        config_unref(&c);
    }
}

static void test_defaults(void)
{
    struct heard h = {0};
    struct config *c = parse(TENANT LISTENER LOGIN, &h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(h.faults + h.warnings, 0);
    CU_ASSERT_STRING_EQUAL(c->state_dir, POSTERN_STATEDIR);
    CU_ASSERT_EQUAL(c->log.level, LOG_LEVEL_INFO);
    CU_ASSERT_STRING_EQUAL(c->log.target, "stderr");
    CU_ASSERT_EQUAL(c->cache_max_size, (size_t)2 << 30);
    CU_ASSERT_EQUAL(c->limits.idle_timeout_ms, 600000);
    CU_ASSERT_EQUAL(c->limits.first_sync_wait_ms, 20000);
    CU_ASSERT_EQUAL(c->tls.min_version, 0x0303);
    CU_ASSERT_EQUAL(c->tls.certificate_count, 0);
    CU_ASSERT_PTR_NULL(c->admin_address);
    CU_ASSERT_EQUAL_FATAL(c->tenant_count, 1);
    CU_ASSERT_STRING_EQUAL(c->tenants[0].client_secret, "a b");
    CU_ASSERT_STRING_EQUAL(c->tenants[0].graph_url, "https://graph.microsoft.com");
    CU_ASSERT_STRING_EQUAL(c->tenants[0].login_url, "https://login.microsoftonline.com");
    CU_ASSERT_EQUAL(c->tenants[0].max_concurrent, 4);
    CU_ASSERT_TRUE(c->tenants[0].permanent_delete);
    CU_ASSERT_EQUAL_FATAL(c->listener_count, 1);
    CU_ASSERT_TRUE(c->listeners[0].loopback);
    CU_ASSERT_EQUAL(c->listeners[0].network_count, 0);
    const struct config_login *l = config_find_login(c, "nagios");
    CU_ASSERT_PTR_NOT_NULL_FATAL(l);
    CU_ASSERT_PTR_NULL(config_find_login(c, "Nagios"));
    CU_ASSERT_PTR_EQUAL(l->tenant, &c->tenants[0]);
    CU_ASSERT_EQUAL(l->protocols, PROTOCOL_POP3 | PROTOCOL_IMAP);
    CU_ASSERT_EQUAL(l->network_count, 2);
    CU_ASSERT_STRING_EQUAL(l->folder, "INBOX");
    CU_ASSERT_EQUAL(l->serve_since_ms, INT64_MIN);
    CU_ASSERT_EQUAL(l->line, TENANT_LINES + 2);
    struct config *again = config_ref(c);
    config_unref(&c);
    CU_ASSERT_PTR_NULL(c);
    CU_ASSERT_STRING_EQUAL(again->logins[0].name, "nagios");
    config_unref(&again);
    config_unref(&again);
}

/* Every key of the contract, with a value that this version takes. */
static void test_all_keys(void)
{
    static const char text[] =
        "state-dir = \"/srv/postern\"\npoll-interval = 1m\n"
        "log { level = debug format = json target = syslog }\ncache { max-size = 64K }\n"
        "limits { max-connections = 3 max-connections-per-address = 2\n"
        "  max-connections-per-login = 1 idle-timeout = 1h login-timeout = 5s\n"
        "  request-timeout = 1d first-sync-wait = 0 grace = 1500ms max-message-size = 1M\n"
        "  read-ahead = 0 }\n"
        "tls { certificate = \"/x.pem\" private-key = \"/x.key\" min-version = \"1.3\" }\n"
        "tenant \"t\" { tenant-id = \"fabrikam.cn\" " CLIENT
        "  flow = client-credentials certificate = \"/c.pem\" private-key = \"/c.key\"\n"
        "  assertion = RS256 cloud = china login-url = \"https://login.example:8443/\"\n"
        "  ca-file = \"/ca.pem\" max-concurrent = 1 max-concurrent-app = 100 }\n"
        "listener \"p\" { protocol = pop3 address = \"[::]:995\" tls = implicit\n"
        "  min-version = \"1.2\" legacy-tls = no networks = { \"192.0.2.0/24\", \"::1\" } }\n"
        "listener \"q\" { protocol = pop3 address = \"0.0.0.0:0\" allow-plaintext = yes }\n"
        "listener \"i\" { protocol = imap address = \"127.0.0.1:1143\" }\n"
        "login \"l\" { mailbox = \"a@b\" tenant = \"t\" password = '" HASH "'\n"
        "  protocols = { imap } networks = { \"0.0.0.0/0\" } read-only = yes\n"
        "  folder = \"Archive/2026\" expunge = recoverable exact-size = no\n"
        "  serve-since = \"2026-01-01\" max-connections = 7 }\n";
    struct heard h = {0};
    struct config *c = parse(text, &h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(h.warnings, 0);
    CU_ASSERT_EQUAL(c->listener_count, 3);
    CU_ASSERT_EQUAL(c->listeners[2].protocol, PROTOCOL_IMAP);
    CU_ASSERT_EQUAL(c->poll_interval_ms, 60000);
    CU_ASSERT_EQUAL(c->cache_max_size, 65536);
    CU_ASSERT_EQUAL(c->limits.first_sync_wait_ms, 0);
    CU_ASSERT_EQUAL(c->limits.grace_ms, 1500);
    CU_ASSERT_EQUAL(c->limits.request_timeout_ms, INT64_C(86400000));
    CU_ASSERT_EQUAL(c->log.format, LOG_JSON);
    CU_ASSERT_EQUAL(c->tls.min_version, 0x0304);
    CU_ASSERT_STRING_EQUAL(c->tenants[0].graph_url, "https://microsoftgraph.chinacloudapi.cn");
    CU_ASSERT_STRING_EQUAL(c->tenants[0].login_url, "https://login.example:8443");
    CU_ASSERT_EQUAL(c->tenants[0].assertion, ASSERTION_RS256);
    CU_ASSERT_FALSE(c->tenants[0].permanent_delete);
    CU_ASSERT_EQUAL(c->listeners[0].sockaddr.ss_family, AF_INET6);
    CU_ASSERT_EQUAL(c->listeners[0].network_count, 2);
    CU_ASSERT_EQUAL(c->listeners[0].min_version, 0x0303);
    CU_ASSERT_FALSE(c->listeners[1].loopback);
    CU_ASSERT_EQUAL(c->logins[0].protocols, PROTOCOL_IMAP);
    CU_ASSERT_EQUAL(c->logins[0].network_count, 1);
    CU_ASSERT_TRUE(c->logins[0].read_only);
    CU_ASSERT_EQUAL(c->logins[0].serve_since_ms, INT64_C(1767225600000));
    CU_ASSERT_EQUAL(c->logins[0].expunge, EXPUNGE_RECOVERABLE);
    CU_ASSERT_EQUAL(c->logins[0].exact_size, EXACT_SIZE_NO);
    CU_ASSERT_EQUAL(c->logins[0].max_connections, 7);
    config_unref(&c);
}

static void test_form(void)
{
    static const struct fault_case cases[] = {
        {"\nstat-dir = x\n", 2, "did you mean 'state-dir'"},
        {"lgin \"x\" { mailbox = 1 }\n", 1, "did you mean 'login'"},
        {"log {\n level = info\n qqqqqqq = 1\n}\n", 3, "unknown key 'qqqqqqq' in log"},
        {"log {\n password = x }\n", 2, "it belongs in login"},
        {"a1 = 1\nb1 = 2\nc1 = 3\n", 3, "unknown key 'c1'"},
        {"state-dir = a\n\nstate-dir = b\n", 3, "set on line 1"},
        {TENANT "tenant \"contoso\" {\n client-id = 1 }\n", 6, "is here again (it was on line 1)"},
        {TENANT "tenant \"contoso\" {}\n", 6, "title of one above"},
        {LISTENER LISTENER, 2, "listener \"pop\" is here again"},
        {LOGIN LOGIN, 2, "login \"nagios\" is here again"},
        {"log { level = info }\nlog { }\n", 2, "it was on line 1"},
        {"login \"x\" {\n networks = { a }\n networks = { b }\n}\n", 3, "set on line 2"},
        {"login \"x\" {\n mailbox = { a, b }\n}\n", 2, "one value"},
        {"# a\n  // b\n/* c\n */ a1 = 1\n", 4, "unknown key 'a1'"},
        {"log { # }\n level = info // \"\n}\na1 = 1\n", 4, "unknown key 'a1'"},
        {"state-dir = \"a#b\\\"//\" /**/\na1 = '/* # '\n", 2, "unknown key 'a1'"},
        {"state-dir = https://a#b\na1 = 1\n", 2, "unknown key 'a1'"},
        {"state-dir = \"abc\n\n", 5, "a quote is missing"},
        {"\nlog {\n level = info\n", 2, "no closing"},
        {"log { level = info }\n/* open\n", 5, "inside a comment"},
        {"log {\nlogin \"l\" { }\n", 2, "the '}' before it is missing"},
        {"log { level info }\n", 1, "syntax"},
        {"}\n", 1, "syntax"},
        {"tenant { }\n", 1, "missing title"},
        {"state-dir = \"a\nb\"\n", 2, "control character"},
        {"end-of-this-file = y\n", 3, "is no setting"},
        {NULL, 0, NULL},
    };
    check_faults(cases);
}

static void test_values(void)
{
    static const struct fault_case cases[] = {
        {"\npoll-interval = 10\n", 2, "a time such as"},
        {"poll-interval = 10y\n", 1, "a time such as"},
        {"poll-interval = 99ms\n", 1, "must be from 100 to 86400000"},
        {"poll-interval = 25h\n", 1, "must be from"},
        {"poll-interval = 99999999999999999999s\n", 1, "a time such as"},
        {"poll-interval = 9223372036854775807s\n", 1, "a time such as"},
        {"cache { max-size = -1 }\n", 1, "a size such as"},
        {"cache { max-size = 2X }\n", 1, "a size such as"},
        {"log { level = loud }\n", 1, "error, warning, info or debug, not 'loud'"},
        {"listener \"x\" { allow-plaintext = maybe }\n", 1, "yes or no"},
        {"tenant \"t\" { max-concurrent = 0 }\n", 1, "from 1 to 20"},
        {"tenant \"t\" { max-concurrent = 21 }\n", 1, "from 1 to 20"},
        {"tenant \"t\" { max-concurrent = 4M }\n", 1, "a whole number"},
        {"tenant \"t\" { flow = magic }\n", 1, "client-credentials, device-code"},
        {"login \"x\" { networks = { \"10.0.0.0/33\" } }\n", 1, "not '10.0.0.0/33'"},
        {"login \"x\" {\n networks = { \"10.0.0.0/8\", ten } }\n", 2, "not 'ten'"},
        {"login \"x\" { networks = { \"::/129\" } }\n", 1, "not '::/129'"},
        {"login \"x\" { serve-since = \"2026-02-30\" }\n", 1, "a day such as"},
        {"login \"x\" { protocols = { pop3, nntp } }\n", 1, "not 'nntp'"},
        {"login \"x\" { exact-size = maybe }\n", 1, "auto, yes or no"},
        {NULL, 0, NULL},
    };
    check_faults(cases);
}

/* One tenant with the given keys in place of the secret, on line 4. */
#define TENANT_WITH(keys)                                                                          \
    "tenant \"contoso\" {\n  tenant-id = \"contoso.com\"\n  " CLIENT "  " keys                     \
    "\n}\n" LISTENER LOGIN

static void test_tenant(void)
{
    static const struct fault_case cases[] = {
        {"\ntenant \"t\" { client-id = 1 }\n", 2, "needs a 'tenant-id'"},
        {"\ntenant \"t\" { tenant-id = x }\n", 2, "needs a 'client-id'"},
        {TENANT_WITH(""), 1, "has 0"},
        {TENANT_WITH("client-secret = x certificate = y private-key = z"), 1, "has 2"},
        {TENANT_WITH("client-secret = x client-secret-file = y"), 1, "has 2"},
        {TENANT_WITH("certificate = y"), 1, "both certificate and private-key"},
        {TENANT_WITH("client-secret-file = y"), 4, "no files are read"},
        {TENANT_WITH("client-secret = x graph-url = \"http://g\""), 4, "must be https://"},
        {TENANT_WITH("client-secret = x graph-url = \"https://g/v1.0\""), 4, "must be https://"},
        {TENANT_WITH("client-secret = x login-url = \"https://u@g\""), 4, "must be https://"},
        {TENANT_WITH("client-secret = x login-url = \"https://\""), 4, "must be https://"},
        {TENANT_WITH("flow = device-code client-secret = x certificate = y"), 1, "has 2"},
        {TENANT_WITH("flow = device-code private-key = y"), 1, "both certificate and"},
        {TENANT_WITH("flow = workload-identity"), 1, "AZURE_FEDERATED_TOKEN_FILE"},
        {TENANT_WITH("flow = managed-identity identity-url = \"http://h/p\""), 4, "http:// or"},
        {TENANT_WITH("flow = managed-identity identity-object-id = y"), 1, "more than once"},
        {TENANT_WITH("flow = password account = \"a@b\""), 4, "allow-password-grant = yes"},
        {TENANT_WITH("flow = password allow-password-grant = yes"), 1, "needs an 'account'"},
        {TENANT_WITH("flow = password account = \"a@b\""), 1, "needs a 'password-file'"},
        {TENANT_WITH("flow = password password-file = x"), 4, "no files are read"},
        {"tenant \"t\" {\n tenant-id = \"a b\" }", 2, "GUID or a domain"},
        {"tenant \"t\" {\n tenant-id = common }", 2, "your own tenant"},
        {"tenant \"t\" {\n client-id = \"a/b\" }", 2, "Application ID"},
        {TENANT_WITH("client-secret = x allow-client-tokens = yes"), 4, "'tenant-id' as a GUID"},
        {"tenant \"contoso\" {\n flow = managed-identity\n allow-client-tokens = yes }\n", 3,
         "'tenant-id' as a GUID"},
        {NULL, 0, NULL},
    };
    check_faults(cases);
    struct heard h = {.want = "429"};
    struct config *c = parse(TENANT_WITH("client-secret = x max-concurrent = 5"), &h);
    CU_ASSERT_PTR_NOT_NULL(c);
    CU_ASSERT_EQUAL(h.want_line, 4);
    config_unref(&c);
}

static void test_flows(void)
{
    static const char *const good[] = {
        TENANT_WITH("flow = device-code"),
        TENANT_WITH("flow = authorization-code client-secret = x account = \"a@b.example\""),
        TENANT_WITH("flow = workload-identity federated-token-file = \"/t\""),
        "tenant \"contoso\" { flow = managed-identity }\n" LISTENER LOGIN,
        TENANT_WITH("flow = managed-identity identity-url = \"http://[fd00::1]:80/\""),
        "tenant \"contoso\" { flow = managed-identity allow-client-tokens = yes "
        "tenant-id = 0A0b0c0d-1111-2222-3333-444455556666 }\n" LISTENER LOGIN,
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct heard h = {0};
        struct config *c = parse(good[i], &h);
        CU_ASSERT_PTR_NOT_NULL(c);
        CU_ASSERT_EQUAL(h.warnings, 0);
        config_unref(&c);
    }
    struct heard name = {.want = "is no GUID", .want_line = -1};
    struct config *named =
        parse("tenant \"contoso\" { tenant-id = \"contoso.com\"\nclient-id = Postern\n"
              "client-secret = x }\n" LISTENER LOGIN,
              &name);
    CU_ASSERT_PTR_NOT_NULL(named);
    CU_ASSERT_EQUAL(name.want_line, 2);
    config_unref(&named);
    struct heard h = {.want = "means nothing to the flow"};
    struct config *c = parse(TENANT_WITH("client-secret = x federated-token-file = y"), &h);
    CU_ASSERT_PTR_NOT_NULL(c);
    CU_ASSERT_EQUAL(h.want_line, 4);
    config_unref(&c);
}

/* In a pod of Kubernetes the environment says it all. */
static void test_workload(void)
{
    static const char *const set[][2] = {{"AZURE_TENANT_ID", "pod.example"},
                                         {"AZURE_CLIENT_ID", "2-b"},
                                         {"AZURE_FEDERATED_TOKEN_FILE", "/pod/token"},
                                         {"AZURE_AUTHORITY_HOST", "https://login.example/"}};
    for (size_t i = 0; i < 4; i++)
        setenv(set[i][0], set[i][1], 1);
    struct heard h = {0};
    struct config *c =
        parse("tenant \"contoso\" { flow = workload-identity }\n" LISTENER LOGIN, &h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->tenants[0].tenant_id, "pod.example");
    CU_ASSERT_STRING_EQUAL(c->tenants[0].client_id, "2-b");
    CU_ASSERT_STRING_EQUAL(c->tenants[0].federated_token_file, "/pod/token");
    CU_ASSERT_STRING_EQUAL(c->tenants[0].login_url, "https://login.example");
    config_unref(&c);
    c = parse(TENANT_WITH("flow = workload-identity federated-token-file = \"/own\" cloud = usgov"),
              &h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->tenants[0].tenant_id, "contoso.com");
    CU_ASSERT_STRING_EQUAL(c->tenants[0].federated_token_file, "/own");
    CU_ASSERT_STRING_EQUAL(c->tenants[0].login_url, "https://login.microsoftonline.us");
    config_unref(&c);
    for (size_t i = 0; i < 4; i++)
        unsetenv(set[i][0]);
}

#define PATH_10 "0123456789"
#define PATH_106                                                                                   \
    PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 "123456"
#define PATH_107            PATH_106 "7"
#define LISTENER_WITH(keys) TENANT LOGIN "listener \"x\" {\n protocol = pop3\n " keys "\n}\n"

static void test_listener(void)
{
    static const struct fault_case cases[] = {
        {TENANT LOGIN, 0, "no listener section"},
        {TENANT LISTENER, 0, "no login"},
        {TENANT LOGIN "listener \"x\" { address = \"127.0.0.1:1\" }", 7, "needs a 'protocol'"},
        {LISTENER_WITH(""), 7, "needs a 'address'"},
        {LISTENER_WITH("address = \"localhost:1110\""), 9, "an IP address and a port"},
        {LISTENER_WITH("address = \"127.0.0.1:65536\""), 9, "an IP address and a port"},
        {LISTENER_WITH("address = \"::1:1110\""), 9, "an IP address and a port"},
        {LISTENER_WITH("address = \"192.0.2.1:110\""), 9, "allow-plaintext"},
        {LISTENER_WITH("address = \"[::]:110\""), 9, "allow-plaintext"},
        {LISTENER_WITH("address = \"127.0.0.1:995\" tls = implicit"), 9, "needs a certificate"},
        {LISTENER_WITH("address = \"127.0.0.1:1\"\n tls = starttls"), 10, "needs a certificate"},
        {LISTENER_WITH("address = \"127.0.0.1:1\"\n min-version = \"1.1\""), 10, "TLS 1.2"},
        {LISTENER_WITH("address = \"unix:imap.sock\""), 9, "absolute path"},
        {LISTENER_WITH("address = \"unix:/" PATH_107 "\""), 9, "107 bytes"},
        {LISTENER_WITH("address = \"systemd:\""), 9, "FileDescriptorName"},
        {LISTENER_WITH("address = \"unix:/x\"") "listener \"y\" { protocol = imap\n"
                                                " address = \"unix:/x\" }\n",
         12, "address of listener \"x\""},
        {LISTENER_WITH("address = \"systemd:x\"") "listener \"y\" { protocol = imap\n"
                                                  " address = \"systemd:x\" }\n",
         12, "address of listener \"x\""},
        {LISTENER_WITH("address = \"127.0.0.1:1\"\n client-certificates = yes"), 10, "within TLS"},
        {LISTENER_WITH("address = \"127.0.0.1:1\"\n proxy-protocol = { \"192.0.2.9\" }"), 10,
         "behind a proxy"},
        {LISTENER_WITH("address = \"unix:/x\" allow-plaintext = yes\n"
                       " proxy-protocol = { \"192.0.2.9\" }"),
         10, "Unix socket"},
        {LISTENER_WITH("address = \"127.0.0.1:1110\"") LISTENER, 11, "address of listener \"x\""},
        {LISTENER_WITH("address = \"0.0.0.0:1110\" allow-plaintext = yes") LISTENER, 11,
         "address of listener \"x\""},
        {"\ntls { min-version = \"1.0\" }\n", 2, "below TLS 1.2"},
        {"\ntls { certificate = x }\n", 2, "both"},
        {"\nadmin { address = \"0.0.0.0:8143\" }\n", 2, "loopback"},
        {"\nadmin { address = \"192.0.2.1:8143\" }\n", 2, "loopback"},
        {"\nadmin { address = \"unix:/run/x.sock\" }\n", 2, "loopback"},
        {"\nadmin { address = \"localhost:8143\" }\n", 2, "loopback"},
        {NULL, 0, NULL},
    };
    check_faults(cases);
    struct heard h = {0};
    struct config *c = parse(TENANT LISTENER LOGIN "admin { address = \"[::1]:8143\" }\n", &h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(h.faults + h.warnings, 0);
    CU_ASSERT_EQUAL(c->admin_sockaddr.ss_family, AF_INET6);
    config_unref(&c);
}

/* Without a word of it nothing is weaker, and half of it is a fault. */
static void test_legacy(void)
{
#define LEGACY(keys)                                                                               \
    LISTENER_WITH("address = \"127.0.0.1:1\" tls = implicit\n " keys)                              \
    "tls { certificate = x private-key = x }\n"
    static const struct fault_case cases[] = {
        {LEGACY("min-version = \"1.1\""), 10, "legacy-tls = yes"},
        {LEGACY("min-version = \"1.0\" networks = { \"192.0.2.0/24\" }"), 10, "legacy-tls = yes"},
        {LEGACY("legacy-tls = yes networks = { \"192.0.2.0/24\" }"), 10, "min-version"},
        {LEGACY("legacy-tls = yes min-version = \"1.2\" networks = { \"::1\" }"), 10,
         "min-version"},
        {LEGACY("legacy-tls = yes min-version = \"1.0\""), 10, "'networks'"},
        {LEGACY("legacy-tls = yes min-version = \"1.0\" networks = { }"), 10, "'networks'"},
        {LISTENER_WITH("address = \"127.0.0.1:1\"\n legacy-tls = yes"), 10, "tls = starttls"},
        {"\ntls { min-version = \"1.1\" }\n", 2, "legacy-tls = yes"},
        {NULL, 0, NULL},
    };
    check_faults(cases);
    struct heard h = {.want = "every address"};
    struct config *c = parse(LEGACY("legacy-tls = yes min-version = \"1.0\"\n"
                                    " networks = { \"192.0.2.0/24\", \"0.0.0.0/0\" }"),
                             &h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(h.want_line, 11);
    CU_ASSERT_EQUAL(c->listeners[0].min_version, 0x0301);
    CU_ASSERT_TRUE(c->listeners[0].legacy_tls);
    config_unref(&c);
#undef LEGACY
}

/* Sockets without a port count as this machine's. */
static void test_local_sockets(void)
{
    struct heard h = {0};
    struct config *c =
        parse(LISTENER_WITH("address = \"unix:/" PATH_106
                            "\" socket-mode = 0600") "listener \"y\" { protocol = imap address = "
                                                     "\"systemd:imap\" }\n",
              &h);
    const struct sockaddr local = {.sa_family = AF_UNIX};
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    const struct config_listener *x = &c->listeners[0], *y = &c->listeners[1];
    CU_ASSERT_TRUE(x->loopback);
    CU_ASSERT_EQUAL(x->sockaddr.ss_family, AF_UNIX);
    CU_ASSERT_EQUAL(x->socket_mode, 0600);
    CU_ASSERT_PTR_NULL(config_listener_socket_name(x));
    CU_ASSERT_STRING_EQUAL(config_listener_socket_name(y), "imap");
    CU_ASSERT_EQUAL(y->sockaddr_len, 0);
    CU_ASSERT_TRUE(config_network_match(c->logins[0].networks, c->logins[0].network_count, &local));
    const struct config_network other = {
        .family = AF_INET, .address = {192, 0, 2, 0}, .prefix = 24};
    CU_ASSERT_FALSE(config_network_match(&other, 1, &local));
    config_unref(&c);
}

#define LOGIN_WITH(keys) TENANT LISTENER "login \"x\" {\n " keys "\n}\n"

static void test_login(void)
{
    static const struct fault_case cases[] = {
        {LOGIN_WITH("tenant = contoso"), 7, "needs a 'mailbox'"},
        {LOGIN_WITH("mailbox = \"a@b\""), 7, "needs a 'tenant'"},
        {LOGIN_WITH("mailbox = \"a@b\""), 7, "needs a 'password'"},
        {LOGIN_WITH("mailbox = \"\""), 8, "needs a 'mailbox'"},
        {LOGIN_WITH("tenant = fabrikam"), 8, "there is no tenant \"fabrikam\""},
        {LOGIN_WITH("password = secret"), 8, "postern passwd x"},
        {LOGIN_WITH("password = '$6$salt$'"), 8, "postern passwd x"},
        {LOGIN_WITH("password = '$99$salt$abcdefghijklmnopqrstuvwxyz'"), 8, "postern passwd x"},
        {"tenant \"c\" { cloud = usgov }\nlogin \"x\" { tenant = c\n expunge = permanent }\n", 3,
         "global cloud only"},
        {TENANT LISTENER "login \"\" { }", 7, "needs a name"},
        {NULL, 0, NULL},
    };
    check_faults(cases);
    struct heard h = {.want = "secret"};
    CU_ASSERT_PTR_NULL(parse(LOGIN_WITH("password = topsecret"), &h));
    CU_ASSERT_EQUAL(h.want_line, -1);
}

/* What config_load() adds: files. */
static void test_files(void)
{
    char dir[] = "/tmp/postern-test-XXXXXX";
    struct error e = ERROR_INIT;
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    char *secret = xasprintf("%s/secret", dir);
    char *path = xasprintf("%s/test.conf", dir);
    char *text = xasprintf("tenant \"contoso\" { tenant-id = \"c.com\" " CLIENT
                           " client-secret-file = \"%s\" }\n" LISTENER LOGIN,
                           secret);
    struct heard h = {.want = "cannot open", .want_line = -1};
    CU_ASSERT_TRUE(file_write_private(path, text, strlen(text), &e));
    CU_ASSERT_EQUAL(chdir(dir), 0);
    CU_ASSERT_PTR_NULL(config_load("test.conf", on_fault, on_warning, &h));
    CU_ASSERT_EQUAL(h.want_line, 2);

    CU_ASSERT_TRUE(file_write_private(secret, "hunter2\n", 8, &e));
    h = (struct heard){0};
    struct config *c = config_load("test.conf", on_fault, on_warning, &h);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->tenants[0].client_secret, "hunter2");
    CU_ASSERT_EQUAL(h.warnings, 0);
    config_unref(&c);

    CU_ASSERT_EQUAL(chmod(secret, 0644), 0);
    h = (struct heard){.want = "chmod o-r", .want_line = -1};
    c = config_load("test.conf", on_fault, on_warning, &h);
    CU_ASSERT_PTR_NOT_NULL(c);
    CU_ASSERT_EQUAL(h.want_line, 2);
    config_unref(&c);

    CU_ASSERT_TRUE(file_write_private(secret, "two\nlines\n", 10, &e));
    h = (struct heard){.want = "on one line", .want_line = -1};
    CU_ASSERT_PTR_NULL(config_load("test.conf", on_fault, on_warning, &h));
    CU_ASSERT_EQUAL(h.want_line, 2);

    CU_ASSERT_TRUE(file_write_private(path, "a\0b", 3, &e));
    h = (struct heard){.want = "NUL", .want_line = -1};
    CU_ASSERT_PTR_NULL(config_load("test.conf", on_fault, on_warning, &h));
    CU_ASSERT_EQUAL(h.want_line, 0);
    unlink(secret);
    unlink(path);
    rmdir(dir);
    free(secret);
    free(path);
    free(text);
}

static bool match(const char *network, const char *address)
{
    char *text = xasprintf(
        LISTENER TENANT
        "login \"x\" { mailbox = \"a@b\" tenant = contoso password = '%s' networks = { \"%s\" } }",
        HASH, network);
    struct heard h = {0};
    struct config *c = parse(text, &h);
    free(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    bool is_v6 = inet_pton(AF_INET6, address, &v6.sin6_addr) == 1;
    CU_ASSERT_TRUE(is_v6 || inet_pton(AF_INET, address, &v4.sin_addr) == 1);
    bool ok = config_network_match(c->logins[0].networks, c->logins[0].network_count,
                                   is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4);
    config_unref(&c);
    return ok;
}

static void test_networks(void)
{
    CU_ASSERT_TRUE(match("192.0.2.0/24", "192.0.2.255"));
    CU_ASSERT_FALSE(match("192.0.2.0/24", "192.0.3.0"));
    CU_ASSERT_TRUE(match("192.0.2.128/25", "192.0.2.128"));
    CU_ASSERT_FALSE(match("192.0.2.128/25", "192.0.2.127"));
    CU_ASSERT_TRUE(match("192.0.2.7", "192.0.2.7"));
    CU_ASSERT_FALSE(match("192.0.2.7", "192.0.2.6"));
    CU_ASSERT_TRUE(match("0.0.0.0/0", "203.0.113.1"));
    CU_ASSERT_FALSE(match("0.0.0.0/0", "2001:db8::1"));
    CU_ASSERT_TRUE(match("127.0.0.0/8", "::ffff:127.0.0.1"));
    CU_ASSERT_FALSE(match("::/0", "::ffff:127.0.0.1"));
    CU_ASSERT_TRUE(match("2001:db8::/33", "2001:db8:7fff::1"));
    CU_ASSERT_FALSE(match("2001:db8::/33", "2001:db8:8000::1"));
    CU_ASSERT_TRUE(match("::1", "::1"));
}

const struct unit_test config_tests[] = {
    {"defaults", test_defaults},
    {"all keys", test_all_keys},
    {"faults of form", test_form},
    {"faults of values", test_values},
    {"faults of tenants", test_tenant},
    {"what each flow needs", test_flows},
    {"a pod tells its identity", test_workload},
    {"faults of listeners", test_listener},
    {"legacy TLS", test_legacy},
    {"sockets without a port", test_local_sockets},
    {"faults of logins", test_login},
    {"files", test_files},
    {"networks", test_networks},
    {NULL, NULL},
};
