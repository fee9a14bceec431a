#include <config.h>

#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include <string.h>

/* "\0alice\0secret" and its parts. */
#define PLAIN_GOOD  "AGFsaWNlAHNlY3JldA=="
#define PLAIN_WRONG "AGFsaWNlAHdyb25n"
#define ALICE       "YWxpY2U="
#define SECRET      "c2VjcmV0"

#define CAPA_HEAD                                                                                  \
    "+OK capabilities follow\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\n"     \
    "EXPIRE NEVER\r\n"

static void test_greeting(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk(""), GREETING);
    CU_ASSERT_STRING_EQUAL(talk("QUIT\r\nNOOP\r\n"), GREETING "+OK goodbye\r\n");
    CU_ASSERT_PTR_NULL(strchr(GREETING, '<')); /* or clients would try APOP */
}

static void test_user_pass(void)
{
    fake_reset();
    fake_add("A: b\r\n\r\nx\r\n");
    CU_ASSERT_STRING_EQUAL(talk(SIGN_IN "QUIT\r\n"),
                           GREETING "+OK now the password\r\n+OK 1 messages\r\n+OK goodbye\r\n");
    CU_ASSERT_EQUAL(fake.syncs, 1);
    CU_ASSERT_FALSE(fake.synced_read_only);
    CU_ASSERT_STRING_EQUAL(talk("PASS secret\r\n"), GREETING "-ERR say USER first\r\n");
    CU_ASSERT_STRING_EQUAL(talk("USER\r\nPASS\r\n"), GREETING
                           "-ERR an argument is missing\r\n-ERR an argument is missing\r\n");
}

/* Wrong name and wrong password are answered alike; USER must come again. */
static void test_refused(void)
{
    static const char refused[] =
        GREETING "+OK now the password\r\n-ERR [AUTH] login refused\r\n-ERR say USER first\r\n";
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("USER alice\r\nPASS wrong\r\nPASS secret\r\n"), refused);
    CU_ASSERT_STRING_EQUAL(talk("USER nobody\r\nPASS secret\r\nPASS secret\r\n"), refused);
    CU_ASSERT_EQUAL(fake.syncs, 0);
}

static void test_refused_often(void)
{
    struct buf in = BUF_INIT(4096);
    fake_reset();
    for (int i = 0; i < 6; i++)
        buf_puts(&in, "AUTH PLAIN " PLAIN_WRONG "\r\n");
    const char *out = talk(buf_str(&in));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "too often now, goodbye\r\n"));
    CU_ASSERT_STRING_EQUAL(strstr(out, "too often"), "too often now, goodbye\r\n");
    buf_free(&in);
}

static void test_auth_plain(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("AUTH PLAIN " PLAIN_GOOD "\r\n"), GREETING "+OK 0 messages\r\n");
    CU_ASSERT_STRING_EQUAL(talk("auth plain\r\n" PLAIN_GOOD "\r\n"),
                           GREETING "+ \r\n+OK 0 messages\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH PLAIN " PLAIN_WRONG "\r\n"),
                           GREETING "-ERR [AUTH] login refused\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH PLAIN\r\n*\r\nNOOP\r\n"),
                           GREETING "+ \r\n-ERR authentication cancelled\r\n"
                                    "-ERR NOOP is valid after login only\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH PLAIN =\r\n"), GREETING "-ERR malformed response\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH PLAIN %%%\r\n"), GREETING "-ERR not base64\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH PLAIN\r\nAGE\r\nQUIT\r\n"),
                           GREETING "+ \r\n-ERR not base64\r\n+OK goodbye\r\n");
}

static void test_auth_login(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("AUTH LOGIN\r\n" ALICE "\r\n" SECRET "\r\n"),
                           GREETING "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n+OK 0 messages\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH LOGIN " ALICE "\r\n" SECRET "\r\n"),
                           GREETING "+ UGFzc3dvcmQ6\r\n+OK 0 messages\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH LOGIN " ALICE "\r\n*\r\nQUIT\r\n"),
                           GREETING "+ UGFzc3dvcmQ6\r\n-ERR authentication cancelled\r\n"
                                    "+OK goodbye\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH LOGIN =\r\n" SECRET "\r\n"),
                           GREETING "+ UGFzc3dvcmQ6\r\n-ERR malformed response\r\n");
}

static void test_auth_other(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("AUTH\r\n"),
                           GREETING "+OK mechanisms follow\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    CU_ASSERT_STRING_EQUAL(talk("AUTH CRAM-MD5\r\n"),
                           GREETING "-ERR unknown authentication mechanism\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("AUTH PLAIN\r\nUSER x\r\n"),
                           "-ERR AUTH is valid before login only\r\n"
                           "-ERR USER is valid before login only\r\n");
}

static void test_capa(void)
{
    struct door_options no_login = {.no_plaintext_login = true};
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("CAPA\r\n"), GREETING CAPA_HEAD
                           "USER\r\nSASL PLAIN LOGIN\r\nIMPLEMENTATION Postern\r\n.\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("CAPA\r\n"), CAPA_HEAD
                           "USER\r\nSASL PLAIN LOGIN\r\nIMPLEMENTATION Postern-" PACKAGE_VERSION
                           "\r\n.\r\n");
    CU_ASSERT_STRING_EQUAL(talk_bytes(&no_login, "CAPA\r\n", 6),
                           GREETING CAPA_HEAD "IMPLEMENTATION Postern\r\n.\r\n");
}

/* Where a password would travel in the clear none is taken, and STLS is offered where it can. */
static void test_no_plaintext_login(void)
{
    static const char in[] = "USER alice\r\nPASS secret\r\nAUTH\r\nAUTH PLAIN\r\nSTLS\r\n";
    struct door_options options = {.no_plaintext_login = true};
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk_bytes(&options, in, strlen(in)),
                           GREETING "-ERR [AUTH] no password without TLS\r\n"
                                    "-ERR [AUTH] no password without TLS\r\n"
                                    "+OK mechanisms follow\r\n.\r\n"
                                    "-ERR [AUTH] no password without TLS\r\n"
                                    "-ERR TLS is not offered here\r\n");
    struct door_certificate c;
    door_certificate_make(&c);
    options.tls = door_tls(&c);
    const char *out = talk_bytes(&options, "USER a\r\nCAPA\r\n", 14);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "say STLS first\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "\r\nSTLS\r\n"));
    session_tls_unref(&options.tls);
    door_certificate_remove(&c);
}

static void check_open_error(struct error *slot, enum error_kind kind, const char *says)
{
    fake_reset();
    error_set(slot, kind, "Graph said something long");
    snprintf(slot->request_id, sizeof slot->request_id, "0d4f");
    const char *out = talk(SIGN_IN SIGN_IN "QUIT\r\n");
    const char *first = strstr(out, "-ERR");
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NOT_NULL(strstr(first, says));
    CU_ASSERT_PTR_NOT_NULL(strstr(first, "0d4f"));
    CU_ASSERT_PTR_NOT_NULL(strstr(first + 4, says)); /* the session goes on, one may try again */
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "+OK goodbye\r\n"));
}

static void test_open_errors(void)
{
    check_open_error(&fake.account_error, ERROR_LOCAL, "-ERR [SYS/TEMP] local trouble");
    check_open_error(&fake.folder_error, ERROR_FOLDER_GONE, "-ERR [SYS/PERM] the folder");
    check_open_error(&fake.folder_error, ERROR_MAILBOX_GONE, "-ERR [SYS/PERM] there is no such");
    check_open_error(&fake.sync_error, ERROR_DENIED, "-ERR [SYS/PERM] Microsoft 365 denies");
    check_open_error(&fake.sync_error, ERROR_SIGN_IN, "-ERR [SYS/PERM] the service cannot sign");
    check_open_error(&fake.sync_error, ERROR_THROTTLED, "-ERR [SYS/TEMP] Microsoft 365 is slow");
    check_open_error(&fake.sync_error, ERROR_TEMPORARY, "-ERR [SYS/TEMP] Microsoft 365 does not");
    check_open_error(&fake.sync_error, ERROR_ANSWER, "-ERR [SYS/TEMP] Microsoft 365 gave a");
    check_open_error(&fake.sync_error, ERROR_TIMEOUT, "-ERR [SYS/TEMP] Microsoft 365 took");
}

static void test_first_sync(void)
{
    fake_reset();
    fake.never_synced = true;
    error_set(&fake.sync_error, ERROR_TIMEOUT, "12,500 of about 40,000 messages");
    CU_ASSERT_PTR_NOT_NULL(strstr(talk(SIGN_IN), "-ERR [SYS/TEMP] the first synchronisation is "
                                                 "under way: 12,500 of about 40,000 messages\r\n"));
}

static void test_other_protocol(void)
{
    struct door_options options = {
        .config = "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN(
            "alice", "protocols = { imap }")};
    fake_reset();
    CU_ASSERT_PTR_NOT_NULL(
        strstr(talk_bytes(&options, SIGN_IN, strlen(SIGN_IN)), "-ERR [AUTH] login refused\r\n"));
    struct door_options far = {.address = "192.0.2.9"};
    CU_ASSERT_PTR_NOT_NULL(
        strstr(talk_bytes(&far, SIGN_IN, strlen(SIGN_IN)), "-ERR [AUTH] login refused\r\n"));
}

const struct unit_test auth_tests[] = {
    {"greeting", test_greeting},
    {"USER and PASS", test_user_pass},
    {"refused", test_refused},
    {"refused too often", test_refused_often},
    {"AUTH PLAIN", test_auth_plain},
    {"AUTH LOGIN", test_auth_login},
    {"AUTH otherwise", test_auth_other},
    {"CAPA", test_capa},
    {"no password in the clear", test_no_plaintext_login},
    {"errors of opening", test_open_errors},
    {"first synchronisation", test_first_sync},
    {"protocol and network of a login", test_other_protocol},
    {NULL, NULL},
};
