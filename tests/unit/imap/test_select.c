#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "postern/base/clock.h"
#include "postern/imap/imap.h"

#include <string.h>

#define ID "FAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void three(void)
{
    fake_reset();
    fake_add("A: b\r\n\r\nx\r\n")->flags = MAILBOX_SEEN;
    fake_add("A: b\r\n\r\ny\r\n");
    fake_add("A: b\r\n\r\nz\r\n")->keywords = "Work $mdnsent";
}

static void test_select(void)
{
    three();
    CU_ASSERT_STRING_EQUAL(
        talk_in("a SELECT inbox\r\n"),
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent Work)\r\n"
        "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent "
        "Work \\*)] these are kept\r\n"
        "* 3 EXISTS\r\n* 3 RECENT\r\n"
        "* OK [UNSEEN 2] the first one not seen\r\n"
        "* OK [UIDVALIDITY 77] UIDs are valid\r\n"
        "* OK [UIDNEXT 4] the next UID\r\n"
        "* OK [HIGHESTMODSEQ 3] highest\r\n"
        "* OK [MAILBOXID (" ID ")] the same wherever it is moved\r\n"
        "a OK [READ-WRITE] SELECT completed\r\n");
    CU_ASSERT_FALSE(fake.synced_read_only);
    CU_ASSERT_TRUE(fake.claimed);
    /* The next session finds nothing recent. */
    CU_ASSERT_PTR_NOT_NULL(strstr(talk_in("a SELECT INBOX\r\n"), "* 0 RECENT\r\n"));
}

static void test_examine(void)
{
    three();
    const char *answers = talk_in("a EXAMINE INBOX\r\nb CLOSE\r\nc NOOP\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* OK [PERMANENTFLAGS ()] these are kept\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* 3 RECENT\r\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(answers, "a OK [READ-ONLY] EXAMINE completed\r\nb OK CLOSE completed\r\n"));
    CU_ASSERT_TRUE(fake.synced_read_only);
    CU_ASSERT_FALSE(fake.claimed);
    CU_ASSERT_EQUAL(fake.recent_from, 1);
}

static void test_empty(void)
{
    fake_reset();
    const char *answers =
        talk_in("a SELECT INBOX\r\nb FETCH 1:* (UID)\r\nc UID FETCH 1:* (UID)\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* 0 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* OK [UIDNEXT 1]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "b BAD invalid messageset: there is no such message"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "c OK"));
}

static void test_failures(void)
{
    three();
    CU_ASSERT_STRING_EQUAL(talk_in("a SELECT Nowhere\r\nb CLOSE\r\n"),
                           "a NO [NONEXISTENT] there is no such folder\r\n"
                           "b BAD select a folder first\r\n");
    CU_ASSERT_STRING_EQUAL(
        talk_in("a SELECT &x-\r\nb SELECT (x)\r\nc SELECT\r\nd SELECT INBOX (QRESYNC)\r\n"
                "e SELECT INBOX ()\r\n"),
        "a NO [CANNOT] that name is not in modified UTF-7 (RFC 3501 section 5.1.3)\r\n"
        "b BAD the name of a folder is missing\r\n"
        "c BAD SELECT takes a folder's name and perhaps (CONDSTORE)\r\n"
        "d BAD SELECT takes a folder's name and perhaps (CONDSTORE)\r\n"
        "e BAD SELECT takes a folder's name and perhaps (CONDSTORE)\r\n");
    /* RFC 3501 section 6.3.1: after a SELECT that failed none is selected. */
    CU_ASSERT_STRING_EQUAL(talk_selected("a SELECT Nowhere\r\nb CLOSE\r\n"),
                           "* OK [CLOSED] the folder before is closed\r\n"
                           "a NO [NONEXISTENT] there is no such folder\r\n"
                           "b BAD select a folder first\r\n");
    error_set(&fake.sync_error, ERROR_THROTTLED, "429");
    CU_ASSERT_STRING_EQUAL(talk_in("a SELECT INBOX\r\nb NOOP\r\n"),
                           "a NO [UNAVAILABLE] Microsoft 365 is slowing this mailbox down, try "
                           "again later\r\nb OK NOOP completed\r\n");
}

/* While a first look at a folder takes its time the client hears of it, and never inside of a
 * response. */
static void test_keepalives(void)
{
    struct door_options options = {0};
    struct buf heard = BUF_INIT(1 << 16);
    struct door d;
    three();
    fake.sync_ticks = 4;
    clock_test_set(clock_mono_ms(), 0);
    door_open(&d, &options);
    door_start(&d, imap_protocol.run);
    door_say(&d, "in LOGIN alice secret\r\na SELECT INBOX\r\nb LOGOUT\r\n");
    const char *all = door_hear(&d, "", &heard);
    clock_test_off();
    CU_ASSERT_PTR_NOT_NULL(strstr(all, "logged in\r\n* OK still working on it\r\n"
                                       "* OK still working on it\r\n* FLAGS ("));
    CU_ASSERT_PTR_NOT_NULL(strstr(all, "SELECT completed\r\n* BYE goodbye\r\n"));
    door_close(&d);
    buf_free(&heard);
}

#define SINCE                                                                                      \
    "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN(                         \
        "alice", "serve-since = \"1970-01-02\"")

/* serve-since: older mail is not there. */
static void test_since(void)
{
    static const char commands[] = "a SELECT INBOX\r\nb UID FETCH 1:* UID\r\nc NOOP\r\nd CLOSE\r\n";
    three();
    for (uint32_t uid = 1; uid <= 3; uid++)
        fake_find(uid)->flags = MAILBOX_DELETED;
    fake_find(2)->received_ms = INT64_C(24) * 60 * 60 * 1000;
    fake_find(3)->received_ms = fake_find(2)->received_ms - 1;
    const char *answers = talk_in_with(SINCE, commands, sizeof commands - 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* 1 EXISTS\r\n* 1 RECENT\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* OK [UIDNEXT 4]"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* 1 FETCH (UID 2)\r\nb OK"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "\r\nc OK NOOP completed\r\nd OK CLOSE completed\r\n"));
    CU_ASSERT_EQUAL(fake.expunged_count, 1); /* nor is it touched */
    CU_ASSERT_EQUAL(fake.expunged[0], 2);
}

static void test_condstore(void)
{
    three();
    CU_ASSERT_STRING_EQUAL(
        talk_in("a ENABLE X-NONE\r\nb ENABLE X CONDSTORE\r\nc ENABLE condstore\r\n"
                "d ENABLE\r\n"),
        "* ENABLED\r\na OK ENABLE completed\r\n"
        "* ENABLED CONDSTORE\r\nb OK ENABLE completed\r\n"
        "* ENABLED\r\nc OK ENABLE completed\r\n"
        "d BAD ENABLE takes names of capabilities\r\n");
    CU_ASSERT_STRING_EQUAL(talk_selected("a ENABLE CONDSTORE\r\n"),
                           "* ENABLED CONDSTORE\r\n* OK [HIGHESTMODSEQ 3] highest\r\n"
                           "a OK ENABLE completed\r\n");
}

static void test_close(void)
{
    three();
    fake_find(2)->flags = MAILBOX_DELETED;
    fake_find(3)->flags = MAILBOX_DELETED | MAILBOX_SEEN;
    CU_ASSERT_STRING_EQUAL(talk_selected("a UNSELECT\r\nb UNSELECT\r\n"),
                           "a OK UNSELECT completed\r\nb BAD select a folder first\r\n");
    CU_ASSERT_EQUAL(fake.expunged_count, 0);
    CU_ASSERT_STRING_EQUAL(talk_selected("a CLOSE x\r\nb CLOSE\r\nc CLOSE\r\n"),
                           "a BAD CLOSE takes no arguments\r\nb OK CLOSE completed\r\n"
                           "c BAD select a folder first\r\n");
    CU_ASSERT_EQUAL(fake.expunged_count, 2);
    CU_ASSERT_EQUAL(fake.expunged[0], 2);
    CU_ASSERT_EQUAL(fake.expunged[1], 3);
    CU_ASSERT_EQUAL(fake.expunge_client_fd, -1); /* the client's hang-up does not end it */
}

/* "A success is never invented": what could not be expunged is no OK, and the folder is kept. */
static void test_close_fails(void)
{
    three();
    fake_find(2)->flags = MAILBOX_DELETED;
    error_set(&fake.expunge_error, ERROR_TEMPORARY, "503");
    CU_ASSERT_STRING_EQUAL(talk_selected("a CLOSE\r\nb UNSELECT\r\n"),
                           "a NO [UNAVAILABLE] Microsoft 365 does not answer now, try again "
                           "later\r\nb OK UNSELECT completed\r\n");
}

const struct unit_test select_tests[] = {
    {"SELECT", test_select},         {"EXAMINE", test_examine},
    {"empty", test_empty},           {"failures", test_failures},
    {"keepalives", test_keepalives}, {"CONDSTORE", test_condstore},
    {"CLOSE", test_close},           {"CLOSE fails", test_close_fails},
    {"serve-since", test_since},     {NULL, NULL},
};
