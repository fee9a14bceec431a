#include "../unit.h"
#include "fake_mailbox.h"
#include "talk.h"

#include <string.h>

#define CONFIG(settings)                                                                           \
    "state-dir = \"/nonexistent\"\n" DOOR_TENANT DOOR_LISTENER DOOR_LOGIN("alice", settings)
#define MAIL "A: b\r\n\r\nxyz\r\n" /* 13 octets */

static void estimated(size_t count)
{
    fake_reset();
    for (size_t i = 0; i < count; i++)
        fake_add(MAIL)->size = 50;
}

static void test_auto(void)
{
    estimated(100);
    CU_ASSERT_STRING_EQUAL(talk_in("STAT\r\nSTAT\r\n"), "+OK 100 1300\r\n+OK 100 1300\r\n");
    CU_ASSERT_EQUAL(fake.sizes_fetched, 100);
    /* One more, and estimates are told; what was told stays. */
    estimated(101);
    CU_ASSERT_STRING_EQUAL(talk_in("STAT\r\nLIST 1\r\nSTAT\r\n"),
                           "+OK 101 5050\r\n+OK 1 50\r\n+OK 101 5050\r\n");
    CU_ASSERT_EQUAL(fake.sizes_fetched, 0);
    estimated(101);
    CU_ASSERT_STRING_EQUAL(talk_in("LIST 1\r\nLIST 1\r\nSTAT\r\n"),
                           "+OK 1 13\r\n+OK 1 13\r\n+OK 101 1313\r\n");
    CU_ASSERT_EQUAL(fake.sizes_fetched, 101);
}

static void test_yes_and_no(void)
{
    estimated(150);
    CU_ASSERT_STRING_EQUAL(talk_in_with(CONFIG("exact-size = yes"), "STAT\r\n"),
                           "+OK 150 1950\r\n");
    estimated(2);
    CU_ASSERT_STRING_EQUAL(talk_in_with(CONFIG("exact-size = no"), "STAT\r\nLIST 1\r\n"),
                           "+OK 2 100\r\n+OK 1 50\r\n");
    CU_ASSERT_EQUAL(fake.sizes_fetched, 0);
}

static void test_unknown(void)
{
    estimated(1);
    fake.messages[0].size = -1;
    CU_ASSERT_STRING_EQUAL(talk_in_with(CONFIG("exact-size = no"), "STAT\r\n"), "+OK 1 131072\r\n");
    CU_ASSERT_STRING_EQUAL(talk_in("STAT\r\n"), "+OK 1 13\r\n");
}

/* A message that went away meanwhile does not spoil STAT. */
static void test_gone(void)
{
    estimated(3);
    fake.messages[1].text = NULL;
    CU_ASSERT_STRING_EQUAL(talk_in("STAT\r\nLIST\r\n"),
                           "+OK 3 76\r\n+OK 3 messages (76 octets)\r\n1 13\r\n2 50\r\n3 13\r\n"
                           ".\r\n");
}

static void test_errors(void)
{
    estimated(2);
    error_set(&fake.sizes_error, ERROR_THROTTLED, "429");
    CU_ASSERT_STRING_EQUAL(talk_in("STAT\r\n"), "+OK 2 100\r\n");
    const char *out = talk_in_with(CONFIG("exact-size = yes"), "STAT\r\nNOOP\r\n");
    CU_ASSERT_EQUAL(strncmp(out, "-ERR [SYS/TEMP] ", 16), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "+OK\r\n"));
}

const struct unit_test sizes_tests[] = {
    {"auto", test_auto},           {"yes and no", test_yes_and_no}, {"unknown", test_unknown},
    {"gone meanwhile", test_gone}, {"errors", test_errors},         {NULL, NULL},
};
