#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "../session/fake_bearer.h"

#include "postern/imap/imap.h"

#include <string.h>

/* base64 of NUL alice NUL secret, of alice, of secret, of "wrong". */
#define PLAIN  "AGFsaWNlAHNlY3JldA=="
#define ALICE  "YWxpY2U="
#define SECRET "c2VjcmV0"
#define WRONG  "d3Jvbmc="

#define GOOD "[CAPABILITY IMAP4rev1"

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static void test_login(void)
{
    fake_reset();
    CU_ASSERT_TRUE(begins(talk("a LOGIN alice secret\r\n"), "a OK " GOOD));
    CU_ASSERT_TRUE(begins(talk("a login \"alice\" \"secret\"\r\n"), "a OK " GOOD));
    CU_ASSERT_STRING_EQUAL(talk("a LOGIN alice wrong\r\nb LOGIN nobody secret\r\n"),
                           "a NO [AUTHENTICATIONFAILED] login refused\r\n"
                           "b NO [AUTHENTICATIONFAILED] login refused\r\n");
    CU_ASSERT_STRING_EQUAL(talk("a LOGIN alice\r\nb LOGIN alice secret x\r\nc LOGIN (x) y\r\n"),
                           "a BAD LOGIN takes a name and a password\r\n"
                           "b BAD LOGIN takes a name and a password\r\n"
                           "c BAD LOGIN takes a name and a password\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LOGIN alice secret\r\n"),
                           "a BAD you are logged in already\r\n");
}

static void test_refusals(void)
{
    fake_reset();
    const char *answers = talk("1 LOGIN alice a\r\n2 LOGIN alice b\r\n3 LOGIN alice c\r\n"
                               "4 LOGIN alice d\r\n5 LOGIN alice e\r\n6 NOOP\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "5 NO [AUTHENTICATIONFAILED] login refused\r\n"
                                           "* BYE login refused too often, goodbye\r\n"));
    CU_ASSERT_PTR_NULL(strstr(answers, "6 OK"));
}

static void test_no_plaintext(void)
{
    struct door_options options = {.no_plaintext_login = true};
    static const char input[] = "a CAPABILITY\r\nb LOGIN alice secret\r\n"
                                "c AUTHENTICATE PLAIN " PLAIN "\r\nd STARTTLS\r\n";
    fake_reset();
    const char *answers = talk_bytes(&options, input, sizeof input - 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, " LOGINDISABLED\r\n"));
    CU_ASSERT_PTR_NULL(strstr(answers, "STARTTLS\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "b NO [PRIVACYREQUIRED] no password without TLS\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "c NO [PRIVACYREQUIRED]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "d BAD TLS is not offered here\r\n"));
}

static void test_mailbox_fails(void)
{
    fake_reset();
    error_set(&fake.account_error, ERROR_LOCAL, "the disk is full");
    CU_ASSERT_STRING_EQUAL(talk("a LOGIN alice secret\r\nb SELECT INBOX\r\n"),
                           "a NO [UNAVAILABLE] local trouble of the service; see the service's "
                           "log\r\nb BAD log in first\r\n");
}

static void test_plain(void)
{
    fake_reset();
    CU_ASSERT_TRUE(begins(talk("a AUTHENTICATE PLAIN\r\n" PLAIN "\r\n"), "+ \r\na OK " GOOD));
    CU_ASSERT_TRUE(begins(talk("a authenticate plain " PLAIN "\r\n"), "a OK " GOOD));
    CU_ASSERT_STRING_EQUAL(talk("a AUTHENTICATE PLAIN\r\n*\r\nb NOOP\r\n"),
                           "+ \r\na BAD authentication cancelled\r\nb OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk("a AUTHENTICATE PLAIN =\r\nb AUTHENTICATE PLAIN %\r\n"),
                           "a BAD malformed response\r\nb BAD not base64\r\n");
    CU_ASSERT_STRING_EQUAL(talk("a AUTHENTICATE\r\nb AUTHENTICATE GSSAPI\r\n"),
                           "a BAD AUTHENTICATE takes a mechanism and perhaps its first response\r\n"
                           "b NO [CANNOT] unknown authentication mechanism, or not here\r\n");
    CU_ASSERT_STRING_EQUAL(talk("a AUTHENTICATE PLAIN\r\n"),
                           "+ \r\n* BYE the login was not finished, goodbye\r\n"); /* gone */
}

static void test_sasl_login(void)
{
    fake_reset();
    CU_ASSERT_TRUE(begins(talk("a AUTHENTICATE LOGIN\r\n" ALICE "\r\n" SECRET "\r\n"),
                          "+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\na OK " GOOD));
    CU_ASSERT_TRUE(begins(talk("a AUTHENTICATE LOGIN " ALICE "\r\n" SECRET "\r\n"),
                          "+ UGFzc3dvcmQ6\r\na OK " GOOD));
    CU_ASSERT_STRING_EQUAL(talk("a AUTHENTICATE LOGIN " ALICE "\r\n" WRONG "\r\n"),
                           "+ UGFzc3dvcmQ6\r\na NO [AUTHENTICATIONFAILED] login refused\r\n");
}

static const char *talk_more(const char *input)
{
    static const struct door_options more = {.config = DOOR_WITH_MORE};
    return talk_bytes(&more, input, strlen(input));
}

static void test_tokens(void)
{
    fake_reset();
    CU_ASSERT_PTR_NOT_NULL(
        strstr(talk_more("a CAPABILITY\r\n"), " AUTH=CRAM-MD5 AUTH=XOAUTH2 AUTH=OAUTHBEARER\r\n"));
    CU_ASSERT_TRUE(begins(talk_more("a AUTHENTICATE XOAUTH2 " XOAUTH2 "\r\n"), "a OK " GOOD));
    CU_ASSERT_TRUE(
        begins(talk_more("a AUTHENTICATE XOAUTH2\r\n" XOAUTH2_SHARED "\r\n"), "+ \r\na OK " GOOD));
    CU_ASSERT_TRUE(
        begins(talk_more("a AUTHENTICATE OAUTHBEARER " OAUTHBEARER "\r\n"), "a OK " GOOD));
    CU_ASSERT_TRUE(
        begins(talk_more("a AUTHENTICATE OAUTHBEARER " OAUTHBEARER_NO_NAME "\r\n"), "a OK " GOOD));
    CU_ASSERT_STRING_EQUAL(talk_more("a AUTHENTICATE XOAUTH2 " XOAUTH2_WRONG "\r\n\r\nb NOOP\r\n"),
                           "+ " XOAUTH2_ERROR "\r\na NO [AUTHENTICATIONFAILED] login refused\r\n"
                           "b OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_more("a AUTHENTICATE XOAUTH2 " XOAUTH2_OTHER "\r\nAQ==\r\n"),
                           "+ " XOAUTH2_ERROR "\r\na NO [AUTHENTICATIONFAILED] login refused\r\n");
    CU_ASSERT_STRING_EQUAL(talk_more("a AUTHENTICATE OAUTHBEARER AQ==\r\n"),
                           "a BAD malformed response\r\n");
    fake_bearer_failure = ERROR_TIMEOUT;
    CU_ASSERT_STRING_EQUAL(talk_more("a AUTHENTICATE XOAUTH2 " XOAUTH2 "\r\n"),
                           "a NO [UNAVAILABLE] Microsoft 365 cannot be asked about the token now, "
                           "try again later\r\n");
    fake_bearer_failure = ERROR_NONE;
}

/* c-client takes AUTH=PLAIN without TLS for a security problem. */
static void test_capabilities(void)
{
    fake_reset();
    const char *before = talk("a CAPABILITY\r\n");
    CU_ASSERT_TRUE(begins(before, "* CAPABILITY IMAP4rev1 "));
    CU_ASSERT_PTR_NULL(strstr(before, "AUTH="));
    CU_ASSERT_PTR_NULL(strstr(before, "LOGINDISABLED"));
    CU_ASSERT_PTR_NULL(strstr(before, "STARTTLS"));
    CU_ASSERT_PTR_NOT_NULL(strstr(before, "SASL-IR"));
    CU_ASSERT_PTR_NULL(strstr(talk_in("a CAPABILITY\r\n"), "SASL-IR"));
}

static void test_starttls_offered(void)
{
    struct door_certificate certificate;
    struct door d;
    struct buf heard = BUF_INIT(1 << 16);
    door_certificate_make(&certificate);
    struct session_tls *tls = door_tls(&certificate);
    struct door_options options = {.tls = tls, .no_plaintext_login = true, .timeout_ms = 300};
    fake_reset();
    door_open(&d, &options);
    door_start(&d, imap_protocol.run);
    const char *greeting = door_hear(&d, "\r\n", &heard);
    CU_ASSERT_PTR_NOT_NULL(strstr(greeting, " STARTTLS LOGINDISABLED]"));
    door_say(&d, "a LOGIN alice secret\r\n");
    CU_ASSERT_STRING_EQUAL(
        door_hear(&d, "\r\n", &heard),
        "a NO [PRIVACYREQUIRED] no password without TLS: say STARTTLS first\r\n");
    /* No handshake comes: the session ends, and nothing said in the clear is obeyed. */
    door_say(&d, "b STARTTLS\r\nc NOOP\r\nthis is no handshake\r\n");
    const char *rest = door_hear(&d, "", &heard);
    CU_ASSERT_TRUE(begins(rest, "b OK begin TLS\r\n"));
    CU_ASSERT_PTR_NULL(strstr(rest, "c OK"));
    door_close(&d);
    session_tls_unref(&tls);
    door_certificate_remove(&certificate);
    buf_free(&heard);
}

const struct unit_test auth_tests[] = {
    {"LOGIN", test_login},
    {"refusals", test_refusals},
    {"no plaintext", test_no_plaintext},
    {"the mailbox fails", test_mailbox_fails},
    {"PLAIN", test_plain},
    {"SASL LOGIN", test_sasl_login},
    {"tokens", test_tokens},
    {"capabilities", test_capabilities},
    {"STARTTLS", test_starttls_offered},
    {NULL, NULL},
};
