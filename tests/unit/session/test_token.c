#include "../unit.h"

#include "door.h"
#include "fake_bearer.h"
#include "token.h"

#include <string.h>

#define TENANT(name, id, settings)                                                                 \
    "tenant \"" name "\" { tenant-id = \"" id "\" client-secret = 'x' "                            \
    "client-id = \"6731de76-14a6-49ae-97bc-6eba6914391e\" " settings " }\n"
#define ALLOWED "allow-client-tokens = yes"
#define LOGIN(name, mailbox, tenant, settings)                                                     \
    "login \"" name "\" { mailbox = \"" mailbox "\" tenant = " tenant " password = '" DOOR_HASH    \
    "' " settings " }\n"
#define GUID       "11111111-2222-3333-4444-555555555555"
#define OTHER_GUID "11111111-2222-3333-4444-555555555556"

/* The name of the tenant that a token for this mailbox is of, "none" if there is none. `login`: the
 * one that was found, NULL: none. */
static const char *tenant_of(const char *text, const char *login, const char *mailbox)
{
    static char name[64];
    struct config *c = door_config(text);
    const struct config_login *l = login ? config_find_login(c, login) : NULL;
    const struct config_tenant *t = token_tenant(c, l, mailbox);
    snprintf(name, sizeof name, "%s", t ? t->name : "none");
    config_unref(&c);
    return name;
}

static void test_tenant(void)
{
    static const char two[] = "state-dir = \"/nonexistent\"\n" TENANT("no", "no.com", "")
        TENANT("one", GUID, ALLOWED) TENANT("other", OTHER_GUID, ALLOWED)
            DOOR_LISTENER LOGIN("a", "a@fabrikam.com", "one", "")
                LOGIN("c", "c@contoso.com", "other", "") LOGIN("b", "b@no.com", "no", "");
    CU_ASSERT_STRING_EQUAL(tenant_of(two, NULL, "x@Contoso.com"), "other");
    CU_ASSERT_STRING_EQUAL(tenant_of(two, NULL, "x@FABRIKAM.com"), "one");
    CU_ASSERT_STRING_EQUAL(tenant_of(two, NULL, "x@no.com"), "none");
    CU_ASSERT_STRING_EQUAL(tenant_of(two, NULL, "x@elsewhere.com"), "none");
    CU_ASSERT_STRING_EQUAL(tenant_of(two, NULL, ""), "none");
    CU_ASSERT_STRING_EQUAL(tenant_of(two, "a", "x@contoso.com"), "one");
    CU_ASSERT_STRING_EQUAL(tenant_of(two, "b", "x@contoso.com"), "none");
    static const char one[] = "state-dir = \"/nonexistent\"\n" TENANT("no", "no.com", "")
        TENANT("only", GUID, ALLOWED) DOOR_LISTENER LOGIN("b", "b@no.com", "no", "");
    CU_ASSERT_STRING_EQUAL(tenant_of(one, NULL, "x@elsewhere.com"), "only");
    CU_ASSERT_STRING_EQUAL(tenant_of(one, NULL, ""), "only");
}

static const char config[] = "state-dir = \"/nonexistent\"\n" TENANT("contoso", GUID, ALLOWED)
    DOOR_LISTENER LOGIN("script", FAKE_SHARED, "contoso", "max-connections = 1 folder = \"Sent\"")
        LOGIN("imap", FAKE_USER, "contoso", "protocols = { imap }");

/* One attempt with a token from an address, by a listener with `networks` of its own or without. */
static enum session_login bring(struct door *d, const char *name, const char *token,
                                struct session_ticket **ticket)
{
    const struct session_credentials given = {
        .mechanism = "XOAUTH2", .proof = SESSION_PROOF_TOKEN, .name = name, .secret = token};
    return session_login_check(d->conn, PROTOCOL_POP3, &given, ticket);
}

static void test_ticket(void)
{
    static const struct door_options options = {.config = config};
    struct session_ticket *ticket = NULL, *second = NULL;
    struct door d;
    door_open(&d, &options);
    CU_ASSERT_EQUAL(bring(&d, FAKE_USER, FAKE_TOKEN, &ticket), SESSION_LOGIN_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ticket);
    const struct principal *who = session_ticket_principal(ticket);
    CU_ASSERT_STRING_EQUAL(who->tenant, "contoso");
    CU_ASSERT_STRING_EQUAL(who->subject, FAKE_SUBJECT);
    CU_ASSERT_STRING_EQUAL(who->bearer, FAKE_TOKEN);
    CU_ASSERT_PTR_NULL(who->account);
    CU_ASSERT_STRING_EQUAL(session_ticket_mailbox(ticket), FAKE_USER);
    CU_ASSERT_STRING_EQUAL(session_ticket_login(ticket)->name, FAKE_USER);
    CU_ASSERT_STRING_EQUAL(session_ticket_login(ticket)->folder, "INBOX");
    session_ticket_release(&ticket);
    /* A login of this name is its policy, its mailbox what is opened. */
    CU_ASSERT_EQUAL(bring(&d, "script", FAKE_TOKEN, &ticket), SESSION_LOGIN_OK);
    CU_ASSERT_STRING_EQUAL(session_ticket_mailbox(ticket), FAKE_SHARED);
    CU_ASSERT_STRING_EQUAL(session_ticket_login(ticket)->folder, "Sent");
    CU_ASSERT_EQUAL(bring(&d, "script", FAKE_TOKEN, &second), SESSION_LOGIN_BUSY);
    session_ticket_release(&ticket);
    CU_ASSERT_EQUAL(bring(&d, "", FAKE_TOKEN, &ticket), SESSION_LOGIN_OK);
    CU_ASSERT_STRING_EQUAL(session_ticket_mailbox(ticket), FAKE_USER);
    session_ticket_release(&ticket);
    door_close(&d);
}

/* The section that bears the owner's name holds, however the name is written; what is opened must
 * be a mailbox of it. */
static void test_section(void)
{
    static const char *const names[] = {"", "ALICE@contoso.com", ("x/" FAKE_USER)};
    static const char text[] = "state-dir = \"/nonexistent\"\n" TENANT("contoso", GUID, ALLOWED)
        DOOR_LISTENER LOGIN(FAKE_USER, FAKE_USER, "contoso", "max-connections = 1 read-only = yes");
    static const struct door_options options = {.config = text};
    struct session_ticket *ticket = NULL, *second = NULL;
    struct door d;
    door_open(&d, &options);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CU_ASSERT_EQUAL(bring(&d, names[i], FAKE_TOKEN, &ticket), SESSION_LOGIN_OK);
        CU_ASSERT_PTR_NOT_NULL_FATAL(ticket);
        CU_ASSERT(session_ticket_login(ticket)->read_only);
        CU_ASSERT_EQUAL(bring(&d, FAKE_USER, FAKE_TOKEN, &second), SESSION_LOGIN_BUSY);
        session_ticket_release(&ticket);
    }
    CU_ASSERT_EQUAL(bring(&d, FAKE_SHARED, FAKE_TOKEN, &ticket), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(bring(&d, FAKE_USER "/" FAKE_SHARED, FAKE_TOKEN, &ticket),
                    SESSION_LOGIN_REFUSED);
    CU_ASSERT_PTR_NULL(ticket);
    door_close(&d);
}

static void test_refused(void)
{
    static const struct door_options here = {.config = config};
    static const struct door_options far = {.config = config, .address = "192.0.2.1"};
    struct session_ticket *ticket = NULL;
    struct door d;
    door_open(&d, &here);
    CU_ASSERT_EQUAL(bring(&d, FAKE_USER, "another", &ticket), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(bring(&d, "carol@contoso.com", FAKE_TOKEN, &ticket), SESSION_LOGIN_REFUSED);
    unsigned asked = fake_bearer_asked;
    CU_ASSERT_EQUAL(bring(&d, "imap", FAKE_TOKEN, &ticket), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(fake_bearer_asked, asked + 1); /* policy shows only once the token is proved */
    CU_ASSERT_PTR_NULL(ticket);
    door_close(&d);
    /* Without TLS from elsewhere: not even asked. */
    asked = fake_bearer_asked;
    door_open(&d, &far);
    CU_ASSERT_EQUAL(bring(&d, FAKE_USER, FAKE_TOKEN, &ticket), SESSION_LOGIN_REFUSED);
    CU_ASSERT_EQUAL(fake_bearer_asked, asked);
    door_close(&d);
}

/* What Graph did not say is no refusal, and no guess. */
static void test_failures(void)
{
    static const struct {
        enum error_kind kind;
        enum session_login result;
    } cases[] = {
        {ERROR_TEMPORARY, SESSION_LOGIN_UNAVAILABLE}, {ERROR_TIMEOUT, SESSION_LOGIN_UNAVAILABLE},
        {ERROR_THROTTLED, SESSION_LOGIN_UNAVAILABLE}, {ERROR_ANSWER, SESSION_LOGIN_UNAVAILABLE},
        {ERROR_CANCELED, SESSION_LOGIN_ENDED},        {ERROR_SIGN_IN, SESSION_LOGIN_REFUSED},
        {ERROR_DENIED, SESSION_LOGIN_REFUSED},        {ERROR_MAILBOX_GONE, SESSION_LOGIN_REFUSED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const struct door_options options = {.config = config};
        struct session_ticket *ticket = NULL;
        struct door d;
        door_open(&d, &options);
        fake_bearer_failure = cases[i].kind;
        CU_ASSERT_EQUAL(bring(&d, FAKE_USER, FAKE_TOKEN, &ticket), cases[i].result);
        CU_ASSERT_PTR_NULL(ticket);
        door_close(&d);
    }
    fake_bearer_failure = ERROR_NONE;
}

const struct unit_test token_tests[] = {
    {"which tenant", test_tenant},
    {"ticket", test_ticket},
    {"the section of its owner", test_section},
    {"refused", test_refused},
    {"failures of Graph", test_failures},
    {NULL, NULL},
};
