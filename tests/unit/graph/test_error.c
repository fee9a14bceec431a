#include "../unit.h"

#include "error.h"
#include "gate.h"
#include "oauth.h"

#include "postern/base/clock.h"

#include <string.h>

static struct error classify(int status, enum error_subject subject, const char *body)
{
    struct answer a = {.status = status, .request_id = "R", .client_request_id = "C"};
    struct error e = ERROR_INIT;
    graph_error_classify(&a, subject, body, strlen(body), &e);
    CU_ASSERT_EQUAL(e.status, status);
    CU_ASSERT_STRING_EQUAL(e.request_id, "R");
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "[request-id R, client-request-id C]"));
    return e;
}

#define CODE(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}"

static void test_table(void)
{
    static const struct {
        int status;
        const char *body;
        enum error_kind message, folder;
    } cases[] = {
        {302, "", ERROR_ANSWER, ERROR_ANSWER},
        {400, CODE("ErrorInvalidIdMalformed"), ERROR_REQUEST, ERROR_REQUEST},
        {400, CODE("syncStateNotFound"), ERROR_RESYNC, ERROR_RESYNC},
        {400, CODE("ErrorInvalidRequest"), ERROR_REQUEST, ERROR_REQUEST},
        {400, "{\"error\":{\"code\":\"BadRequest\",\"message\":\"Maximum request length x\"}}",
         ERROR_TOO_BIG, ERROR_TOO_BIG},
        {401, CODE("InvalidAuthenticationToken"), ERROR_SIGN_IN, ERROR_SIGN_IN},
        {403, CODE("ErrorAccessDenied"), ERROR_DENIED, ERROR_DENIED},
        {403, CODE("ErrorQuotaExceeded"), ERROR_QUOTA, ERROR_QUOTA},
        {403, "<html>", ERROR_DENIED, ERROR_DENIED},
        {404, CODE("ErrorItemNotFound"), ERROR_GONE, ERROR_FOLDER_GONE},
        {404, CODE("ErrorFolderNotFound"), ERROR_FOLDER_GONE, ERROR_FOLDER_GONE},
        {404, CODE("ResourceNotFound"), ERROR_MAILBOX_GONE, ERROR_MAILBOX_GONE},
        {404, CODE("MailboxNotEnabledForRESTAPI"), ERROR_MAILBOX_GONE, ERROR_MAILBOX_GONE},
        {404, CODE("ErrorNonExistentMailbox"), ERROR_MAILBOX_GONE, ERROR_MAILBOX_GONE},
        {404, "", ERROR_GONE, ERROR_FOLDER_GONE},
        {409, CODE("ErrorIrresolvableConflict"), ERROR_CONFLICT, ERROR_CONFLICT},
        {410, CODE("resyncRequired"), ERROR_RESYNC, ERROR_RESYNC},
        {410, "", ERROR_RESYNC, ERROR_RESYNC},
        {412, "", ERROR_CONFLICT, ERROR_CONFLICT},
        {413, "", ERROR_TOO_BIG, ERROR_TOO_BIG},
        {423, "", ERROR_TEMPORARY, ERROR_TEMPORARY},
        {429, CODE("ApplicationThrottled"), ERROR_THROTTLED, ERROR_THROTTLED},
        {429, "", ERROR_THROTTLED, ERROR_THROTTLED},
        {500, "", ERROR_TEMPORARY, ERROR_TEMPORARY},
        {501, "", ERROR_REQUEST, ERROR_REQUEST},
        {502, "<html>Bad Gateway</html>", ERROR_TEMPORARY, ERROR_TEMPORARY},
        {503, "", ERROR_TEMPORARY, ERROR_TEMPORARY},
        {504, "{\"error\":", ERROR_TEMPORARY, ERROR_TEMPORARY},
        {507, "", ERROR_QUOTA, ERROR_QUOTA},
        {509, "", ERROR_TEMPORARY, ERROR_TEMPORARY},
        {405, "", ERROR_REQUEST, ERROR_REQUEST},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error e = classify(cases[i].status, SUBJECT_MESSAGE, cases[i].body);
        CU_ASSERT_EQUAL(e.kind, cases[i].message);
        e = classify(cases[i].status, SUBJECT_FOLDER, cases[i].body);
        CU_ASSERT_EQUAL(e.kind, cases[i].folder);
    }
}

static void test_odd_bodies(void)
{
    static const char *const bodies[] = {"[]",
                                         "{\"error\":null}",
                                         "{\"error\":\"x\"}",
                                         "{\"error\":{\"code\":7}}",
                                         "{\"error\":[]}",
                                         "null",
                                         "{\"error\":{\"code\":\"A\",\"innerError\":3}}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        CU_ASSERT_EQUAL(classify(429, SUBJECT_FOLDER, bodies[i]).kind, ERROR_THROTTLED);
    struct error e = classify(403, SUBJECT_FOLDER, CODE("a\\r\\nb"));
    CU_ASSERT_PTR_NULL(strpbrk(e.text, "\r\n"));
    CU_ASSERT_STRING_EQUAL(e.code, "a??b");
}

static void test_types(void)
{
    struct answer a = {.content_type = "Application/JSON;odata=x"};
    CU_ASSERT(answer_is_json(&a));
    CU_ASSERT(!gate_type(&a));
    a = (struct answer){.content_type = "application/problem+json"};
    CU_ASSERT(answer_is_json(&a));
    a = (struct answer){.content_type = "text/html; charset=utf-8"};
    CU_ASSERT(!answer_is_json(&a));
    CU_ASSERT(!gate_type(&a));
    a = (struct answer){.content_type = "text/plain"};
    CU_ASSERT(gate_type(&a));
    a = (struct answer){.content_type = ""};
    CU_ASSERT(gate_type(&a));
    CU_ASSERT(gate_encoding(&a));
    CU_ASSERT(!answer_is_json(&a));
    a = (struct answer){.encoding = "Identity"};
    CU_ASSERT(gate_encoding(&a));
    a = (struct answer){.encoding = "gzip"};
    CU_ASSERT(!gate_encoding(&a));
}

static enum gate look(const char *s, bool end)
{
    return gate_look(s, strlen(s), end);
}

static void test_gate(void)
{
    CU_ASSERT_EQUAL(look("", false), GATE_HOLD);
    CU_ASSERT_EQUAL(look("", true), GATE_PASS);
    CU_ASSERT_EQUAL(look("From: a", false), GATE_PASS);
    CU_ASSERT_EQUAL(look("<h", false), GATE_HOLD);
    CU_ASSERT_EQUAL(look("<h", true), GATE_PASS);
    CU_ASSERT_EQUAL(look("<HtMl>", false), GATE_REFUSE);
    CU_ASSERT_EQUAL(look("\r\n\t <!DocType html", false), GATE_REFUSE);
    CU_ASSERT_EQUAL(look("<!doctype xml>", false), GATE_PASS);
    CU_ASSERT_EQUAL(look("\xef\xbb\xbf<html", false), GATE_REFUSE);
    CU_ASSERT_EQUAL(look("\xef\xbb", false), GATE_HOLD);
    CU_ASSERT_EQUAL(look("{\"error\":{", false), GATE_REFUSE);
    CU_ASSERT_EQUAL(look("{ \n \"ERROR\"", false), GATE_REFUSE);
    CU_ASSERT_EQUAL(look("{\"subject\"", false), GATE_PASS);
    CU_ASSERT_EQUAL(look("{", false), GATE_HOLD);
    CU_ASSERT_EQUAL(look("<style>", false), GATE_PASS);
    char blank[GATE_HEAD_MAX];
    memset(blank, ' ', sizeof blank);
    CU_ASSERT_EQUAL(gate_look(blank, sizeof blank - 1, false), GATE_HOLD);
    CU_ASSERT_EQUAL(gate_look(blank, sizeof blank, false), GATE_PASS);
}

static void test_aadsts(void)
{
    static const int numbers[] = {7000215, 7000222, 700016, 700027, 90002, 53003, 65001, 50126};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct aadsts *a = aadsts_find(numbers[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(a);
        CU_ASSERT_EQUAL(a->kind, ERROR_SIGN_IN);
        CU_ASSERT(strlen(a->advice) > 10);
    }
    CU_ASSERT_EQUAL(aadsts_find(90033)->kind, ERROR_TEMPORARY);
    CU_ASSERT_EQUAL(aadsts_find(90055)->kind, ERROR_THROTTLED);
    CU_ASSERT_PTR_NULL(aadsts_find(0));
    CU_ASSERT_PTR_NULL(aadsts_find(1));
}

static enum error_kind token(int status, const char *body, struct error *e, int64_t *lifetime)
{
    struct answer a = {.status = status};
    struct oauth_grant t;
    error_clear(e);
    bool ok = oauth_grant_decode(&a, body, strlen(body), &t, e);
    *lifetime = t.lifetime_ms;
    CU_ASSERT_EQUAL(ok, t.access != NULL);
    CU_ASSERT_EQUAL(ok, e->kind == ERROR_NONE);
    oauth_grant_clear(&t);
    return e->kind;
}

static void test_tokens(void)
{
    struct error e;
    int64_t life;
    CU_ASSERT_EQUAL(token(200, "{\"access_token\":\"a.b\",\"expires_in\":3599}", &e, &life), 0);
    CU_ASSERT_EQUAL(life, 3599000);
    CU_ASSERT_EQUAL(token(200, "{\"access_token\":\"a\",\"expires_in\":\"60\"}", &e, &life), 0);
    CU_ASSERT_EQUAL(life, 60000);
    CU_ASSERT_EQUAL(token(200, "{\"access_token\":\"a\",\"expires_in\":60.0}", &e, &life), 0);
    CU_ASSERT_EQUAL(life, 60000);
    CU_ASSERT_EQUAL(token(200, "{\"access_token\":\"a\"}", &e, &life), 0);
    CU_ASSERT_EQUAL(life, OAUTH_LIFETIME_UNTOLD_MS);
    char text[80];
    long long end = clock_wall_ms() / 1000 + 600;
    snprintf(text, sizeof text, "{\"access_token\":\"a\",\"expires_on\":\"%lld\"}", end);
    CU_ASSERT_EQUAL(token(200, text, &e, &life), 0);
    CU_ASSERT(life > 300 * 1000 && life <= 600 * 1000);
    token(200, "{\"access_token\":\"a\",\"expires_on\":1506484173}", &e, &life);
    CU_ASSERT_EQUAL(life, OAUTH_LIFETIME_MIN_MS);
    token(200, "{\"access_token\":\"a\",\"expires_in\":-3}", &e, &life);
    CU_ASSERT_EQUAL(life, OAUTH_LIFETIME_MIN_MS);
    token(200, "{\"access_token\":\"a\",\"expires_in\":99999999999}", &e, &life);
    CU_ASSERT_EQUAL(life, OAUTH_LIFETIME_MAX_MS);
    static const char *const bad[] = {
        "{\"access_token\":\"a\\r\\nX: y\",\"expires_in\":1}",
        "{\"access_token\":\"\",\"expires_in\":1}",
        "{\"access_token\":7,\"expires_in\":1}",
        "{\"access_token\":\"a\",\"expires_in\":1e300}",
        "{\"access_token\":\"a\",\"expires_in\":[]}",
        "{\"access_token\":\"a\",\"expires_in\":1,\"token_type\":\"mac\"}",
        "{}",
        "<html>",
        "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(token(200, bad[i], &e, &life), ERROR_ANSWER);
    CU_ASSERT_EQUAL(token(502, "<html>", &e, &life), ERROR_TEMPORARY);
    CU_ASSERT_EQUAL(token(429, "", &e, &life), ERROR_THROTTLED);
    CU_ASSERT_EQUAL(token(302, "", &e, &life), ERROR_ANSWER);
    CU_ASSERT_EQUAL(token(401,
                          "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000222: "
                          "expired.\\r\\nTrace ID: x\"}",
                          &e, &life),
                    ERROR_SIGN_IN);
    CU_ASSERT_STRING_EQUAL(e.code, "AADSTS7000222");
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "client secret has expired"));
    CU_ASSERT_PTR_NULL(strstr(e.text, "Trace ID"));
    CU_ASSERT_EQUAL(token(400,
                          "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS50173: "
                          "revoked. Trace ID: x Correlation ID: y\"}",
                          &e, &life),
                    ERROR_SIGN_IN);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.text, "(AADSTS50173: revoked.)"));
    CU_ASSERT_EQUAL(token(400, "{\"error\":\"x\",\"error_codes\":[90033]}", &e, &life),
                    ERROR_TEMPORARY);
}

extern const struct unit_test error_tests[];
const struct unit_test error_tests[] = {
    {"statuses and codes", test_table},
    {"odd error bodies", test_odd_bodies},
    {"content types", test_types},
    {"the gate before a message", test_gate},
    {"AADSTS numbers", test_aadsts},
    {"answers of the token endpoint", test_tokens},
    {NULL, NULL},
};
