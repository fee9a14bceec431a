#include "../unit.h"

#include "fixture.h"

#include <string.h>

#define HEAD "Received: from a by b; x\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-A: 1\r\n"

static const char list_headers[] =
    USER "/mailFolders/%s/messages?$select=id&$expand=singleValueExtendedProperties"
         "($filter=id%%20eq%%20'String%%200x007D')";

static const char *headers_in(struct fixture *x, const char *folder)
{
    char target[512];
    snprintf(target, sizeof target, list_headers, folder);
    fixture_get(x, target);
    return fixture_string(x, "value/0/singleValueExtendedProperties/0/value");
}

static void test_transport_headers(void)
{
    struct fixture x;
    fixture_set_up(&x, 0);
    struct message *m = fixture_add(&x, "inbox", HEAD "\r\nbody");
    fixture_add(&x, "sentitems", HEAD "\r\nbody");
    CU_ASSERT_STRING_EQUAL(headers_in(&x, "inbox"), HEAD "\r\n");
    CU_ASSERT_STRING_EQUAL(headers_in(&x, "sentitems"), "");
    x.s.settings.headers = HEADERS_UNENDED;
    CU_ASSERT_STRING_EQUAL(headers_in(&x, "inbox"), HEAD);
    x.s.settings.headers = HEADERS_ABSENT;
    CU_ASSERT_STRING_EQUAL(headers_in(&x, "inbox"), "");
    x.s.settings.headers = HEADERS_CUT_255;
    CU_ASSERT_STRING_EQUAL(headers_in(&x, "inbox"), HEAD "\r\n");
    message_move(m, mailbox_well_known(x.b, "sentitems"));
    x.s.settings.headers = HEADERS_FULL;
    fixture_get(&x, fixture_message(m, "?$select=internetMessageHeaders"));
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "internetMessageHeaders/2/name"), "X-A");
    fixture_tear_down(&x);
}

/* 255 characters, not bytes. */
static void test_cut_headers(void)
{
    struct fixture x;
    struct buf mime = BUF_INIT(1024);
    buf_puts(&mime, "Subject: ");
    for (int i = 0; i < 300; i++)
        buf_puts(&mime, "\xc3\xbc");
    buf_puts(&mime, "\r\n\r\n");
    fixture_set_up(&x, 0);
    fixture_add(&x, "inbox", buf_str(&mime));
    buf_free(&mime);
    x.s.settings.headers = HEADERS_CUT_255;
    CU_ASSERT_EQUAL(strlen(headers_in(&x, "inbox")), 9 + 2 * (255 - 9));
    fixture_tear_down(&x);
}

/* Generated messages make their header block alone, and it is that of the whole text. */
static void test_generated_head(void)
{
    struct fixture x;
    const struct message_new n = {.seed = 7, .size = 5000, .received_ms = 1000};
    struct buf head = BUF_INIT(10000), text = BUF_INIT(10000);
    fixture_set_up(&x, 0);
    struct message *m = message_add(x.inbox, &n);
    size_t len;
    const char *h = message_head(m, &head, &len);
    const char *t = message_mime(m, &text);
    CU_ASSERT_EQUAL(mime_header_size(t, m->size), len);
    CU_ASSERT_EQUAL(memcmp(h, t, len), 0);
    buf_free(&head);
    buf_free(&text);
    fixture_tear_down(&x);
}

static void test_patch(void)
{
    static const char body[] =
        "{\"flag\":{\"flagStatus\":\"flagged\"},\"categories\":[\"Work\"],"
        "\"singleValueExtendedProperties\":[{\"id\":\"Integer 0x1081\",\"value\":\"102\"}]}";
    struct fixture x;
    fixture_set_up(&x, 1);
    struct message *m = x.inbox->items[0];
    char key[128], modified[64];
    fixture_get(&x, fixture_message(m, ""));
    snprintf(key, sizeof key, "%s", fixture_string(&x, "changeKey"));
    snprintf(modified, sizeof modified, "%s", fixture_string(&x, "lastModifiedDateTime"));
    fixture_send(&x, "PATCH", fixture_message(m, ""), NULL, body);
    CU_ASSERT_EQUAL(x.status, 200);
    CU_ASSERT_STRING_NOT_EQUAL(fixture_string(&x, "changeKey"), key);
    CU_ASSERT_STRING_NOT_EQUAL(fixture_string(&x, "lastModifiedDateTime"), modified);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "categories/0"), "Work");
    CU_ASSERT_PTR_NULL(fixture_member(&x, "singleValueExtendedProperties"));
    fixture_send(&x, "PATCH", fixture_message(m, ""), NULL, "{\"subject\":\"new\"}");
    CU_ASSERT_EQUAL(x.status, 400);
    fixture_tear_down(&x);
}

static void test_delete_and_purge(void)
{
    struct fixture x;
    fixture_set_up(&x, 3);
    struct message *m = x.inbox->items[0], *n = x.inbox->items[1];
    struct folder *dumpster = mailbox_well_known(x.b, "recoverableitemsdeletions");
    fixture_send(&x, "DELETE", fixture_message(m, ""), NULL, NULL);
    CU_ASSERT_PTR_EQUAL(m->folder, mailbox_well_known(x.b, "deleteditems"));
    fixture_send(&x, "DELETE", fixture_message(m, ""), NULL, NULL);
    CU_ASSERT_PTR_EQUAL(m->folder, dumpster);
    fixture_send(&x, "DELETE", fixture_message(m, ""), NULL, NULL);
    CU_ASSERT_STRING_EQUAL(fixture_code(&x), "ErrorCannotDeleteObject");
    x.s.settings.delete_to = DELETE_TO_DUMPSTER;
    fixture_send(&x, "DELETE", fixture_message(n, ""), NULL, NULL);
    CU_ASSERT_PTR_EQUAL(n->folder, dumpster);
    x.s.settings.permanent_delete = false;
    fixture_send(&x, "POST", fixture_message(n, "/permanentDelete"), NULL, NULL);
    CU_ASSERT_EQUAL(x.status, 400);
    x.s.settings.permanent_delete = true;
    fixture_send(&x, "POST", fixture_message(n, "/permanentDelete"), NULL, NULL);
    CU_ASSERT_EQUAL(x.status, 204);
    CU_ASSERT_PTR_NULL(n->folder);
    fixture_tear_down(&x);
}

static void test_kinds(void)
{
    static const char mime[] = "Subject: m\r\nContent-Type: text/calendar;\r\n"
                               " charset=utf-8; method=\"REQUEST\"\r\n\r\n";
    struct fixture x;
    fixture_set_up(&x, 0);
    fixture_add(&x, "inbox", mime);
    fixture_add(&x, "archive", "Subject: x\r\n\r\n");
    fixture_get(&x, USER "/mailFolders/inbox/messages");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "value/0/@odata.type"),
                           "#microsoft.graph.eventMessageRequest");
    fixture_get(&x, USER "/mailFolders/archive/messages");
    CU_ASSERT_PTR_NULL(fixture_member(&x, "value/0/@odata.type"));
    fixture_get(&x, USER "/mailFolders/archive/messages/delta");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "value/0/@odata.type"), "#microsoft.graph.message");
    fixture_tear_down(&x);
}

/* The mark \Deleted as the IMAP of Exchange keeps it, looked for by a filter. */
static void test_filter_extended(void)
{
    static const char mark[] =
        "{\"singleValueExtendedProperties\":[{\"id\":\"Integer {00062008-0000-0000-C000-"
        "000000000046} Id 0x8570\",\"value\":\"1\"}]}";
#define ANY(test)                                                                                  \
    USER "/mailFolders/inbox/messages/$count?$filter=singleValueExtendedProperties/any(ep:ep/id"   \
         "%20eq%20'Integer%20{00062008-0000-0000-C000-000000000046}%20Id%200x8570'%20and%20"       \
         "cast(ep/value,Edm.Int32)%20" test ")"
    struct fixture x;
    fixture_set_up(&x, 3);
    fixture_send(&x, "PATCH", fixture_message(x.inbox->items[1], ""), NULL, mark);
    CU_ASSERT_EQUAL(x.status, 200);
    fixture_get(&x, ANY("eq%201"));
    CU_ASSERT_STRING_EQUAL(buf_str(&x.text), "1");
    fixture_get(&x, ANY("ne%200"));
    CU_ASSERT_STRING_EQUAL(buf_str(&x.text), "1");
    fixture_get(&x, ANY("eq%20null"));
    CU_ASSERT_STRING_EQUAL(buf_str(&x.text), "2");
    fixture_get(&x, USER "/messages/$count");
    CU_ASSERT_STRING_EQUAL(buf_str(&x.text), "3");
    fixture_tear_down(&x);
}

static void test_windows(void)
{
    struct fixture x;
    fixture_set_up(&x, 3);
    x.inbox->items[0]->received_ms = 1000;
    x.inbox->items[1]->received_ms = 2000;
    fixture_get(&x, USER "/mailFolders/inbox/messages?$count=true&$orderby=receivedDateTime&"
                         "$filter=receivedDateTime%20ge%201970-01-01T00:00:01Z%20and%20"
                         "receivedDateTime%20lt%201970-01-01T00:00:02Z");
    CU_ASSERT_EQUAL(fixture_items(&x), 1);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "@odata.count"), "1");
    fixture_get(&x, USER "/mailFolders/inbox/messages?$orderby=receivedDateTime&"
                         "$filter=isRead%20eq%20false");
    CU_ASSERT_STRING_EQUAL(fixture_code(&x), "InefficientFilter");
    fixture_tear_down(&x);
}

static void test_conversation(void)
{
    struct fixture x;
    char id[ID_SIZE];
    fixture_set_up(&x, 0);
    struct message *m = fixture_add(&x, "inbox", "Subject: Plan\r\n\r\n");
    struct message *reply = fixture_add(&x, "inbox", "Subject: RE: plan\r\n\r\n");
    struct message *other = fixture_add(&x, "inbox", "Subject: Planet\r\n\r\n");
    fixture_get(&x, fixture_message(m, ""));
    snprintf(id, sizeof id, "%s", fixture_string(&x, "conversationId"));
    fixture_get(&x, fixture_message(reply, ""));
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "conversationId"), id);
    fixture_get(&x, fixture_message(other, ""));
    CU_ASSERT_STRING_NOT_EQUAL(fixture_string(&x, "conversationId"), id);
    fixture_tear_down(&x);
}

static void test_careless(void)
{
    struct fixture x;
    char target[1024], id[ID_SIZE];
    fixture_set_up(&x, 1);
    struct message *m = x.inbox->items[0];
    id_message(x.b, m, true, id);
    fixture_get(&x, fixture_message(m, ""));
    CU_ASSERT_EQUAL(fixture_violations(&x, "unescaped-id"), 0);
    snprintf(target, sizeof target, USER "/messages/%s", id);
    fixture_get(&x, target);
    CU_ASSERT_EQUAL(fixture_violations(&x, "unescaped-id"), strchr(id, '=') ? 1 : 0);
    fixture_tear_down(&x);
}

extern const struct unit_test messages_tests[];
const struct unit_test messages_tests[] = {
    {"transport headers", test_transport_headers},
    {"transport headers cut short", test_cut_headers},
    {"the head of a generated message", test_generated_head},
    {"PATCH", test_patch},
    {"derived types", test_kinds},
    {"a filter on an extended property", test_filter_extended},
    {"windows of time", test_windows},
    {"conversations", test_conversation},
    {"ids that are not encoded", test_careless},
    {"DELETE and permanentDelete", test_delete_and_purge},
    {NULL, NULL},
};
