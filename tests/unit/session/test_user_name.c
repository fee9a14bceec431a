#include "../unit.h"

#include "door.h"
#include "user_name.h"

#include <stdlib.h>
#include <string.h>

static const char text[] = "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN(
    "alice", "mailboxes = { \"Shared@contoso.com\", \"team@contoso.com\", \"team@fabrikam.com\", "
             "\"alerts@contoso.com\" }")
    DOOR_LOGIN("bob@contoso.com", "mailboxes = { \"shared@contoso.com\" }")
        DOOR_LOGIN("corp\\\\carol", "") DOOR_LOGIN("corp", "")
            DOOR_LOGIN("a/b", "mailboxes = { \"shared@contoso.com\" }");

/* "LOGIN MAILBOX", or "nobody". */
static const char *find(const char *name)
{
    static char result[256];
    struct config *c = door_config(text);
    const char *mailbox = NULL;
    const struct config_login *l = user_name_find(c, name, &mailbox);
    if (l)
        snprintf(result, sizeof result, "%s %s", l->name, mailbox);
    else
        snprintf(result, sizeof result, "nobody");
    config_unref(&c);
    return result;
}

static void test_exact(void)
{
    CU_ASSERT_STRING_EQUAL(find("alice"), "alice alerts@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("bob@contoso.com"), "bob@contoso.com alerts@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("corp\\carol"), "corp\\carol alerts@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("a/b"), "a/b alerts@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("Alice"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("eve"), "nobody");
    CU_ASSERT_STRING_EQUAL(find(""), "nobody");
}

static void test_mailboxes(void)
{
    CU_ASSERT_STRING_EQUAL(find("alice/shared@contoso.com"), "alice Shared@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("alice/SHARED@CONTOSO.COM"), "alice Shared@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("alice\\shared@contoso.com"), "alice Shared@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("alice/alerts@contoso.com"), "alice alerts@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("bob@contoso.com/shared@contoso.com"),
                           "bob@contoso.com shared@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("DOMAIN\\alice\\shared@contoso.com"), "alice Shared@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("DOMAIN\\alice\\shared"), "alice Shared@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("contoso.com/alice/shared"), "alice Shared@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("a/b/shared"), "a/b shared@contoso.com");
    CU_ASSERT_STRING_EQUAL(find("alice/team@fabrikam.com"), "alice team@fabrikam.com");
    CU_ASSERT_STRING_EQUAL(find("alice/alerts"), "alice alerts@contoso.com"); /* listed twice */
}

static void test_refused(void)
{
    CU_ASSERT_STRING_EQUAL(find("alice/other@contoso.com"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("alice/team"), "nobody"); /* two begin so */
    CU_ASSERT_STRING_EQUAL(find("alice/shar"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("alice/"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("alice/@contoso.com"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("/shared@contoso.com"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("alice/x/shared@contoso.com"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("DOMAIN\\alice"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("corp/shared@contoso.com"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("/"), "nobody");
    CU_ASSERT_STRING_EQUAL(find("\\\\\\"), "nobody");
}

static bool has_key(const char *name, const char *expected)
{
    char *key = user_name_key(name);
    bool same = strcmp(key, expected) == 0;
    free(key);
    return same;
}

/* Whatever mailbox or domain is named, guesses at one login are counted together. */
static void test_keys(void)
{
    CU_ASSERT_TRUE(has_key("Alice", "alice"));
    CU_ASSERT_TRUE(has_key("alice/shared@contoso.com", "alice"));
    CU_ASSERT_TRUE(has_key("alice\\SHARED@contoso.com", "alice"));
    CU_ASSERT_TRUE(has_key("D1\\alice\\shared", "alice"));
    CU_ASSERT_TRUE(has_key("D2\\alice\\shared@contoso.com", "alice"));
    CU_ASSERT_TRUE(has_key("bob@contoso.com/shared@contoso.com", "bob@contoso.com"));
    CU_ASSERT_TRUE(has_key("corp\\carol", "corp\\carol"));
    CU_ASSERT_TRUE(has_key("", ""));
    CU_ASSERT_TRUE(has_key("/", "/"));
}

static void test_mailbox(void)
{
    CU_ASSERT_STRING_EQUAL(user_name_mailbox("a@b.c"), "a@b.c");
    CU_ASSERT_STRING_EQUAL(user_name_mailbox("a@b.c/d@e.f"), "d@e.f");
    CU_ASSERT_STRING_EQUAL(user_name_mailbox("D\\a\\b"), "b");
}

const struct unit_test user_name_tests[] = {
    {"exact names", test_exact}, {"other mailboxes", test_mailboxes},
    {"refused", test_refused},   {"what guesses are counted under", test_keys},
    {"of tokens", test_mailbox}, {NULL, NULL},
};
