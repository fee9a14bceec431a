#include "../unit.h"

#include "url.h"

#include <string.h>

static void check(bool (*put)(struct buf *, const char *), const char *in, const char *want)
{
    struct buf b = BUF_INIT(1024);
    CU_ASSERT(put(&b, in));
    CU_ASSERT_STRING_EQUAL(buf_str(&b), want);
    buf_free(&b);
}

static void test_escaping(void)
{
    check(url_put_segment, "o'neil+tag@contoso.com", "o%27neil%2Btag%40contoso.com");
    check(url_put_segment, "AAMk_-=/..", "AAMk_-%3D%2F..");
    check(url_put_segment, "\xc3\xa4 %00", "%C3%A4%20%2500");
    check(url_put_query, "a($filter=id eq 'x{1}')", "a($filter=id%20eq%20'x%7B1%7D')");
    check(url_put_query, "a&b#c+d", "a%26b%23c%2Bd");
    check(url_put_form, "s3cr&t= +", "s3cr%26t%3D%20%2B");
    check(url_put_odata_string, "O'Brien", "'O''Brien'");
    struct buf small = BUF_INIT(4);
    CU_ASSERT(!url_put_segment(&small, "a@b@c"));
    CU_ASSERT(small.overflow);
    buf_free(&small);
}

static void test_shown(void)
{
    check(url_put_shown, "/messages/delta?$select=id", "/users/…/messages/delta");
    check(url_put_shown, "/messages/AAMkAGI1AAAoZCfHAAA=/$value",
          "/users/…/messages/AAMkAGI1AAAoZCfHAAA=/$value");
    check(url_put_shown, "/messages/AAMkADhmNjY3AAMkADhmNjY3AAMkADhmNjY3fgABcdef/move",
          "/users/…/messages/…NjY3fgABcdef/move");
    check(url_put_shown, "https://h.example/v1.0/users/a%40b.c/mailFolders/x/messages?$skip=1",
          "/users/…/mailFolders/x/messages");
    check(url_put_shown, "https://h.example/v1.0/users('a')/messages",
          "/users/…/v1.0/users('a')/messages");
    check(url_put_shown, "https://h.example", "/users/…");
    check(url_put_shown, "", "/users/…");
}

static bool same(const char *link, const char *origin)
{
    struct buf host = BUF_INIT(256);
    bool ok = url_same_origin(link, origin, &host);
    CU_ASSERT(host.len > 0);
    buf_free(&host);
    return ok;
}

#define ORIGIN "https://graph.microsoft.com"

static void test_own_links(void)
{
    CU_ASSERT(same(ORIGIN "/v1.0/me?$skiptoken=x", ORIGIN));
    CU_ASSERT(same(ORIGIN ":443/v1.0/", ORIGIN));
    CU_ASSERT(same("HTTPS://Graph.Microsoft.COM/v1.0/me", ORIGIN));
    CU_ASSERT(same("https://localhost:8443/x", "https://localhost:8443"));
    CU_ASSERT(same(ORIGIN "/v1.0/users('a@b.c')/messages", ORIGIN));
    CU_ASSERT(same("https://[::1]:8443/x", "https://[::1]:8443"));
}

static void test_foreign_links(void)
{
    static const char *const links[] = {
        "http://graph.microsoft.com/v1.0/me",
        "https://graph.microsoft.com:444/",
        "https://graph.microsoft.com.evil.example/v1.0",
        "https://evil.example/graph.microsoft.com",
        "https://graph.microsoft.com@evil.example/",
        "https://user@graph.microsoft.com/",
        "https://user:pw@graph.microsoft.com/",
        "https://evil.example\\@graph.microsoft.com/",
        "https://graph.microsoft.com\\.evil.example/",
        "https://graph.microsoft.com /",
        "https://graph.microsoft.com/\r\nHost: evil",
        "https://graph.microsoft.com/#@evil.example",
        "https://xgraph.microsoft.com/",
        "https://graph.microsoft.com./",
        "//graph.microsoft.com/v1.0",
        "/v1.0/me",
        "graph.microsoft.com/v1.0",
        "file:///etc/passwd",
        "https://",
        "https:/graph.microsoft.com/",
        "https:///graph.microsoft.com/",
        "https://graph.microsoft.com#",
        "https://graph%2emicrosoft.com/",
        "https://graph.microsoft.com:99999/",
        "",
    };
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        if (same(links[i], ORIGIN))
            CU_FAIL("a foreign link was taken");
    }
    CU_ASSERT(!same("http://localhost/x", "http://localhost"));
}

static void test_long_links(void)
{
    char link[URL_LINK_MAX + 2];
    memset(link, 'x', sizeof link - 1);
    memcpy(link, ORIGIN "/", strlen(ORIGIN "/"));
    link[URL_LINK_MAX + 1] = '\0';
    CU_ASSERT(!same(link, ORIGIN));
    link[URL_LINK_MAX] = '\0';
    CU_ASSERT(same(link, ORIGIN));
}

/* Where pieces of an upload may go: anywhere, but by https, and plainly. */
static void test_upload_links(void)
{
    static const char *const bad[] = {
        "",
        "http://outlook.office.com/x",
        "//outlook.office.com/x",
        "https://user@outlook.office.com/x",
        "https:///x",
        "https://outlook.office.com/x#y",
        "https://outlook.office.com/x y",
        "https://outlook.office.com\\x",
        "https://outlook.office.com/x\n",
        "file:///etc/passwd",
    };
    CU_ASSERT(url_is_https("https://outlook.office.com/api/v2.0/Users('a')/x?authtoken=eyJ0"));
    CU_ASSERT(url_is_https("https://10.0.0.1:8443/upload"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT(!url_is_https(bad[i]));
}

extern const struct unit_test url_tests[];
const struct unit_test url_tests[] = {
    {"escaping", test_escaping},
    {"what the log shows", test_shown},
    {"links to Graph", test_own_links},
    {"links to anybody else", test_foreign_links},
    {"the longest link", test_long_links},
    {"links to upload to", test_upload_links},
    {NULL, NULL},
};
