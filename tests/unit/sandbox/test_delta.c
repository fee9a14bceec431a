#include "../unit.h"

#include "fixture.h"

#include <string.h>

static bool removed(const struct fixture *x, size_t i)
{
    struct json_object *value = fixture_member(x, "value");
    return json_object_object_get_ex(json_object_array_get_idx(value, i), "@removed", NULL);
}

static const char first[] = USER "/mailFolders/inbox/messages/delta?$select=isRead&$top=2";

static size_t finish_round(struct fixture *x)
{
    size_t n = fixture_items(x);
    while (fixture_follow(x, "@odata.nextLink"))
        n += fixture_items(x);
    return n;
}

static void test_rounds(void)
{
    struct fixture x;
    fixture_set_up(&x, 5);
    fixture_get(&x, first);
    CU_ASSERT_EQUAL(x.status, 200);
    CU_ASSERT_EQUAL(fixture_items(&x), 2);
    CU_ASSERT_EQUAL(finish_round(&x), 5);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 0);

    struct message *moved = x.inbox->items[0], *changed = x.inbox->items[1];
    message_move(moved, mailbox_well_known(x.b, "archive"));
    message_set_read(changed, true);
    message_touch(changed, CHANGE_READ);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL_FATAL(fixture_items(&x), 2);
    CU_ASSERT(removed(&x, 0));
    CU_ASSERT(!removed(&x, 1));

    message_move(moved, x.inbox);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL_FATAL(fixture_items(&x), 1);
    CU_ASSERT(!removed(&x, 0));
    fixture_tear_down(&x);
}

static void test_empty_pages_and_repeats(void)
{
    struct fixture x;
    fixture_set_up(&x, 3);
    x.s.settings.empty_pages = true;
    message_touch(x.inbox->items[0], CHANGE_FLAG);
    fixture_get(&x, first);
    CU_ASSERT_EQUAL(fixture_items(&x), 0);
    CU_ASSERT_EQUAL(finish_round(&x), 3);
    x.s.settings.repeats = true;
    fixture_get(&x, first);
    CU_ASSERT_EQUAL(finish_round(&x), 4);
    fixture_tear_down(&x);
}

static void test_lag(void)
{
    struct fixture x;
    fixture_set_up(&x, 1);
    x.s.settings.delta_lag_rounds = 2;
    fixture_get(&x, first);
    finish_round(&x);
    message_touch(x.inbox->items[0], CHANGE_READ);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 0);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 1);
    fixture_tear_down(&x);
}

/* A server that replication has not reached tells what was. */
static void test_stale_state(void)
{
    struct fixture x;
    fixture_set_up(&x, 1);
    struct message *m = x.inbox->items[0];
    x.s.settings.delta_lag_rounds = 2;
    fixture_get(&x, first);
    finish_round(&x);
    message_set_read(m, true);
    message_touch(m, CHANGE_READ);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    message_set_read(m, false);
    message_touch(m, CHANGE_READ);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 1);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "value/0/isRead"), "true");
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "value/0/isRead"), "false");
    fixture_tear_down(&x);
}

static void test_quiet_changes(void)
{
    struct fixture x;
    fixture_set_up(&x, 1);
    struct message *m = x.inbox->items[0];
    x.s.settings.delta_categories = x.s.settings.delta_properties = false;
    fixture_get(&x, first);
    finish_round(&x);
    message_touch(m, CHANGE_CATEGORIES | CHANGE_PROPS);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 0);
    message_touch(m, CHANGE_READ);
    message_touch(m, CHANGE_CATEGORIES);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 1);
    fixture_tear_down(&x);
}

/* The service itself touches what was written, a moment later. */
static void test_late_touch(void)
{
    struct fixture x;
    fixture_set_up(&x, 1);
    struct message *m = x.inbox->items[0];
    x.s.settings.late_touch_ms = 1;
    fixture_send(&x, "PATCH", fixture_message(m, ""), NULL, "{\"isRead\":true}");
    CU_ASSERT_EQUAL(x.status, 200);
    uint64_t written = m->change;
    x.b->late[0].due_ms = 0;
    fixture_get(&x, first);
    CU_ASSERT(m->change > written);
    fixture_tear_down(&x);
}

static void test_folder_rounds(void)
{
    static const char whole[] = USER "/mailFolders/delta?$select=displayName&$top=1000";
    struct fixture x;
    fixture_set_up(&x, 0);
    mailbox_folder_path(x.b, "Projects/2026");
    fixture_get(&x, whole);
    size_t all = fixture_items(&x);
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 0);
    fixture_add(&x, "inbox", "\r\n");
    x.s.settings.folder_delta_counts = false;
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 0);
    folder_rename(mailbox_folder_path(x.b, "Projects"), "Plans");
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(fixture_items(&x), 1);
    x.s.settings.folder_delta = FOLDER_DELTA_TOP;
    fixture_get(&x, whole);
    CU_ASSERT_EQUAL(fixture_items(&x), all - 1);
    x.s.settings.folder_delta = FOLDER_DELTA_ABSENT;
    fixture_get(&x, whole);
    CU_ASSERT_EQUAL(x.status, 400);
    fixture_tear_down(&x);
}

static void test_dead_and_foreign_links(void)
{
    struct fixture x;
    fixture_set_up(&x, 1);
    fixture_get(&x, first);
    finish_round(&x);
    x.b->delta_epoch++;
    CU_ASSERT(fixture_follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(x.status, 410);
    fixture_get(&x, USER "/mailFolders/inbox/messages/delta?$deltatoken=AAAA");
    CU_ASSERT_EQUAL(x.status, 400);
    fixture_tear_down(&x);
}

static void test_expand(void)
{
    static const char target[] =
        USER "/mailFolders/inbox/messages/delta?$expand="
             "singleValueExtendedProperties($filter=id%20eq%20'Integer%200x0E23')";
    struct fixture x;
    fixture_set_up(&x, 1);
    fixture_get(&x, target);
    CU_ASSERT_EQUAL(x.status, 500);
    x.s.settings.delta_expand = EXPAND_HONOUR;
    fixture_get(&x, target);
    CU_ASSERT_EQUAL(x.status, 200);
    fixture_tear_down(&x);
}

extern const struct unit_test delta_tests[];
const struct unit_test delta_tests[] = {
    {"rounds, removals, returns", test_rounds},
    {"empty pages and repeats", test_empty_pages_and_repeats},
    {"replication lag", test_lag},
    {"stale state", test_stale_state},
    {"changes that delta does not tell", test_quiet_changes},
    {"a late touch", test_late_touch},
    {"folders", test_folder_rounds},
    {"dead and foreign links", test_dead_and_foreign_links},
    {"$expand", test_expand},
    {NULL, NULL},
};
