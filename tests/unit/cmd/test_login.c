/* Whose sign-in is meant, and what the browser is told. */
#include "../unit.h"
#include "sign_in/login_target.h"
#include "sign_in/redirect.h"

#include <string.h>

#define HASH                                                                                       \
    "$6$rounds=1000$postern$"                                                                      \
    "mZ0638u2aMh3VxDx/.Fcv.a4hwqY/Lb0o3IpLJyg8FZSt3CQv6MPB8MmdjxzVKWXPrJ1V2t99q7au6MFgBZDY/"
#define TENANT(name, rest)                                                                         \
    "tenant \"" name "\" { tenant-id = 'a.example' client-id = 'a-b' " rest " }\n"
#define LOGIN(name, rest) "login \"" name "\" { password = '" HASH "' " rest " }\n"

static const char text[] = TENANT("one", "flow = device-code")
    TENANT("two", "flow = authorization-code") TENANT("app", "client-secret = 'x'") TENANT(
        "svc",
        "flow = device-code account = 'svc@a.example'") "listener \"l\" { protocol = imap address "
                                                        "= '127.0.0.1:1143' }\n" LOGIN(
                                                            "own",
                                                            "tenant = "
                                                            "one "
                                                            "mailbox = "
                                                            "'alice@a."
                                                            "example'") LOGIN("shared",
                                                                              "tenant = one "
                                                                              "mailbox = "
                                                                              "'support@a.example' "
                                                                              "account = "
                                                                              "'Alice@a.example'")
                                                            LOGIN("support@a.example",
                                                                  "tenant = one mailbox = "
                                                                  "'x@a.example' account = "
                                                                  "'carol@a.example'")
                                                                LOGIN("same", "tenant = two "
                                                                              "mailbox = "
                                                                              "'alice@a."
                                                                              "example'")
                                                                    LOGIN("daemon",
                                                                          "tenant = app mailbox = "
                                                                          "'daemon@a.example'")
                                                                        LOGIN(
                                                                            "many",
                                                                            "tenant = svc mailbox "
                                                                            "= 'm1@a.example' "
                                                                            "mailboxes = { "
                                                                            "'m2@a.example' }")
                                                                            LOGIN("both",
                                                                                  "tenant = svc "
                                                                                  "mailbox = "
                                                                                  "'m3@a.example'")
                                                                                LOGIN(
                                                                                    "else",
                                                                                    "tenant = svc "
                                                                                    "mailbox = "
                                                                                    "'m3@a.example'"
                                                                                    " account = "
                                                                                    "'dave@a."
                                                                                    "example'");

static void print(void *arg, const char *file, int line, const char *fault)
{
    (void)arg;
    printf("%s:%d: %s\n", file, line, fault);
}

static struct config *read_config(void)
{
    struct config *c = config_parse("test", text, print, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    return c;
}

/* "TENANT/ACCOUNT", or the error. */
static const char *find(const struct config *c, const char *name, const char *tenant)
{
    static char out[ERROR_TEXT_MAX];
    struct login_target t;
    struct error e = ERROR_INIT;
    if (login_target_find(c, name, tenant, &t, &e))
        snprintf(out, sizeof out, "%s/%s", t.tenant->name, t.account);
    else
        snprintf(out, sizeof out, "%s", e.text);
    return out;
}

static void test_found(void)
{
    struct config *c = read_config();
    CU_ASSERT_STRING_EQUAL(find(c, "own", NULL), "one/alice@a.example");
    CU_ASSERT_STRING_EQUAL(find(c, "same", NULL), "two/alice@a.example");
    CU_ASSERT_STRING_EQUAL(find(c, "ALICE@a.example", "two"), "two/alice@a.example");
    CU_ASSERT_STRING_EQUAL(find(c, "shared", NULL), "one/Alice@a.example");
    /* A mailbox goes before a login of that name. */
    CU_ASSERT_STRING_EQUAL(find(c, "support@a.example", NULL), "one/Alice@a.example");
    CU_ASSERT_STRING_EQUAL(find(c, "x@a.example", NULL), "one/carol@a.example");
    CU_ASSERT_STRING_EQUAL(find(c, "m2@a.example", NULL), "svc/svc@a.example");
    CU_ASSERT_STRING_EQUAL(find(c, "svc@a.example", NULL), "svc/svc@a.example");
    config_unref(&c);
}

static void test_not_found(void)
{
    struct config *c = read_config();
    CU_ASSERT_PTR_NOT_NULL(strstr(find(c, "alice@a.example", NULL), "--tenant NAME"));
    CU_ASSERT_PTR_NOT_NULL(strstr(find(c, "m3@a.example", NULL), "name the account instead"));
    CU_ASSERT_PTR_NOT_NULL(strstr(find(c, "daemon", NULL), "by itself"));
    CU_ASSERT_PTR_NOT_NULL(strstr(find(c, "nobody", NULL), "has no login for nobody;"));
    CU_ASSERT_PTR_NOT_NULL(strstr(find(c, "own", "two"), "in tenant \"two\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(find(c, "", NULL), "has no login for"));
    config_unref(&c);
}

static void count(void *arg, const struct login_target *target, const struct config_login *login)
{
    unsigned *n = arg;
    CU_ASSERT(login_target_needed(target->tenant) && login->tenant == target->tenant);
    ++*n;
}

static void test_each(void)
{
    struct config *c = read_config();
    unsigned n = 0;
    login_target_each(c, count, &n);
    CU_ASSERT_EQUAL(n, 5); /* alice and carol of one, alice of two, svc and dave of svc */
    config_unref(&c);
}

static void test_answers(void)
{
    CU_ASSERT_EQUAL(redirect_classify("s", "s", "c", NULL), REDIRECT_CODE);
    CU_ASSERT_EQUAL(redirect_classify("s", "s", NULL, "access_denied"), REDIRECT_ERROR);
    CU_ASSERT_EQUAL(redirect_classify("s", "s", "c", "access_denied"), REDIRECT_ERROR);
    CU_ASSERT_EQUAL(redirect_classify("s", "s", "c", ""), REDIRECT_CODE);
    CU_ASSERT_EQUAL(redirect_classify("s", "s", "", NULL), REDIRECT_NO_ANSWER);
    CU_ASSERT_EQUAL(redirect_classify("s", "s", NULL, NULL), REDIRECT_NO_ANSWER);
    CU_ASSERT_EQUAL(redirect_classify("s", NULL, "c", NULL), REDIRECT_NO_ANSWER);
    CU_ASSERT_EQUAL(redirect_classify("s", "", "c", NULL), REDIRECT_NO_ANSWER);
    CU_ASSERT_EQUAL(redirect_classify("s", "S", "c", NULL), REDIRECT_NO_ANSWER);
    CU_ASSERT_EQUAL(redirect_classify("s", "ss", NULL, "e"), REDIRECT_NO_ANSWER);
}

static void test_page(void)
{
    struct buf page = BUF_INIT(8192);
    redirect_page(&page, "0a1b", "<b>\"T'", "a&b</p><script>alert(1)</script>\xc3\xa9");
    CU_ASSERT_PTR_NOT_NULL(strstr(page.data, "<h1>&lt;b&gt;&quot;T&#39;</h1>"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page.data, "a&amp;b&lt;/p&gt;&lt;script&gt;alert(1)"));
    CU_ASSERT_PTR_NULL(strstr(page.data, "<script"));
    CU_ASSERT_PTR_NOT_NULL(strstr(page.data, "<style nonce=\"0a1b\">"));
    /* Nothing is asked for elsewhere. */
    CU_ASSERT_PTR_NULL(strstr(page.data, "src="));
    CU_ASSERT_PTR_NULL(strstr(page.data, "href="));
    CU_ASSERT_PTR_NULL(strstr(page.data, "url("));
    buf_free(&page);
}

extern const struct unit_test login_tests[];
const struct unit_test login_tests[] = {
    {"accounts, mailboxes and logins, in this order", test_found},
    {"what is not found, or several times", test_not_found},
    {"each sign-in that is needed, once", test_each},
    {"what the browser brings", test_answers},
    {"a page of its own, everything escaped", test_page},
    {NULL, NULL},
};
