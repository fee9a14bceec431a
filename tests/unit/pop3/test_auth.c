#include <config.h>

#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "../session/fake_bearer.h"

#include "postern/base/encode.h"
#include "postern/pop3/pop3.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
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
    /* No login has what these take. */
    CU_ASSERT_STRING_EQUAL(talk("AUTH CRAM-MD5\r\n"),
                           GREETING "-ERR unknown authentication mechanism, or not here\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("AUTH PLAIN\r\nUSER x\r\n"),
                           "-ERR AUTH is valid before login only\r\n"
                           "-ERR USER is valid before login only\r\n");
}

static const struct door_options more = {.config = DOOR_WITH_MORE};

static const char *talk_more(const char *input)
{
    return talk_bytes(&more, input, strlen(input));
}

/* The answers behind the greeting, which bears a timestamp. */
static const char *after_greeting(const char *answers)
{
    const char *end = strstr(answers, "\r\n");
    return end ? end + 2 : answers;
}

#define TALK_MORE(input) after_greeting(talk_more(input))

static void test_announced(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH\r\n"),
                           "+OK mechanisms follow\r\nPLAIN\r\nLOGIN\r\nCRAM-MD5\r\nXOAUTH2\r\n"
                           "OAUTHBEARER\r\n.\r\n");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(talk_more("CAPA\r\n"), "\r\nSASL PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER\r\n"));
    /* From where the device may not log in, and where a token must not cross. */
    struct door_options far = {.config = DOOR_WITH_MORE, .address = "192.0.2.1"};
    CU_ASSERT_STRING_EQUAL(after_greeting(talk_bytes(&far, "AUTH\r\n", 6)),
                           "+OK mechanisms follow\r\nPLAIN\r\nLOGIN\r\n.\r\n");
    CU_ASSERT_PTR_NULL(strchr(talk_bytes(&far, "", 0), '<'));
}

static void test_tokens(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH XOAUTH2 " XOAUTH2 "\r\n"), "+OK 0 messages\r\n");
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH XOAUTH2\r\n" XOAUTH2_SHARED "\r\n"),
                           "+ \r\n+OK 0 messages\r\n");
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH OAUTHBEARER " OAUTHBEARER "\r\n"), "+OK 0 messages\r\n");
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH OAUTHBEARER " OAUTHBEARER_NO_NAME "\r\n"),
                           "+OK 0 messages\r\n");
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH XOAUTH2 " PLAIN_GOOD "\r\n"),
                           "-ERR malformed response\r\n");
    fake_bearer_failure = ERROR_TEMPORARY;
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH XOAUTH2 " XOAUTH2 "\r\n"),
                           "-ERR [SYS/TEMP] Microsoft 365 cannot be asked about the token now, try "
                           "again later\r\n");
    fake_bearer_failure = ERROR_NONE;
}

/* The error comes inside the exchange first; the client acknowledges it, however. */
static void test_token_refused(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH XOAUTH2 " XOAUTH2_WRONG "\r\n\r\nQUIT\r\n"),
                           "+ " XOAUTH2_ERROR "\r\n-ERR [AUTH] login refused\r\n+OK goodbye\r\n");
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH XOAUTH2 " XOAUTH2_OTHER "\r\n*\r\nQUIT\r\n"),
                           "+ " XOAUTH2_ERROR "\r\n-ERR [AUTH] login refused\r\n+OK goodbye\r\n");
    CU_ASSERT_STRING_EQUAL(TALK_MORE("AUTH XOAUTH2 " XOAUTH2_WRONG "\r\n"),
                           "+ " XOAUTH2_ERROR "\r\n");
}

static const char secret[] = "tanstaaftanstaaf";

/* The digest of what the server said in <>, as APOP and CRAM-MD5 make it. */
static void make_digest(const char *challenge, bool hmac, char out[33])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[512];
    unsigned len = 0;
    snprintf(text, sizeof text, "%s%s", challenge, hmac ? "" : secret);
    if (hmac)
        HMAC(EVP_md5(), secret, sizeof secret - 1, (const uint8_t *)text, strlen(text), digest,
             &len);
    else
        EVP_Digest(text, strlen(text), digest, &len, EVP_md5(), NULL);
    hex_encode(digest, 16, out);
}

/* One dialogue: `wrong` spoils the digest. The answer to it. */
static const char *dialogue(bool hmac, const char *name, bool wrong, struct buf *heard)
{
    static char answer[256];
    char challenge[256] = "", digest[33];
    struct buf text = BUF_INIT(1024), line = BUF_INIT(1024);
    struct door d;
    door_open(&d, &more);
    door_start(&d, pop3_protocol.run);
    const char *greeting = door_hear(&d, "\r\n", heard);
    snprintf(challenge, sizeof challenge, "%.*s", (int)strcspn(strchr(greeting, '<'), "\r"),
             strchr(greeting, '<'));
    if (hmac) {
        door_say(&d, "AUTH CRAM-MD5\r\n");
        const char *asked = door_hear(&d, "\r\n", heard);
        base64_decode(asked + 2, strlen(asked) - 4, &text);
        snprintf(challenge, sizeof challenge, "%s", buf_str(&text));
    }
    make_digest(challenge, hmac, digest);
    if (wrong)
        digest[0] = digest[0] == '0' ? '1' : '0';
    buf_clear(&text);
    buf_printf(&text, "%s %s", name, digest);
    if (hmac)
        base64_encode(text.data, text.len, &line);
    else
        buf_printf(&line, "APOP %s", buf_str(&text));
    buf_puts(&line, "\r\n");
    door_say(&d, buf_str(&line));
    snprintf(answer, sizeof answer, "%s", door_hear(&d, "\r\n", heard));
    door_close(&d);
    buf_free(&text);
    buf_free(&line);
    return answer;
}

static void test_digests(void)
{
    struct buf heard = BUF_INIT(1 << 16);
    fake_reset();
    for (int hmac = 0; hmac < 2; hmac++) {
        CU_ASSERT_STRING_EQUAL(dialogue(hmac, "scanner", false, &heard), "+OK 0 messages\r\n");
        CU_ASSERT_STRING_EQUAL(dialogue(hmac, "scanner", true, &heard),
                               "-ERR [AUTH] login refused\r\n");
        /* The password of a login is no device-secret. */
        CU_ASSERT_STRING_EQUAL(dialogue(hmac, "alice", false, &heard),
                               "-ERR [AUTH] login refused\r\n");
        CU_ASSERT_STRING_EQUAL(dialogue(hmac, "nobody", false, &heard),
                               "-ERR [AUTH] login refused\r\n");
    }
    /* Nor is a device-secret a password. */
    CU_ASSERT_STRING_EQUAL(TALK_MORE("USER scanner\r\nPASS tanstaaftanstaaf\r\n"),
                           "+OK now the password\r\n-ERR [AUTH] login refused\r\n");
    buf_free(&heard);
}

static void test_apop_not_here(void)
{
    fake_reset();
    CU_ASSERT_STRING_EQUAL(talk("APOP alice c4c9334bac560ecc979e58001b3e22fb\r\n"),
                           GREETING "-ERR no login has APOP here\r\n");
    CU_ASSERT_STRING_EQUAL(TALK_MORE("APOP scanner short\r\nAUTH CRAM-MD5 =\r\n"),
                           "-ERR [AUTH] login refused\r\n-ERR malformed response\r\n");
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

/* What somebody must do is said to whoever sees it first, in our own words. */
static void test_advice(void)
{
    fake_reset();
    error_set(&fake.sync_error, ERROR_SIGN_IN, "Entra ID said something long");
    error_advise(&fake.sync_error, "bob must sign in;\r\n+OK run: postern login bob");
    const char *out = talk(SIGN_IN "QUIT\r\n");
    CU_ASSERT_PTR_NOT_NULL(
        strstr(out, "-ERR [SYS/PERM] bob must sign in;  +OK run: postern login bob\r\n"));
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
    {"what is announced", test_announced},
    {"tokens", test_tokens},
    {"tokens refused", test_token_refused},
    {"APOP and CRAM-MD5", test_digests},
    {"APOP where none has it", test_apop_not_here},
    {"CAPA", test_capa},
    {"no password in the clear", test_no_plaintext_login},
    {"errors of opening", test_open_errors},
    {"advice", test_advice},
    {"first synchronisation", test_first_sync},
    {"protocol and network of a login", test_other_protocol},
    {NULL, NULL},
};
