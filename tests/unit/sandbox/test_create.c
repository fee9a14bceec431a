#include "../unit.h"

#include "fixture.h"
#include "upload.h"

#include <string.h>

static const char inbox[] = USER "/mailFolders/inbox/messages";

static struct message *newest(const struct fixture *x)
{
    return x->b->messages[x->b->message_count - 1];
}

static void refused(struct fixture *x, const char *body, const char *code)
{
    size_t before = x->b->message_count;
    fixture_post(x, inbox, body);
    CU_ASSERT_EQUAL(x->status, 400);
    CU_ASSERT_STRING_EQUAL(fixture_code(x), code);
    CU_ASSERT_EQUAL(x->b->message_count, before);
}

static void test_strict(void)
{
#define X_HEADER "{\"name\":\"x-a\",\"value\":\"1\"}"
#define FIVE     X_HEADER "," X_HEADER "," X_HEADER "," X_HEADER "," X_HEADER
    struct fixture x;
    fixture_set_up(&x, 0);
    refused(&x, "{\"receivedDateTime\":\"2026-01-01T00:00:00Z\"}", "UnableToDeserializePostBody");
    refused(&x, "{\"isDraft\":false}", "UnableToDeserializePostBody");
    refused(&x, "{\"nonsense\":1}", "UnableToDeserializePostBody");
    refused(&x, "{\"@odata.etag\":\"x\"}", "UnableToDeserializePostBody");
    refused(&x, "{\"internetMessageHeaders\":[{\"name\":\"List-Id\",\"value\":\"1\"}]}",
            "InvalidInternetMessageHeader");
    refused(&x, "{\"internetMessageHeaders\":[" FIVE "," X_HEADER "]}",
            "InvalidInternetMessageHeaderCollection");
    fixture_post(&x, inbox, "{\"internetMessageHeaders\":[" FIVE "]}");
    CU_ASSERT_EQUAL(x.status, 201);
    fixture_post(&x, inbox, "{\"@odata.type\":\"#microsoft.graph.message\",\"subject\":\"s\"}");
    CU_ASSERT_EQUAL(x.status, 201);
    CU_ASSERT(newest(&x)->is_draft && newest(&x)->is_read);
    fixture_tear_down(&x);
}

static void test_creation_properties(void)
{
    static const char body[] = "{\"subject\":\"s\",\"isRead\":true,\"categories\":[\"a\"],"
                               "\"body\":{\"contentType\":\"text\",\"content\":\"b\"},"
                               "\"singleValueExtendedProperties\":["
                               "{\"id\":\"Integer 0x0E07\",\"value\":\"4\"},"
                               "{\"id\":\"SystemTime 0x0E06\",\"value\":\"2020-01-02T03:04:05Z\"},"
                               "{\"id\":\"SystemTime 0x0039\",\"value\":\"2019-01-02T03:04:05Z\"},"
                               "{\"id\":\"String 0x1035\",\"value\":\"<a@b>\"},"
                               "{\"id\":\"String 0x1042\",\"value\":\"<c@d>\"},"
                               "{\"id\":\"String 0x1039\",\"value\":\"<e@f> <c@d>\"},"
                               "{\"id\":\"String 0x007D\",\"value\":\"Subject: s\\r\\n\\r\\n\"}]}";
    struct fixture x;
    fixture_set_up(&x, 0);
    fixture_post(&x, inbox, body);
    CU_ASSERT_EQUAL(x.status, 201);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "isDraft"), "false");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "isRead"), "true");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "receivedDateTime"), "2020-01-02T03:04:05Z");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "sentDateTime"), "2019-01-02T03:04:05Z");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "internetMessageId"), "<a@b>");
    fixture_get(&x, fixture_message(newest(&x), "?$expand=singleValueExtendedProperties($filter="
                                                "id%20eq%20'String%200x1042'%20or%20id%20eq%20'"
                                                "String%200x1039'%20or%20id%20eq%20'String%20"
                                                "0x007D')"));
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "singleValueExtendedProperties/0/value"), "<c@d>");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "singleValueExtendedProperties/1/value"),
                           "<e@f> <c@d>");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "singleValueExtendedProperties/2/value"),
                           "Subject: s\r\n\r\n");
    /* Later it is too late. */
    CU_ASSERT_EQUAL(fixture_violations(&x, "lost-property"), 0);
    fixture_send(&x, "PATCH", fixture_message(newest(&x), ""), NULL,
                 "{\"singleValueExtendedProperties\":["
                 "{\"id\":\"SystemTime 0x0E06\",\"value\":\"2021-01-01T00:00:00Z\"},"
                 "{\"id\":\"Integer 0x0E07\",\"value\":\"8\"}]}");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "receivedDateTime"), "2020-01-02T03:04:05Z");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "isDraft"), "false");
    CU_ASSERT_EQUAL(fixture_violations(&x, "lost-property"), 2);
    fixture_tear_down(&x);
}

static void test_attachments_inline(void)
{
    static const char body[] =
        "{\"subject\":\"s\",\"body\":{\"contentType\":\"html\",\"content\":\"<p>b\"},"
        "\"attachments\":[{\"@odata.type\":\"#microsoft.graph.fileAttachment\",\"name\":\"a.txt\","
        "\"contentType\":\"text/plain\",\"contentBytes\":\"aGVsbG8=\"},"
        "{\"@odata.type\":\"#microsoft.graph.itemAttachment\",\"name\":\"i\",\"item\":{"
        "\"@odata.type\":\"#microsoft.graph.message\",\"subject\":\"inner\"}}]}";
    struct fixture x;
    fixture_set_up(&x, 0);
    fixture_post(&x, inbox, body);
    CU_ASSERT_EQUAL(x.status, 201);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "hasAttachments"), "true");
    fixture_get(&x, fixture_message(newest(&x), "/$value"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&x.text), "multipart/mixed"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&x.text), "aGVsbG8="));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&x.text), "Subject: inner\r\n"));
    refused(&x, "{\"attachments\":[{\"name\":\"a\",\"contentBytes\":\"\"}]}",
            "UnableToDeserializePostBody");
    refused(&x,
            "{\"attachments\":[{\"@odata.type\":\"#microsoft.graph.fileAttachment\","
            "\"name\":\"a\",\"contentBytes\":\"a GV\"}]}",
            "RequestBodyRead");
    refused(&x,
            "{\"attachments\":[{\"@odata.type\":\"#microsoft.graph.fileAttachment\","
            "\"name\":\"a\",\"contentBytes\":\"\",\"size\":3}]}",
            "UnableToDeserializePostBody");
    fixture_tear_down(&x);
}

/* The collection: of a draft, and of a message that came as MIME. */
static void test_attachments(void)
{
    static const char file[] =
        "{\"@odata.type\":\"#microsoft.graph.fileAttachment\",\"name\":\"b\",\"isInline\":true,"
        "\"contentId\":\"c1\",\"contentBytes\":\"AAEC\"}";
    static const char mime[] = "Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                               "--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/png; name=p.png\r\n"
                               "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b--\r\n";
    struct fixture x;
    char target[512], value[600];
    fixture_set_up(&x, 0);
    struct message *m = fixture_add(&x, "inbox", mime);
    fixture_get(&x, fixture_message(m, "/attachments?$select=name,size"));
    CU_ASSERT_EQUAL(fixture_items(&x), 1);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "value/0/name"), "p.png");
    CU_ASSERT_PTR_NULL(fixture_member(&x, "value/0/contentBytes"));
    fixture_post(&x, fixture_message(m, "/attachments"), file);
    CU_ASSERT_EQUAL(x.status, 201);
    snprintf(target, sizeof target, "/attachments/%s", fixture_string(&x, "id"));
    fixture_get(&x, fixture_message(m, target));
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "contentBytes"), "AAEC");
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "contentId"), "c1");
    snprintf(value, sizeof value, "%s/$value", target);
    fixture_get(&x, fixture_message(m, value));
    CU_ASSERT_EQUAL(x.text.len, 3);
    fixture_get(&x, fixture_message(m, "/$value"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&x.text), "Content-ID: <c1>"));
    fixture_send(&x, "DELETE", fixture_message(m, target), NULL, NULL);
    CU_ASSERT_EQUAL(x.status, 204);
    fixture_get(&x, fixture_message(m, target));
    CU_ASSERT_EQUAL(x.status, 404);
    fixture_get(&x, fixture_message(m, "/attachments?$top=1"));
    CU_ASSERT_EQUAL(x.status, 400);
    fixture_tear_down(&x);
}

static void test_copy(void)
{
    static const char body[] =
        "{\"subject\":\"s\",\"attachments\":[{\"@odata.type\":\"#microsoft.graph.fileAttachment\","
        "\"name\":\"a\",\"contentBytes\":\"aGVsbG8=\"}],\"singleValueExtendedProperties\":["
        "{\"id\":\"Integer 0x1081\",\"value\":\"102\"},"
        "{\"id\":\"SystemTime 0x0E06\",\"value\":\"2020-01-02T03:04:05Z\"}]}";
    struct fixture x;
    fixture_set_up(&x, 0);
    fixture_post(&x, inbox, body);
    struct message *m = newest(&x);
    fixture_post(&x, fixture_message(m, "/copy"), "{\"destinationId\":\"archive\"}");
    CU_ASSERT_EQUAL(x.status, 201);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "receivedDateTime"), "2020-01-02T03:04:05Z");
    struct message *copy = newest(&x);
    CU_ASSERT_PTR_NOT_EQUAL(copy, m);
    message_destroy(m);
    fixture_get(&x, fixture_message(copy, "/attachments"));
    CU_ASSERT_EQUAL(fixture_items(&x), 1);
    x.s.settings.mailbox_full = QUOTA_403;
    fixture_post(&x, fixture_message(copy, "/copy"), "{\"destinationId\":\"inbox\"}");
    CU_ASSERT_EQUAL(x.status, 403);
    x.s.settings.mailbox_full = QUOTA_507;
    fixture_post(&x, inbox, "{}");
    CU_ASSERT_EQUAL(x.status, 507);
    fixture_tear_down(&x);
}

/* -- upload sessions ------------------------------------------------------------------------ */

#define TOTAL (5 * 1024 * 1024)
#define PIECE (3 * 1024 * 1024)

static void put(struct fixture *x, const char *method, const char *url, const char *range,
                size_t len, bool token)
{
    static char bytes[UPLOAD_PIECE_MAX + 1];
    struct request_pair headers[] = {{.name = "Content-Range", .value = range},
                                     {.name = "Authorization", .value = "Bearer x"}};
    struct request r = {.arena = arena_new(),
                        .method = method,
                        .origin = x->s.upload_origin,
                        .headers = headers,
                        .header_count = token ? 2 : 1,
                        .body = bytes,
                        .body_len = len};
    struct answer a;
    answer_init(&a);
    CU_ASSERT(request_parse_target(&r, url + strlen(x->s.upload_origin)));
    upload_handle(&x->s, &r, &a);
    x->status = a.status;
    json_object_put(x->answer);
    x->answer = json_tokener_parse(buf_str(&a.body));
    answer_free(&a);
    arena_free(&r.arena);
}

static void open_session(struct fixture *x, struct message *m, char url[1024])
{
    static const char item[] =
        "{\"AttachmentItem\":{\"attachmentType\":\"file\",\"name\":\"big\",\"size\":5242880}}";
    fixture_post(x, fixture_message(m, "/attachments/createUploadSession"), item);
    CU_ASSERT_EQUAL(x->status, 201);
    CU_ASSERT_STRING_EQUAL(fixture_string(x, "nextExpectedRanges/0"), "0-");
    snprintf(url, 1024, "%s", fixture_string(x, "uploadUrl"));
}

static void test_upload(void)
{
    struct fixture x;
    char url[1024];
    fixture_set_up(&x, 1);
    struct message *m = x.inbox->items[0];
    x.s.upload_origin = strdup("https://127.0.0.1:1");
    open_session(&x, m, url);
    put(&x, "PUT", url, "bytes 1-3145728/5242880", PIECE, false);
    CU_ASSERT_EQUAL(x.status, 416);
    put(&x, "PUT", url, "bytes 0-3145727/5242881", PIECE, false);
    CU_ASSERT_EQUAL(x.status, 400);
    put(&x, "PUT", url, "bytes 0-4194304/5242880", UPLOAD_PIECE_MAX + 1, false);
    CU_ASSERT_EQUAL(x.status, 413);
    put(&x, "PUT", url, "bytes 0-3145727/5242880", PIECE, true);
    CU_ASSERT_EQUAL(x.status, 401);
    CU_ASSERT_EQUAL(fixture_violations(&x, "upload-authorization"), 1);
    put(&x, "PUT", url, "bytes 0-3145727/5242880", PIECE, false);
    CU_ASSERT_EQUAL(x.status, 200);
    CU_ASSERT_STRING_EQUAL(fixture_string(&x, "NextExpectedRanges/0"), "3145728");
    put(&x, "PUT", url, "bytes 3145728-5242879/5242880", TOTAL - PIECE, false);
    CU_ASSERT_EQUAL(x.status, 201);
    CU_ASSERT_EQUAL(m->content->items[0].size, TOTAL);
    CU_ASSERT(m->size > TOTAL);
    put(&x, "PUT", url, "bytes 3145728-5242879/5242880", TOTAL - PIECE, false);
    CU_ASSERT_EQUAL(x.status, 404);
    fixture_tear_down(&x);
}

static void test_upload_ends(void)
{
    struct fixture x;
    char url[1024];
    fixture_set_up(&x, 1);
    struct message *m = x.inbox->items[0];
    x.s.upload_origin = strdup("https://127.0.0.1:1");
    fixture_post(&x, fixture_message(m, "/attachments/createUploadSession"),
                 "{\"AttachmentItem\":{\"attachmentType\":\"file\",\"name\":\"a\",\"size\":9}}");
    CU_ASSERT_STRING_EQUAL(fixture_code(&x), "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize");
    open_session(&x, m, url);
    put(&x, "DELETE", url, "", 0, false);
    CU_ASSERT_EQUAL(x.status, 204);
    put(&x, "PUT", url, "bytes 0-3145727/5242880", PIECE, false);
    CU_ASSERT_EQUAL(x.status, 404);
    x.s.settings.upload_life_s = 0;
    open_session(&x, m, url);
    put(&x, "PUT", url, "bytes 0-3145727/5242880", PIECE, false);
    CU_ASSERT_EQUAL(x.status, 404);
    fixture_tear_down(&x);
}

extern const struct unit_test create_tests[];
const struct unit_test create_tests[] = {
    {"what is refused", test_strict},
    {"what only creation honours", test_creation_properties},
    {"attachments in the message", test_attachments_inline},
    {"the collection of attachments", test_attachments},
    {"copy", test_copy},
    {"upload in pieces", test_upload},
    {"upload that ends early", test_upload_ends},
    {NULL, NULL},
};
