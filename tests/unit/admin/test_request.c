#include "request.h"

#include "../unit.h"

static void test_hosts(void)
{
    static const char *const ours[] = {"localhost",      "LocalHost:8143",    "127.0.0.1",
                                       "127.0.0.1:8143", "127.9.8.7:1",       "[::1]",
                                       "[::1]:8143",     "[0:0:0:0:0:0:0:1]", NULL};
    static const char *const others[] = {"",
                                         ":",
                                         ":80",
                                         "localhost.",
                                         "localhost.example.com",
                                         "127.0.0.1.example.com",
                                         "example.com",
                                         "128.0.0.1",
                                         "0.0.0.0",
                                         "[::]",
                                         "[::1",
                                         "[::1]x",
                                         "::1",
                                         "[127.0.0.1]",
                                         "localhost:80x",
                                         "localhost:80:80",
                                         "evil@localhost",
                                         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                                         NULL};
    for (size_t i = 0; ours[i]; i++)
        CU_ASSERT_TRUE(admin_host_is_ours(ours[i]));
    for (size_t i = 0; others[i]; i++)
        CU_ASSERT_FALSE(admin_host_is_ours(others[i]));
    CU_ASSERT_FALSE(admin_host_is_ours(NULL));
}

static void test_routes(void)
{
    enum admin_view view = ADMIN_PAGE;
    CU_ASSERT_EQUAL(admin_request("GET", "localhost", "/health", &view), 200);
    CU_ASSERT_EQUAL(view, ADMIN_HEALTH);
    CU_ASSERT_EQUAL(admin_request("HEAD", "localhost", "/metrics", &view), 200);
    CU_ASSERT_EQUAL(view, ADMIN_METRICS);
    CU_ASSERT_EQUAL(admin_request("GET", "localhost", "/", &view), 200);
    CU_ASSERT_EQUAL(view, ADMIN_PAGE);
    CU_ASSERT_EQUAL(admin_request("GET", "localhost", "/health/", &view), 404);
    CU_ASSERT_EQUAL(admin_request("GET", "localhost", "//", &view), 404);
    CU_ASSERT_EQUAL(admin_request("GET", "localhost", "", &view), 404);
    CU_ASSERT_EQUAL(admin_request("POST", "localhost", "/", &view), 405);
    CU_ASSERT_EQUAL(admin_request("get", "localhost", "/", &view), 405);
    CU_ASSERT_EQUAL(admin_request("GET", "example.com", "/", &view), 403);
    CU_ASSERT_EQUAL(admin_request("POST", "example.com", "/", &view), 403);
}

const struct unit_test request_tests[] = {
    {"hosts", test_hosts}, {"routes", test_routes}, {NULL, NULL}};
