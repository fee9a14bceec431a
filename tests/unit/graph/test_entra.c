/* What is asked of Entra ID in each cloud. */
#include "../unit.h"

#include "entra.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

static struct config *config_with(const char *keys)
{
    char text[1024];
    snprintf(text, sizeof text,
             "tenant \"t\" { tenant-id = \"contoso.example\" client-id = \"1-a\" %s }\n"
             "listener \"l\" { protocol = pop3 address = \"127.0.0.1:0\" }\n"
             "login \"x\" { mailbox = \"a@b\" tenant = \"t\" password = "
             "'$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC.5i5rd.RhAtQ7' }\n",
             keys);
    return config_parse("t", text, NULL, NULL, NULL);
}

struct cloud {
    const char *keys;
    const char *login; /* origin */
    const char *graph; /* as it stands in a form */
};

static const struct cloud clouds[] = {
    {"", "https://login.microsoftonline.com", "https%3A%2F%2Fgraph.microsoft.com"},
    {"cloud = usgov", "https://login.microsoftonline.us", "https%3A%2F%2Fgraph.microsoft.us"},
    {"cloud = usgov-dod", "https://login.microsoftonline.us",
     "https%3A%2F%2Fdod-graph.microsoft.us"},
    {"cloud = china", "https://login.partner.microsoftonline.cn",
     "https%3A%2F%2Fmicrosoftgraph.chinacloudapi.cn"},
    {"cloud = china login-url = \"https://login.chinacloudapi.cn\"",
     "https://login.chinacloudapi.cn", "https%3A%2F%2Fmicrosoftgraph.chinacloudapi.cn"},
    /* Gateways, and a cloud that is not in the list. */
    {"cloud = usgov graph-url = \"https://127.0.0.1:8443\"", "https://login.microsoftonline.us",
     "https%3A%2F%2Fgraph.microsoft.us"},
    {"graph-url = \"https://10.0.0.1\"", "https://login.microsoftonline.com",
     "https%3A%2F%2Fgraph.microsoft.com"},
    {"graph-url = \"https://gateway\"", "https://login.microsoftonline.com",
     "https%3A%2F%2Fgraph.microsoft.com"},
    {"graph-url = \"https://graph.cloud.example\"", "https://login.microsoftonline.com",
     "https%3A%2F%2Fgraph.cloud.example"},
};

/* The first request of this flow, and a piece that its form must have; '@' is the cloud's Graph. */
static void check_request(const struct cloud *cloud, const char *flow, const struct oauth_ask *ask,
                          const char *piece)
{
    struct error e = ERROR_INIT;
    struct oauth_request r;
    char keys[512], url[256];
    struct buf want = BUF_INIT(1024);
    snprintf(keys, sizeof keys, "%s %s", flow, cloud->keys);
    struct config *c = config_with(keys);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    struct oauth_provider *p = oauth_provider_new(&c->tenants[0], &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT(p->request(p, ask, &r, &e));
    snprintf(url, sizeof url, "%s/contoso.example/oauth2/v2.0/token", cloud->login);
    CU_ASSERT_STRING_EQUAL(r.url, url);
    for (; *piece; piece++) {
        if (*piece == '@')
            buf_puts(&want, cloud->graph);
        else
            buf_putc(&want, *piece);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&r.form), buf_str(&want)));
    buf_free(&want);
    oauth_request_free(&r);
    p->free(p);
    config_unref(&c);
}

static void test_clouds(void)
{
    const struct oauth_ask app = {.account = NULL};
    const struct oauth_ask person = {.account = "a@b", .refresh_token = "R"};
    for (size_t i = 0; i < sizeof clouds / sizeof clouds[0]; i++) {
        check_request(&clouds[i], "client-secret = x", &app, "scope=@%2F.default&");
        check_request(&clouds[i], "flow = device-code", &person,
                      "scope=offline_access%20openid%20profile%20@%2FMail.ReadWrite%20"
                      "@%2FMail.ReadWrite.Shared&");
    }
}

static void test_authorize(void)
{
    struct error e = ERROR_INIT;
    struct config *c = config_with("flow = authorization-code cloud = usgov scope = \"Mail.Read\"");
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    struct oauth_provider *p = oauth_provider_new(&c->tenants[0], &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    char *url = entra_authorize_url(p, "a+b@c", "http://localhost:4711", "st", "ch");
    CU_ASSERT_STRING_EQUAL(
        url, "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/authorize"
             "?client_id=1-a&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A4711"
             "&response_mode=query&scope=offline_access%20openid%20profile%20"
             "https%3A%2F%2Fgraph.microsoft.us%2FMail.Read&state=st&code_challenge=ch"
             "&code_challenge_method=S256&login_hint=a%2Bb%40c&claims=%7B%22access_token%22%3A%7B"
             "%22xms_cc%22%3A%7B%22values%22%3A%5B%22cp1%22%5D%7D%7D%7D");
    free(url);
    p->free(p);
    config_unref(&c);
}

/* A public client shows its name alone, a confidential one its secret as well. */
static void test_clients(void)
{
    const struct oauth_ask person = {.account = "a@b", .refresh_token = "R"};
    const struct cloud *global = &clouds[0];
    check_request(global, "flow = device-code", &person, "&client_id=1-a");
    check_request(global, "flow = device-code client-secret = 's&t'", &person,
                  "&client_id=1-a&client_secret=s%26t");
}

extern const struct unit_test entra_tests[];
const struct unit_test entra_tests[] = {
    {"the names of clouds", test_clouds},
    {"where a person signs in", test_authorize},
    {"public and confidential clients", test_clients},
    {NULL, NULL},
};
