#include "../unit.h"

#include "fixture.h"
#include "permission.h"

#include <string.h>

static void test_names(void)
{
    scope_set set = 0;
    CU_ASSERT(scope_parse("", &set) && set == 0);
    CU_ASSERT(scope_parse("  mail.read,USER.READ\nopenid ", &set));
    CU_ASSERT_EQUAL(set, SCOPE_MAIL_READ | SCOPE_USER_READ | SCOPE_OPENID);
    CU_ASSERT_FALSE(scope_parse("Mail.Read Mail.Rea", &set));
    CU_ASSERT_FALSE(scope_parse("Mail.Read\tMail.ReadX", &set));
    CU_ASSERT_EQUAL(set, SCOPE_MAIL_READ | SCOPE_USER_READ | SCOPE_OPENID);
    CU_ASSERT_EQUAL(scope_by_name("Mail.ReadWrite.Shared", 9), SCOPE_MAIL_READ);
    CU_ASSERT_EQUAL(scope_by_name("", 0), 0);
}

static void test_every_scope_has_a_name(void)
{
    for (scope_set one = 1; one < SCOPE_ALL; one <<= 1) {
        struct buf text = BUF_INIT(1024);
        scope_set back = 0;
        scope_print(one, &text);
        CU_ASSERT(text.len > 0 && !strchr(buf_str(&text), ' '));
        CU_ASSERT(scope_parse(buf_str(&text), &back) && back == one);
        buf_free(&text);
    }
    struct buf all = BUF_INIT(4096);
    scope_set back = 0;
    scope_print(SCOPE_ALL, &all);
    CU_ASSERT(scope_parse(buf_str(&all), &back) && back == SCOPE_ALL);
    buf_free(&all);
}

/* What a request to a mailbox is answered: 0, or the status that refuses it. */
static int verdict(struct fixture *x, const struct caller *who, const char *method,
                   const char *target)
{
    struct request r = {
        .arena = arena_new(), .method = method, .origin = ORIGIN, .body = "", .caller = *who};
    struct answer a;
    answer_init(&a);
    CU_ASSERT(request_parse_target(&r, target));
    struct call c = {.s = &x->s, .r = &r, .a = &a, .b = graph_mailbox_of(&x->s, &r)};
    c.path = r.segments + 3;
    c.depth = r.segment_count - 3;
    bool ok = permission_mailbox(&c);
    int status = ok ? 0 : a.status;
    answer_free(&a);
    arena_free(&r.arena);
    return status;
}

#define OWN     "/v1.0/users/alerts@example.com"
#define ANOTHER "/v1.0/users/bob@example.com"

static void test_users(void)
{
    static const struct {
        scope_set scopes;
        const char *method, *target;
        int status;
    } cases[] = {
        {SCOPE_MAIL_READ, "GET", OWN "/messages", 0},
        {SCOPE_MAIL_READ, "POST", OWN "/messages", 403},
        {SCOPE_MAIL_READ, "DELETE", OWN "/messages/x", 403},
        {SCOPE_MAIL_READ_WRITE, "PATCH", OWN "/messages/x", 0},
        {SCOPE_MAIL_READ_WRITE, "GET", OWN "/messages", 0},
        {SCOPE_MAIL_READ_BASIC, "GET", OWN "/messages", 0},
        {SCOPE_MAIL_READ_BASIC, "GET", OWN "/messages/x/$value", 403},
        {SCOPE_MAIL_READ_BASIC, "GET", OWN "/messages/x/attachments", 403},
        {SCOPE_MAIL_READ_BASIC, "GET", OWN "/messages?$expand=x", 403},
        {SCOPE_USER_READ | SCOPE_MAIL_SEND, "GET", OWN "/messages", 403},
        {SCOPE_MAIL_READ_SHARED, "GET", OWN "/messages", 0},
        {SCOPE_MAIL_READ_WRITE, "GET", ANOTHER "/messages", 403},
        {SCOPE_MAIL_READ_SHARED, "GET", ANOTHER "/messages", 0},
        {SCOPE_MAIL_READ_SHARED, "POST", ANOTHER "/messages", 403},
        {SCOPE_MAIL_READ_WRITE_SHARED, "POST", ANOTHER "/messages", 0},
    };
    struct fixture x;
    const char *why = NULL;
    fixture_set_up(&x, 0);
    struct mailbox *bob = model_add_mailbox(&x.s.model, "bob@example.com");
    CU_ASSERT(settings_set(&x.s.settings, "shared_mailboxes",
                           "a@b=c@d, Alerts@example.com=bob@example.com", &why));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct caller who = {.kind = CALLER_USER, .scopes = cases[i].scopes, .self = x.b};
        CU_ASSERT_EQUAL(verdict(&x, &who, cases[i].method, cases[i].target), cases[i].status);
    }
    const struct caller other = {.kind = CALLER_USER, .scopes = SCOPE_ALL, .self = bob};
    CU_ASSERT_EQUAL(verdict(&x, &other, "GET", OWN "/messages"), 403);
    fixture_tear_down(&x);
}

static void test_application(void)
{
    struct fixture x;
    const char *why = NULL;
    struct caller who = {.kind = CALLER_APP, .scopes = SCOPE_MAIL_READ_WRITE};
    fixture_set_up(&x, 0);
    model_add_mailbox(&x.s.model, "bob@example.com");
    CU_ASSERT_EQUAL(verdict(&x, &who, "POST", ANOTHER "/messages"), 0);
    CU_ASSERT(settings_set(&x.s.settings, "app-mailboxes", "alerts@example.com", &why));
    CU_ASSERT_EQUAL(verdict(&x, &who, "GET", OWN "/messages"), 0);
    CU_ASSERT_EQUAL(verdict(&x, &who, "GET", ANOTHER "/messages"), 403);
    who.scopes = SCOPE_MAIL_READ_WRITE_SHARED;
    CU_ASSERT_EQUAL(verdict(&x, &who, "GET", OWN "/messages"), 403);
    fixture_tear_down(&x);
}

static void test_settings(void)
{
    static char long_text[SETTING_TEXT_MAX + 1];
    struct settings s;
    const char *why = NULL;
    settings_init(&s);
    memset(long_text, 'a', SETTING_TEXT_MAX);
    CU_ASSERT_FALSE(settings_set(&s, "sign-in-as", long_text, &why));
    long_text[SETTING_TEXT_MAX - 1] = '\0';
    CU_ASSERT(settings_set(&s, "sign-in-as", long_text, &why));
    CU_ASSERT_FALSE(settings_set(&s, "app-roles", "Mail.Nonsense", &why));
    CU_ASSERT_FALSE(settings_set(&s, "refresh-reuse", "sometimes", &why));
    CU_ASSERT_FALSE(settings_app_is_scoped(&s));
    CU_ASSERT(settings_set(&s, "app-mailboxes", "a@b", &why) && settings_app_is_scoped(&s));
    CU_ASSERT(settings_set(&s, "app-scope", "policy", &why) && !settings_app_is_scoped(&s));
}

extern const struct unit_test caller_tests[];
const struct unit_test caller_tests[] = {
    {"names of permissions", test_names},
    {"every permission has a name", test_every_scope_has_a_name},
    {"what a user's token may do", test_users},
    {"what the application's token may do", test_application},
    {"settings of permissions", test_settings},
    {NULL, NULL},
};
