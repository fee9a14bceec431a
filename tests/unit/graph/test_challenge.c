#include "../unit.h"

#include "challenge.h"
#include "oauth.h"
#include "sign_in_parts.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <stdlib.h>
#include <string.h>

static void test_found(void)
{
    /* {"access_token":{"acrs":{"essential":true,"value":"c1?>"}}} in either alphabet. */
    static const char *const headers[] = {
        "Bearer realm=\"\", authorization_uri=\"https://l.example/a\", "
        "error=\"insufficient_claims\", "
        "claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzE/"
        "PiJ9fX0=\"",
        "bearer CLAIMS=eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzE_"
        "PiJ9fX0 ,error=Insufficient_Claims",
        "Negotiate YII=, Basic realm=\"a, \\\"b\",Bearer error = \"insufficient_claims\" , claims "
        "= "
        "\"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzE/PiJ9fX0=\"",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct buf found = BUF_INIT(CHALLENGE_MAX);
        CU_ASSERT(challenge_find(headers[i], &found));
        CU_ASSERT_STRING_EQUAL(
            buf_str(&found),
            "{\"access_token\":{\"acrs\":{\"essential\":true,\"value\":\"c1?>\"}}}");
        buf_free(&found);
    }
}

static void test_not_found(void)
{
    static const char *const headers[] = {
        "",
        "\"",
        "Bearer",
        "Bearer error=\"invalid_token\", claims=\"e30=\"",
        "Bearer error=\"insufficient_claims\"",
        "Bearer error=\"insufficient_claims\", claims=\"\"",
        "Bearer error=\"insufficient_claims\", claims=\"*\"",
        "Bearer error=\"insufficient_claims\", claims=\"W10=\"",     /* [] */
        "Bearer error=\"insufficient_claims\", claims=\"eyJhIjox\"", /* {"a":1 */
        "Basic error=\"insufficient_claims\", claims=\"e30=\"",
        "Bearer error=\"insufficient_claims\", Basic claims=\"e30=\"",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct buf found = BUF_INIT(CHALLENGE_MAX);
        CU_ASSERT(!challenge_find(headers[i], &found));
        buf_free(&found);
    }
}

/* A JSON object of so many bytes, in a challenge. */
static bool found_of_size(size_t size)
{
    struct buf json = BUF_INIT(2 * CHALLENGE_MAX), header = BUF_INIT(4 * CHALLENGE_MAX);
    struct buf found = BUF_INIT(CHALLENGE_MAX);
    buf_puts(&json, "{\"a\":\"");
    while (json.len + 2 < size)
        buf_putc(&json, 'x');
    buf_puts(&json, "\"}");
    buf_puts(&header, "Bearer error=insufficient_claims, claims=\"");
    base64_encode(json.data, json.len, &header);
    buf_puts(&header, "\"");
    bool ok = challenge_find(buf_str(&header), &found);
    buf_free(&json);
    buf_free(&header);
    buf_free(&found);
    return ok;
}

static void test_size(void)
{
    CU_ASSERT(found_of_size(CHALLENGE_MAX));
    CU_ASSERT(!found_of_size(CHALLENGE_MAX + 1));
}

static void check_claims(const char *asked, const char *want)
{
    char *claims = challenge_claims(asked);
    CU_ASSERT_STRING_EQUAL(claims, want);
    free(claims);
}

static void test_merged(void)
{
    check_claims(NULL, "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}");
    check_claims("{}", "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}");
    check_claims("{\"access_token\":[]}", "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]}}}");
    check_claims(
        "{\"access_token\":{\"nbf\":{\"value\":\"1/2\"},\"xms_cc\":1},\"id_token\":{}}",
        "{\"access_token\":{\"nbf\":{\"value\":\"1/2\"},\"xms_cc\":{\"values\":[\"cp1\"]}},"
        "\"id_token\":{}}");
}

static bool device(const char *text, struct graph_device_code *code)
{
    struct error e = ERROR_INIT;
    return sign_in_device_decode(text, strlen(text), code, &e);
}

static void test_device(void)
{
    struct graph_device_code code;
    CU_ASSERT_FATAL(
        device("{\"user_code\":\"FJC3LXKQB\",\"device_code\":\"D.1\",\"interval\":\"7\","
               "\"verification_uri\":\"https://microsoft.com/devicelogin\","
               "\"expires_in\":900,\"message\":\"Go\\u001b[2J there\\n\"}",
               &code));
    CU_ASSERT_STRING_EQUAL(code.user_code, "FJC3LXKQB");
    CU_ASSERT_STRING_EQUAL(code.device_code, "D.1");
    CU_ASSERT_EQUAL(code.interval_ms, 7000);
    graph_device_code_free(&code);
#define WITH(rest) "{\"user_code\":\"U\",\"device_code\":\"D\"," rest "}"
#define PAGE       "\"verification_uri\":\"https://m.example/\""
    CU_ASSERT(device(WITH(PAGE ",\"expires_in\":1,\"interval\":99999"), &code));
    CU_ASSERT_EQUAL(code.interval_ms, 60000);
    graph_device_code_free(&code);
    CU_ASSERT(device(WITH(PAGE ",\"expires_in\":1"), &code));
    CU_ASSERT_EQUAL(code.interval_ms, 5000);
    graph_device_code_free(&code);
    static const char *const bad[] = {
        "",
        "[]",
        WITH(PAGE),
        WITH("\"expires_in\":1"),
        WITH("\"expires_in\":1,\"verification_uri\":\"http://m.example/\""),
        WITH("\"expires_in\":1,\"verification_uri\":\"https://u@m.example/\""),
        "{\"user_code\":\"U\",\"expires_in\":1," PAGE "}",
        "{\"user_code\":\"U\\n\",\"device_code\":\"D\",\"expires_in\":1," PAGE "}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CU_ASSERT(!device(bad[i], &code));
        CU_ASSERT_PTR_NULL(code.device_code);
    }
}

static void test_person(void)
{
    struct oauth_person p;
    oauth_person_decode("e30.eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJhQGIiLCJvaWQiOiIxIn0.sig", &p);
    CU_ASSERT_STRING_EQUAL(p.user, "a@b");
    CU_ASSERT_STRING_EQUAL(p.object_id, "1");
    oauth_person_clear(&p);
    /* {"preferred_username":"x@y","upn":"a#EXT#@b"}: a guest */
    oauth_person_decode("e30.eyJwcmVmZXJyZWRfdXNlcm5hbWUiOiJ4QHkiLCJ1cG4iOiJhI0VYVCNAYiJ9.", &p);
    CU_ASSERT_STRING_EQUAL(p.user, "a#EXT#@b");
    CU_ASSERT_PTR_NULL(p.object_id);
    oauth_person_clear(&p);
    static const char *const bad[] = {NULL, "", ".", "a.b.c", "e30.e30.", "x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        oauth_person_decode(bad[i], &p);
        CU_ASSERT_PTR_NULL(p.user);
        oauth_person_clear(&p);
    }
}

extern const struct unit_test challenge_tests[];
const struct unit_test challenge_tests[] = {
    {"challenges", test_found},
    {"what is no challenge", test_not_found},
    {"the size of a challenge", test_size},
    {"claims merged", test_merged},
    {"a device code", test_device},
    {"who signed in", test_person},
    {NULL, NULL},
};
