#include "../unit.h"

#include "fixture.h"

#include <string.h>

static const char named[] = "String {00020329-0000-0000-C000-000000000046} Name postern-test";

static void test_create_and_rename(void)
{
    struct fixture x;
    char target[1024];
    fixture_set_up(&x, 0);
    fixture_post(&x, USER "/mailFolders", "{\"displayName\":\"Projects\"}");
    CU_ASSERT_EQUAL(x.status, 201);
    fixture_post(&x, USER "/mailFolders", "{\"displayName\":\"projects\"}");
    CU_ASSERT_EQUAL(x.status, 409);
    CU_ASSERT_STRING_EQUAL(fixture_code(&x), "ErrorFolderExists");
    fixture_post(&x, USER "/mailFolders/inbox/childFolders", "{\"displayName\":\"Projects\"}");
    CU_ASSERT_EQUAL(x.status, 201);
    snprintf(target, sizeof target, USER "/mailFolders/%s", fixture_string(&x, "id"));
    fixture_send(&x, "PATCH", target, NULL, "{\"displayName\":\"Plans\"}");
    CU_ASSERT_EQUAL(x.status, 200);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "displayName"), "Plans");
    fixture_send(&x, "PATCH", target, NULL, "{\"totalItemCount\":5}");
    CU_ASSERT_EQUAL(x.status, 400);
    fixture_send(&x, "PATCH", USER "/mailFolders/inbox", NULL, "{\"displayName\":\"x\"}");
    CU_ASSERT_EQUAL(x.status, 403);
    fixture_post(&x, USER "/mailFolders", "{\"displayName\":\"a\",\"wellKnownName\":\"b\"}");
    CU_ASSERT_STRING_EQUAL(fixture_code(&x), "UnableToDeserializePostBody");
    fixture_tear_down(&x);
}

static void test_move_and_delete(void)
{
    struct fixture x;
    char target[1024], id[ID_SIZE];
    fixture_set_up(&x, 0);
    struct folder *a = mailbox_folder_path(x.b, "A"), *b = mailbox_folder_path(x.b, "A/B");
    id_folder(a, id);
    snprintf(target, sizeof target, USER "/mailFolders/%s/move", id);
    id_folder(b, id);
    char body[256];
    snprintf(body, sizeof body, "{\"destinationId\":\"%s\"}", id);
    fixture_post(&x, target, body);
    CU_ASSERT_STRING_EQUAL(fixture_code(&x), "ErrorMoveCopyFailed");
    fixture_post(&x, target, "{\"destinationId\":\"archive\"}");
    CU_ASSERT_EQUAL(x.status, 200);
    CU_ASSERT_PTR_EQUAL(a->parent, mailbox_well_known(x.b, "archive"));
    target[strlen(target) - strlen("/move")] = '\0';
    fixture_send(&x, "DELETE", target, NULL, NULL);
    CU_ASSERT_EQUAL(x.status, 204);
    CU_ASSERT_PTR_EQUAL(a->parent, mailbox_well_known(x.b, "deleteditems"));
    fixture_send(&x, "DELETE", target, NULL, NULL);
    CU_ASSERT_EQUAL(x.status, 204);
    CU_ASSERT(a->gone && b->gone);
    fixture_tear_down(&x);
}

/* A named property of a folder is there in listings and in one folder alike. */
static void test_named_property(void)
{
    struct fixture x;
    char target[1024], body[512];
    fixture_set_up(&x, 0);
    snprintf(body, sizeof body,
             "{\"singleValueExtendedProperties\":[{\"id\":\"%s\",\"value\":\"1 exact\"}]}", named);
    fixture_send(&x, "PATCH", USER "/mailFolders/inbox", NULL, body);
    CU_ASSERT_EQUAL(x.status, 200);
    snprintf(target, sizeof target,
             USER "/mailFolders?$top=1&$expand=singleValueExtendedProperties($filter=id%%20eq%%20'"
                  "String%%20{00020329-0000-0000-C000-000000000046}%%20Name%%20postern-test'%%20or"
                  "%%20id%%20eq%%20'Integer%%200x6751')");
    fixture_get(&x, target);
    CU_ASSERT_EQUAL(x.status, 200);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "value/0/singleValueExtendedProperties/0/value"),
                           "1 exact");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "value/0/singleValueExtendedProperties/1/value"),
                           "1");
    x.s.settings.article_next_absent = true;
    fixture_get(&x, target);
    CU_ASSERT_PTR_NULL(fixture_member(&x, "value/0/singleValueExtendedProperties/1"));
    fixture_tear_down(&x);
}

/* Deleted folders of one name make way for each other, or do not. */
static void test_delete_twice(void)
{
    struct fixture x;
    char target[1024], id[ID_SIZE];
    fixture_set_up(&x, 0);
    for (int i = 0; i < 3; i++) {
        x.s.settings.delete_folder = i == 2 ? DELETE_FOLDER_CONFLICT : DELETE_FOLDER_RENAME;
        id_folder(mailbox_folder_path(x.b, "A"), id);
        snprintf(target, sizeof target, USER "/mailFolders/%s", id);
        fixture_send(&x, "DELETE", target, NULL, NULL);
        CU_ASSERT_EQUAL(x.status, i == 2 ? 409 : 204);
    }
    CU_ASSERT_PTR_NOT_NULL(folder_child(mailbox_well_known(x.b, "deleteditems"), "A1"));
    fixture_tear_down(&x);
}

static void test_odd_folders(void)
{
    struct fixture x;
    fixture_set_up(&x, 2);
    mailbox_folder_path(x.b, "Inbox/Digests")->search = true;
    mailbox_folder_path(x.b, "Inbox/Clutter")->hidden = true;
    x.inbox->others = 5;
    x.inbox->others_unread = 1;
    fixture_get(&x, USER "/mailFolders/inbox");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "totalItemCount"), "7");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "unreadItemCount"), "3");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "childFolderCount"), "1");
    fixture_get(&x, USER "/mailFolders/inbox/childFolders");
    CU_ASSERT_EQUAL(fixture_items(&x), 1);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "value/0/@odata.type"),
                           "#microsoft.graph.mailSearchFolder");
    fixture_get(&x, USER "/mailFolders/inbox/childFolders?includeHiddenFolders=true");
    CU_ASSERT_EQUAL(fixture_items(&x), 2);
    fixture_tear_down(&x);
}

extern const struct unit_test folders_tests[];
const struct unit_test folders_tests[] = {
    {"create and rename", test_create_and_rename},
    {"move and delete", test_move_and_delete},
    {"a named property", test_named_property},
    {"a name deleted twice", test_delete_twice},
    {"search folders, hidden ones, other items", test_odd_folders},
    {NULL, NULL},
};
