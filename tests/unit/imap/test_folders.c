/* LIST, LSUB, STATUS and the commands that change folders, over the wire. */
#include "../unit.h"
#include "fake_mailbox.h"
#include "fake_tree.h"
#include "talk.h"

#include <string.h>

extern const struct unit_test folders_tests[];

/* INBOX with a child, Archive with two of which one is not subscribed, a folder of a use, and a
 * subscription of what is not there. */
static void some(void)
{
    fake_reset();
    fake_tree = (struct fake_tree){
        .folders = {{"i", NULL, "Posteingang", MAILBOX_USE_INBOX},
                    {"c", "i", "Caf\xc3\xa9", 0},
                    {"a", NULL, "Archive", 0},
                    {"q", "a", "2026/Q1", 0},
                    {"o", "a", "2025", 0},
                    {"s", NULL, "Gesendet", MAILBOX_USE_SENT}},
        .subscribed = {"gone/below"},
        .unsubscribed = {"Archive", "Archive/2025"},
    };
}

#define INBOX   "* LIST (\\HasChildren) \"/\" INBOX\r\n"
#define CAFE    "* LIST (\\HasNoChildren) \"/\" INBOX/Caf&AOk-\r\n"
#define ARCHIVE "* LIST (\\HasChildren) \"/\" Archive\r\n"
#define Y2025   "* LIST (\\HasNoChildren) \"/\" Archive/2025\r\n"
#define Y2026   "* LIST (\\HasNoChildren) \"/\" Archive/2026=2FQ1\r\n"
#define SENT    "* LIST (\\HasNoChildren \\Sent) \"/\" Gesendet\r\n"

static void test_list(void)
{
    some();
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" *\r\n"),
                           INBOX CAFE ARCHIVE Y2025 Y2026 SENT "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" %\r\n"),
                           INBOX ARCHIVE SENT "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST Archive/ %Q1\r\n"), Y2026 "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" inbox\r\n"), INBOX "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" \"INBOX/Caf&AOk-\"\r\n"),
                           CAFE "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" nothing\r\n"), "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" \"\"\r\n"),
                           "* LIST (\\Noselect) \"/\" \"\"\r\na OK LIST completed\r\n");
}

static void test_list_extended(void)
{
    some();
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" (INBOX Arch% \"\")\r\n"),
                           INBOX ARCHIVE "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST (SPECIAL-USE) \"\" *\r\n"),
                           SENT "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(
        talk_in("a LIST (SUBSCRIBED) \"\" *\r\n"),
        "* LIST (\\HasChildren \\Subscribed) \"/\" INBOX\r\n"
        "* LIST (\\HasNoChildren \\Subscribed) \"/\" INBOX/Caf&AOk-\r\n"
        "* LIST (\\HasNoChildren \\Subscribed) \"/\" Archive/2026=2FQ1\r\n"
        "* LIST (\\HasNoChildren \\Sent \\Subscribed) \"/\" Gesendet\r\n"
        "* LIST (\\NonExistent \\Subscribed) \"/\" gone/below\r\na OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(
        talk_in("a LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %\r\n"),
        "* LIST (\\HasChildren \\Subscribed) \"/\" INBOX (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "* LIST (\\HasChildren) \"/\" Archive (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "* LIST (\\HasNoChildren \\Sent \\Subscribed) \"/\" Gesendet\r\n"
        "* LIST (\\NonExistent) \"/\" gone (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
        "a OK LIST completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" Arc* RETURN (SUBSCRIBED CHILDREN)\r\n"),
                           ARCHIVE Y2025
                           "* LIST (\\HasNoChildren \\Subscribed) \"/\" Archive/2026=2FQ1\r\n"
                           "a OK LIST completed\r\n");
}

static void test_lsub(void)
{
    some();
    CU_ASSERT_STRING_EQUAL(talk_in("a LSUB \"\" *\r\n"),
                           "* LSUB (\\HasChildren) \"/\" INBOX\r\n"
                           "* LSUB (\\HasNoChildren) \"/\" INBOX/Caf&AOk-\r\n"
                           "* LSUB (\\HasNoChildren) \"/\" Archive/2026=2FQ1\r\n"
                           "* LSUB (\\HasNoChildren \\Sent) \"/\" Gesendet\r\n"
                           "* LSUB () \"/\" gone/below\r\na OK LSUB completed\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("a LSUB \"\" %\r\n"),
                           "* LSUB (\\HasChildren) \"/\" INBOX\r\n"
                           "* LSUB (\\Noselect \\HasChildren) \"/\" Archive\r\n"
                           "* LSUB (\\HasNoChildren \\Sent) \"/\" Gesendet\r\n"
                           "* LSUB (\\Noselect) \"/\" gone\r\na OK LSUB completed\r\n");
}

#define STATUS "(MESSAGES 5 UIDNEXT 17)\r\n"

static void test_status(void)
{
    some();
    CU_ASSERT_STRING_EQUAL(talk_in("a STATUS inbox (UIDNEXT MESSAGES)\r\n"),
                           "* STATUS INBOX " STATUS "a OK STATUS completed\r\n");
    CU_ASSERT_FALSE(fake_tree.sizes);
    CU_ASSERT_STRING_EQUAL(
        talk_in("a STATUS Archive (SIZE MAILBOXID)\r\n"),
        "* STATUS Archive (SIZE 5000000000 MAILBOXID "
        "(FAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA))\r\na OK STATUS completed\r\n");
    CU_ASSERT_TRUE(fake_tree.sizes);
    const char *gone = talk_in("a STATUS nowhere (UIDNEXT)\r\n");
    CU_ASSERT_EQUAL(strncmp(gone, "a NO [NONEXISTENT]", 18), 0);
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" INB% RETURN (STATUS (MESSAGES UIDNEXT))\r\n"),
                           INBOX "* STATUS INBOX " STATUS "a OK LIST completed\r\n");
    /* One call for all. */
    fake_tree.asked_status = 0;
    talk_in("a LIST \"\" * RETURN (STATUS (MESSAGES))\r\n");
    CU_ASSERT_EQUAL(fake_tree.asked_status, 6);
}

static void test_changes(void)
{
    some();
    const char *answers =
        talk_in("a CREATE \"New/One\"\r\nb DELETE Archive/2025\r\nc RENAME inbox Old\r\n"
                "d SUBSCRIBE gone\r\ne UNSUBSCRIBE INBOX\r\nf CREATE Archive\r\n");
    CU_ASSERT_STRING_EQUAL(
        answers, "a OK CREATE completed\r\nb OK DELETE completed\r\nc OK RENAME completed\r\n"
                 "d OK SUBSCRIBE completed\r\ne OK UNSUBSCRIBE completed\r\n"
                 "f OK [MAILBOXID (FAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                 ")] CREATE completed\r\n");
    CU_ASSERT_STRING_EQUAL(fake_tree.writes,
                           "create New/One; delete Archive/2025; rename INBOX to Old; "
                           "subscribe gone; unsubscribe INBOX; create Archive; ");
    fake_tree.writes[0] = '\0';
    answers = talk_in("a CREATE x (USE (\\Sent))\r\nb CREATE y (USE ())\r\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(answers, "a NO [USEATTR]"));
    CU_ASSERT_STRING_EQUAL(fake_tree.writes, "create y; ");
    error_set(&fake_tree.error, ERROR_HAS_CHILDREN, "there are folders in it");
    CU_ASSERT_PTR_NOT_NULL(strstr(talk_in("a DELETE Archive\r\n"), "a NO [HASCHILDREN]"));
    error_set(&fake_tree.error, ERROR_EXISTS, "there is one already");
    CU_ASSERT_PTR_NOT_NULL(strstr(talk_in("a CREATE Archive\r\n"), "a NO [ALREADYEXISTS]"));
}

static void test_bad(void)
{
    static const char *const commands[] = {
        "LIST",
        "LIST \"\"",
        "LIST \"\" * RETURN",
        "LIST \"\" * RETURN (NONSENSE)",
        "LIST \"\" * RETURN (STATUS)",
        "LIST \"\" * RETURN (STATUS ())",
        "LIST \"\" * x y",
        "LIST (RECURSIVEMATCH) \"\" *",
        "LIST (NONSENSE) \"\" *",
        "LIST (SUBSCRIBED) \"\"",
        "LSUB \"\" (a b)",
        "LSUB (SUBSCRIBED) \"\" *",
        "STATUS INBOX",
        "STATUS INBOX ()",
        "STATUS INBOX (MESSAGES NONSENSE)",
        "STATUS INBOX MESSAGES",
        "STATUS (INBOX) (MESSAGES)",
        "CREATE",
        "CREATE a b",
        "CREATE a (b)",
        "DELETE",
        "DELETE a b",
        "RENAME a",
        "RENAME a b c",
        "SUBSCRIBE",
        "UNSUBSCRIBE a b",
    };
    some();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char line[128];
        snprintf(line, sizeof line, "a %s\r\n", commands[i]);
        if (strncmp(talk_in(line), "a BAD ", 6) != 0)
            printf("not BAD: %s\n", commands[i]);
        CU_ASSERT_EQUAL(strncmp(talk_in(line), "a BAD ", 6), 0);
    }
    CU_ASSERT_STRING_EQUAL(talk_in("a LIST \"\" &x\r\nb LSUB \"\" &x%\r\n"),
                           "a OK LIST completed\r\nb OK LSUB completed\r\n");
    CU_ASSERT_STRING_EQUAL(fake_tree.writes, "");
}

const struct unit_test folders_tests[] = {
    {"LIST", test_list},
    {"LIST-EXTENDED", test_list_extended},
    {"LSUB", test_lsub},
    {"STATUS", test_status},
    {"changes", test_changes},
    {"bad syntax", test_bad},
    {NULL, NULL},
};
