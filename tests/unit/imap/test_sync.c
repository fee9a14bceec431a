#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include "postern/imap/imap.h"

#include <string.h>

static struct buf heard = BUF_INIT(1 << 20);

static void five(void)
{
    fake_reset();
    for (int i = 0; i < 5; i++)
        fake_add("A: b\r\n\r\nx\r\n");
}

static void open_selected(struct door *d)
{
    struct door_options options = {0};
    door_open(d, &options);
    door_start(d, imap_protocol.run);
    door_say(d, "in LOGIN alice secret\r\nsel SELECT INBOX\r\n");
    door_hear(d, "SELECT completed\r\n", &heard);
}

static const char *ask(struct door *d, const char *command, const char *end)
{
    door_say(d, command);
    return door_hear(d, end, &heard);
}

static void test_changes(void)
{
    struct door d;
    five();
    open_selected(&d);
    fake_remove(2);
    fake_remove(4);
    fake_find(3)->flags = MAILBOX_SEEN;
    fake_find(5)->keywords = "Work";
    fake_add("A: b\r\n\r\ny\r\n");
    CU_ASSERT_STRING_EQUAL(
        ask(&d, "a NOOP\r\n", "completed\r\n"),
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded $MDNSent Work)\r\n"
        "* 2 EXPUNGE\r\n* 2 FETCH (FLAGS (\\Seen \\Recent))\r\n* 3 EXPUNGE\r\n"
        "* 3 FETCH (FLAGS (\\Recent Work))\r\n* 4 EXISTS\r\n* 4 RECENT\r\na OK NOOP completed\r\n");
    CU_ASSERT_STRING_EQUAL(ask(&d, "b NOOP\r\n", "completed\r\n"), "b OK NOOP completed\r\n");
    fake_find(3)->flags = 0;
    fake_find(3)->modseq = 99;
    ask(&d, "c ENABLE CONDSTORE\r\n", "ENABLE completed\r\n");
    CU_ASSERT_STRING_EQUAL(ask(&d, "d NOOP\r\n", "completed\r\n"),
                           "* 2 FETCH (FLAGS (\\Recent) MODSEQ (99))\r\nd OK NOOP completed\r\n");
    door_close(&d);
}

/* RFC 3501 section 7.4.1: no EXPUNGE in answer to FETCH, STORE, SEARCH; the numbers stay, and what
 * is new waits too. */
static void test_held_back(void)
{
    struct door d;
    five();
    open_selected(&d);
    fake_remove(2);
    fake_find(3)->flags = MAILBOX_FLAGGED;
    fake_add("A: b\r\n\r\ny\r\n");
    fake_publish();
    const char *answers = ask(&d, "a FETCH 5 (UID)\r\n", "\r\na OK FETCH completed\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* 5 FETCH (UID 5)\r\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* 3 FETCH (FLAGS (\\Flagged \\Recent))\r\n"));
    CU_ASSERT_PTR_NULL(strstr(answers, "EXPUNGE"));
    CU_ASSERT_PTR_NULL(strstr(answers, "EXISTS"));
    CU_ASSERT_STRING_EQUAL(ask(&d, "b NOOP\r\n", "completed\r\n"),
                           "* 2 EXPUNGE\r\n* 5 EXISTS\r\n* 5 RECENT\r\nb OK NOOP completed\r\n");
    /* Nothing is gone: what is new may be told with any command. */
    fake_add("A: b\r\n\r\nz\r\n");
    fake_publish();
    answers = ask(&d, "c FETCH 5 (UID)\r\n", "\r\nc OK FETCH completed\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "* 5 FETCH (UID 6)\r\n* 6 EXISTS\r\n* 6 RECENT\r\n"));
    door_close(&d);
}

static void test_all_gone(void)
{
    struct door d;
    five();
    open_selected(&d);
    for (uint32_t uid = 1; uid <= 5; uid++)
        fake_remove(uid);
    CU_ASSERT_STRING_EQUAL(ask(&d, "a NOOP\r\n", "completed\r\n"),
                           "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n"
                           "* 1 EXPUNGE\r\n* 0 RECENT\r\na OK NOOP completed\r\n");
    fake_add("A: b\r\n\r\nx\r\n");
    CU_ASSERT_STRING_EQUAL(ask(&d, "b NOOP\r\n", "completed\r\n"),
                           "* 1 EXISTS\r\n* 1 RECENT\r\nb OK NOOP completed\r\n");
    door_close(&d);
}

const struct unit_test sync_tests[] = {
    {"what changed", test_changes},
    {"held back", test_held_back},
    {"all gone", test_all_gone},
    {NULL, NULL},
};
