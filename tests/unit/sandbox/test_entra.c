#include "../unit.h"

#include "device.h"
#include "federation.h"
#include "fixture.h"
#include "imds.h"

#include "postern/base/alloc.h"

#include <string.h>

#define TENANT "example.onmicrosoft.com"
#define CLIENT "6731de76-14a6-49ae-97bc-6eba6914391e"
#define DEVICE "grant_type=urn:ietf:params:oauth:grant-type:device_code"

static void set_up(struct fixture *x)
{
    fixture_set_up(x, 0);
    token_issuer_set_tenant(&x->s.tokens, TENANT);
    x->s.tokens.client_id = xstrdup(CLIENT);
    x->s.tokens.client_secret = xstrdup("very-private");
    x->s.settings.device_interval_s = 3600;
}

/* The endpoint's answer becomes the fixture's. `form` gets the client id before it. */
static void post(struct fixture *x, const char *endpoint, const char *form)
{
    struct request_pair type = {.name = "Content-Type",
                                .value = "application/x-www-form-urlencoded"};
    struct request r = {.arena = arena_new(),
                        .method = "POST",
                        .origin = ORIGIN,
                        .headers = &type,
                        .header_count = 1};
    struct answer a;
    answer_init(&a);
    r.body = arena_printf(r.arena, "client_id=" CLIENT "&%s", form);
    r.body_len = strlen(r.body);
    CU_ASSERT(
        request_parse_target(&r, arena_printf(r.arena, "/" TENANT "/oauth2/v2.0/%s", endpoint)));
    CU_ASSERT(entra_is_endpoint(&r));
    entra_handle(&x->s, &r, &a);
    json_object_put(x->answer);
    x->status = a.status;
    x->answer = json_tokener_parse(buf_str(&a.body));
    answer_free(&a);
    arena_free(&r.arena);
}

static int number(const struct fixture *x)
{
    struct json_object *code = fixture_member(x, "error_codes/0");
    return code ? json_object_get_int(code) : 0;
}

static void check_refusal(struct fixture *x, const char *form, const char *error, int expected)
{
    post(x, "token", form);
    CU_ASSERT_STRING_EQUAL(fixture_string(x, "error"), error);
    CU_ASSERT_EQUAL(number(x), expected);
}

static void test_requests(void)
{
    static const struct {
        const char *form, *error;
        int number;
    } cases[] = {
        {"", "invalid_request", 900144},
        {"grant_type=", "invalid_request", 900144},
        {"grant_type=implicit", "unsupported_grant_type", 70003},
        {"grant_type=password&grant_type=password", "invalid_request", 9002313},
        {"grant_type=refresh_token", "invalid_request", 900144},
        {"grant_type=refresh_token&refresh_token=x", "invalid_grant", 70000},
        {"grant_type=refresh_token&refresh_token=x&client_secret=y", "invalid_client", 700025},
        {"grant_type=authorization_code&code=x", "invalid_request", 900144},
        {DEVICE, "invalid_request", 900144},
        {DEVICE "&device_code=x", "bad_verification_code", 70018},
        {"grant_type=password&username=" UPN "&password=x", "invalid_request", 900144},
        {"grant_type=password&username=" UPN "&password=x&scope=openid", "invalid_grant", 50126},
        {"grant_type=client_credentials&scope=https://elsewhere.example/.default", "invalid_scope",
         70011},
        {"grant_type=client_credentials&scope=https://graph.microsoft.com/.default",
         "invalid_client", 7000218},
        {"grant_type=client_credentials&scope=https://localhost:1/.default&client_secret=x",
         "invalid_client", 7000215},
        {"grant_type=client_credentials&scope=https://localhost.example/.default", "invalid_scope",
         70011},
        {"grant_type=refresh_token&refresh_token=x&claims={", "invalid_request", 90100},
        {"grant_type=refresh_token&refresh_token=x&claims={\"access_token\":{\"xms_cc\":1}}",
         "invalid_grant", 70000},
        {"grant_type=refresh_token&refresh_token=x&claims={\"access_token\":{\"nbf\":[],"
         "\"xms_cc\":{\"values\":[null,1]}}}",
         "invalid_grant", 70000},
        {"grant_type=refresh_token&refresh_token=x&claims={\"access_token\":{\"xms_cc\":"
         "{\"values\":\"cp1\"}}}",
         "invalid_grant", 70000},
        {"grant_type=refresh_token&refresh_token=x&claims=[]", "invalid_request", 90100},
        {"grant_type=refresh_token&refresh_token=x&claims={\"access_token\":1}", "invalid_request",
         90100},
    };
    struct fixture x;
    set_up(&x);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_refusal(&x, cases[i].form, cases[i].error, cases[i].number);
    fixture_tear_down(&x);
}

/* By device code, the refresh token of a fresh sign-in; caller frees. */
static char *sign_in(struct fixture *x, const char *scope)
{
    char form[1024];
    snprintf(form, sizeof form, "scope=%s", scope);
    post(x, "devicecode", form);
    CU_ASSERT_EQUAL(x->status, 200);
    snprintf(form, sizeof form, DEVICE "&device_code=%s", fixture_string(x, "device_code"));
    struct device_code *code = device_find(&x->s.device_codes, fixture_string(x, "user_code"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(code);
    check_refusal(x, form, "authorization_pending", 70016);
    check_refusal(x, form, "slow_down", 70016);
    CU_ASSERT_EQUAL(code->interval_s, 3605);
    code->state = DEVICE_SIGNED_IN;
    code->who.account = accounts_get(&x->s.tokens.accounts, x->b);
    code->who.serial = ++x->s.tokens.serial;
    post(x, "token", form);
    CU_ASSERT_EQUAL(x->status, 200);
    char *token = xstrdup(fixture_string(x, "refresh_token"));
    check_refusal(x, form, "bad_verification_code", 70018);
    return token;
}

static void test_refresh(void)
{
    struct fixture x;
    char form[4096];
    set_up(&x);
    char *token = sign_in(&x, "Mail.Read%20offline_access%20openid");
    snprintf(form, sizeof form, "grant_type=refresh_token&refresh_token=%s", token);
    post(&x, "token", form);
    CU_ASSERT_STRING_NOT_EQUAL(fixture_string(&x, "refresh_token"), token);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "scope"), "openid Mail.Read");
    CU_ASSERT_PTR_NOT_NULL(fixture_member(&x, "id_token"));
    x.s.settings.refresh_reuse = REFRESH_REVOKED;
    post(&x, "token", form);
    CU_ASSERT_EQUAL(x.status, 200);
    check_refusal(&x, form, "invalid_grant", 70000);
    free(token);
    token = sign_in(&x, "Mail.Read");
    CU_ASSERT_STRING_EQUAL(token, "");
    free(token);
    fixture_tear_down(&x);
}

static void test_access_tokens(void)
{
    struct fixture x;
    struct caller caller = {.kind = CALLER_TRUSTED};
    struct claims wanted = {.nbf_s = 0};
    set_up(&x);
    struct token_issuer *t = &x.s.tokens;
    struct account *account = accounts_get(&t->accounts, x.b);
    const struct sign_in who = {.account = account, .scopes = SCOPE_ALL, .public_client = true};
    const struct claims plain = {.cp1 = false}, aware = {.cp1 = true};
    char *one = token_issue(t, &x.s.settings, &who, SCOPE_MAIL_READ, &plain, CLIENT, 60);
    char *two = token_issue(t, &x.s.settings, &who, SCOPE_MAIL_READ, &aware, CLIENT, 60);
    char *over = token_issue(t, &x.s.settings, &who, SCOPE_MAIL_READ, &aware, CLIENT, 0);
    CU_ASSERT_EQUAL(token_check(t, one, &caller, &wanted), TOKEN_GOOD);
    CU_ASSERT(caller.kind == CALLER_USER && caller.self == x.b);
    CU_ASSERT_EQUAL(caller.scopes, SCOPE_MAIL_READ);
    CU_ASSERT_EQUAL(token_check(t, over, &caller, &wanted), TOKEN_EXPIRED);
    CU_ASSERT_EQUAL(token_check(t, "x", &caller, &wanted), TOKEN_UNKNOWN);
    account->wanted.nbf_s = 1000;
    CU_ASSERT_EQUAL(token_check(t, one, &caller, &wanted), TOKEN_GOOD);
    CU_ASSERT_EQUAL(token_check(t, two, &caller, &wanted), TOKEN_CHALLENGED);
    CU_ASSERT_EQUAL(wanted.nbf_s, 1000);
    const struct claims answered = {.cp1 = true, .nbf_s = 1000};
    char *three = token_issue(t, &x.s.settings, &who, SCOPE_MAIL_READ, &answered, CLIENT, 60);
    CU_ASSERT_EQUAL(token_check(t, three, &caller, &wanted), TOKEN_GOOD);
    account->revoked_public = ++t->serial;
    CU_ASSERT_EQUAL(token_check(t, three, &caller, &wanted), TOKEN_CHALLENGED);
    CU_ASSERT_EQUAL(token_check(t, one, &caller, &wanted), TOKEN_GOOD);
    free(one);
    free(two);
    free(over);
    free(three);
    fixture_tear_down(&x);
}

static void test_federation(void)
{
    static const struct {
        struct federated_claims claims;
        int number;
    } cases[] = {
        {{"https://i/", "s", "api://AzureADTokenExchange", 60, false}, 0},
        {{"https://i", "s", "api://AzureADTokenExchange", 60, false}, 700211},
        {{"https://i/", "S", "api://AzureADTokenExchange", 60, false}, 700213},
        {{"https://i/", "s", "api://azureadtokenexchange", 60, false}, 700212},
        {{"https://i/", "s", "api://AzureADTokenExchange", -301, false}, 700024},
        {{"https://i/", "s", "api://AzureADTokenExchange", 60, true}, 50013},
    };
    struct fixture x;
    const char *why = NULL;
    int found = 0;
    set_up(&x);
    struct arena *arena = arena_new();
    CU_ASSERT(settings_set(&x.s.settings, "federated-issuer", "https://i/", &why));
    CU_ASSERT(settings_set(&x.s.settings, "federated-subject", "s", &why));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *jwt = federation_mint(&x.s, &cases[i].claims);
        CU_ASSERT(federation_is_foreign(jwt));
        why = federation_verify(&x.s, jwt, arena, &found);
        CU_ASSERT_EQUAL(why ? found : 0, cases[i].number);
        free(jwt);
    }
    static const char *const none[] = {"",         ".",         "..",         "a.b.c",
                                       "e30.e30.", "e30.e30.=", "W10.e30.e30"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        CU_ASSERT_PTR_NOT_NULL(federation_verify(&x.s, none[i], arena, &found));
    arena_free(&arena);
    fixture_tear_down(&x);
}

/* The identity of a virtual machine that the same tenant always has, and no two alike. */
static void test_identities(void)
{
    struct fixture x;
    struct imds_identity one, two, again;
    set_up(&x);
    imds_identity(&x.s.tokens, 0, &one);
    imds_identity(&x.s.tokens, 1, &two);
    imds_identity(&x.s.tokens, 0, &again);
    CU_ASSERT_STRING_EQUAL(one.client_id, again.client_id);
    CU_ASSERT_STRING_NOT_EQUAL(one.client_id, two.client_id);
    CU_ASSERT_STRING_NOT_EQUAL(one.client_id, one.object_id);
    fixture_tear_down(&x);
}

extern const struct unit_test entra_tests[];
const struct unit_test entra_tests[] = {
    {"requests that the token endpoint refuses", test_requests},
    {"a device code, and refresh tokens", test_refresh},
    {"access tokens, challenged and revoked", test_access_tokens},
    {"assertions of another issuer", test_federation},
    {"managed identities", test_identities},
    {NULL, NULL},
};
