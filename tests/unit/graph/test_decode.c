/* The decoders, first of all on what Graph and its documentation really answer. */
#include "../unit.h"

#include "decode.h"
#include "error.h"
#include "oauth.h"

#include "postern/base/file.h"

#include <string.h>

#ifndef SAMPLES
#error "SAMPLES names the directory of the samples"
#endif

enum decoder { PAGE, MESSAGE, FOLDER_PAGE, FOLDER, CLASSIFY, TOKEN };

/* What each sample must come to. Some samples are not what their names say (the documentation's
 * own build left request blocks in their place): those must be clean errors. */
static const struct sample {
    const char *name;
    enum decoder decoder;
    int status;
    enum error_kind kind;
    size_t count; /* of a page */
} samples[] = {
    {"ANY-ErrorAccessDenied-application-access-policy.json", CLASSIFY, 403, ERROR_DENIED, 0},
    {"ANY-ErrorNonExistentMailbox-404.json", CLASSIFY, 404, ERROR_MAILBOX_GONE, 0},
    {"ANY-generic-error-shape.json", CLASSIFY, 400, ERROR_REQUEST, 0},
    {"ANY-throttled-429.json", CLASSIFY, 429, ERROR_THROTTLED, 0},
    {"GET-attachment-file-200.json", PAGE, 200, ERROR_ANSWER, 0},
    {"GET-attachment-item-expanded-200.json", PAGE, 200, ERROR_ANSWER, 0},
    {"GET-childFolders-includeHidden-200.json", FOLDER_PAGE, 200, ERROR_NONE, 2},
    {"GET-mailFolder-200.json", FOLDER, 200, ERROR_NONE, 0},
    {"GET-mailFolders-list-with-searchfolder-200.json", FOLDER_PAGE, 200, ERROR_NONE, 9},
    {"GET-masterCategories-200.json", FOLDER_PAGE, 200, ERROR_NONE, 6},
    {"GET-message-200.json", MESSAGE, 200, ERROR_ANSWER, 0},
    {"GET-message-body-as-text-200.json", MESSAGE, 200, ERROR_ANSWER, 0},
    {"GET-message-expand-singleValueExtendedProperties-200.json", MESSAGE, 200, ERROR_NONE, 0},
    {"GET-message-internetMessageHeaders-200.json", MESSAGE, 200, ERROR_ANSWER, 0},
    {"GET-messages-delta-round1-page1-nextLink-200.json", PAGE, 200, ERROR_NONE, 2},
    {"GET-messages-delta-round1-page2-nextLink-200.json", PAGE, 200, ERROR_NONE, 2},
    {"GET-messages-delta-round1-page3-deltaLink-200.json", PAGE, 200, ERROR_NONE, 1},
    {"GET-messages-delta-round2-removed-and-updated-200.json", PAGE, 200, ERROR_NONE, 2},
    {"GET-messages-list-select-200.json", PAGE, 200, ERROR_NONE, 1},
    {"GET-user-mailboxSettings-200.json", PAGE, 200, ERROR_ANSWER, 0},
    {"POST-attachment-file-201.json", PAGE, 201, ERROR_ANSWER, 0},
    {"POST-batch-request-dependsOn.json", PAGE, 200, ERROR_ANSWER, 0},
    {"POST-batch-response-200.json", PAGE, 200, ERROR_ANSWER, 0},
    {"POST-createImportSession-200.json", MESSAGE, 200, ERROR_ANSWER, 0},
    {"POST-createUploadSession-201.json", MESSAGE, 201, ERROR_ANSWER, 0},
    {"POST-importItem-create-200.json", MESSAGE, 200, ERROR_ANSWER, 0},
    {"POST-mailFolders-create-hidden-201.json", FOLDER, 201, ERROR_NONE, 0},
    {"POST-message-move-201.json", MESSAGE, 201, ERROR_NONE, 0},
    {"POST-messages-bad-mime-400.json", CLASSIFY, 400, ERROR_REQUEST, 0},
    {"POST-messages-custom-headers-201.json", MESSAGE, 201, ERROR_NONE, 0},
    {"POST-messages-json-draft-201.json", MESSAGE, 201, ERROR_NONE, 0},
    {"POST-messages-mime-draft-201.json", MESSAGE, 201, ERROR_NONE, 0},
    {"POST-sendMail-ErrorSendAsDenied-403.json", CLASSIFY, 403, ERROR_DENIED, 0},
    {"POST-subscriptions-201.json", PAGE, 201, ERROR_ANSWER, 0},
    {"POST-translateExchangeIds-200.json", PAGE, 200, ERROR_ANSWER, 0},
    {"PUT-upload-range-200.json", MESSAGE, 200, ERROR_ANSWER, 0},
    {"observed-BadRequest-max-request-length.json", CLASSIFY, 400, ERROR_TOO_BIG, 0},
    {"observed-MailboxConcurrency-429.json", CLASSIFY, 429, ERROR_THROTTLED, 0},
    {"observed-delta-SyncStateNotFound-410.json", CLASSIFY, 410, ERROR_RESYNC, 0},
    {"observed-search-error-inside-200-truncated.txt", PAGE, 200, ERROR_ANSWER, 0},
    {"observed-value-under-mailFolders-ErrorInvalidRequest-400.json", CLASSIFY, 400, ERROR_REQUEST,
     0},
    {"token-client_credentials-200.json", TOKEN, 200, ERROR_NONE, 0},
    {"token-device_code-200.json", TOKEN, 200, ERROR_NONE, 0},
    {"token-error-invalid_scope-400.json", TOKEN, 400, ERROR_SIGN_IN, 0},
    {"token-imds-managed-identity-200.json", TOKEN, 200, ERROR_NONE, 0},
};

static struct arena *arena;

static void decode_token(const struct answer *a, const struct buf *b, struct error *e)
{
    struct oauth_grant t;
    oauth_grant_decode(a, b->data, b->len, &t, e);
    oauth_grant_clear(&t);
}

/* The number of items, for the pages. */
static size_t decode(const struct sample *s, const struct buf *b, struct error *e)
{
    struct answer a = {.status = s->status};
    struct graph_page page = {0};
    struct graph_folder_page folders = {0};
    struct graph_message m;
    struct graph_folder f;
    size_t count = 0;
    switch (s->decoder) {
    case PAGE:
        count = decode_page(b->data, b->len, &page, e) ? page.count : 0;
        graph_page_free(&page);
        break;
    case FOLDER_PAGE:
        count = decode_folder_page(b->data, b->len, &folders, e) ? folders.count : 0;
        graph_folder_page_free(&folders);
        break;
    case MESSAGE:
        decode_message(b->data, b->len, arena, &m, e);
        break;
    case FOLDER:
        decode_folder(b->data, b->len, arena, &f, e);
        break;
    case CLASSIFY:
        graph_error_classify(&a, SUBJECT_MESSAGE, b->data, b->len, e);
        break;
    case TOKEN:
        decode_token(&a, b, e);
        break;
    }
    return count;
}

static void read_sample(const char *dir, const char *name, struct buf *out)
{
    char path[1024];
    struct error e = ERROR_INIT;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!file_read(path, out, &e))
        CU_FAIL_FATAL("a sample cannot be read");
}

static void check_directory(const char *dir)
{
    arena = arena_new();
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct buf b = BUF_INIT(1 << 20);
        struct error e = ERROR_INIT;
        read_sample(dir, samples[i].name, &b);
        size_t count = decode(&samples[i], &b, &e);
        if (e.kind != samples[i].kind || count != samples[i].count)
            fprintf(stderr, "%s: %s %zu %s\n", samples[i].name, error_kind_name(e.kind), count,
                    e.text);
        CU_ASSERT_EQUAL(e.kind, samples[i].kind);
        CU_ASSERT_EQUAL(count, samples[i].count);
        buf_free(&b);
    }
    arena_free(&arena);
}

static void test_samples(void)
{
    check_directory(SAMPLES);
    if (getenv("POSTERN_SAMPLES"))
        check_directory(getenv("POSTERN_SAMPLES"));
}

static bool page(const char *json, struct graph_page *p, struct error *e)
{
    error_clear(e);
    return decode_page(json, strlen(json), p, e);
}

static void test_delta_sample(void)
{
    struct buf b = BUF_INIT(1 << 20);
    struct graph_page p;
    struct error e = ERROR_INIT;
    read_sample(SAMPLES, "GET-messages-delta-round2-removed-and-updated-200.json", &b);
    CU_ASSERT_FATAL(decode_page(b.data, b.len, &p, &e));
    CU_ASSERT(p.messages[0].removed);
    CU_ASSERT_EQUAL(p.messages[0].has, 0);
    CU_ASSERT(!p.messages[1].removed);
    CU_ASSERT(p.messages[1].is_read);
    CU_ASSERT_EQUAL(p.messages[1].has, GRAPH_HAS_READ);
    CU_ASSERT_PTR_NULL(p.next_link);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.delta_link, "$deltatoken="));
    graph_page_free(&p);
    buf_free(&b);
}

static void test_message(void)
{
    static const char json[] =
        "{\"value\":[{\"id\":\"A\",\"isRead\":\"false\",\"isDraft\":null,\"unknown\":[1],"
        "\"flag\":{\"flagStatus\":\"flagged\"},\"categories\":[\"Red\",\"\xc3\xa4\"],"
        "\"receivedDateTime\":\"2026-06-01T10:00:00Z\",\"changeKey\":\"K\",\"parentFolderId\":"
        "\"P\","
        "\"singleValueExtendedProperties\":["
        "{\"id\":\"Integer 0xe23\",\"value\":\"77\"},{\"id\":\"long 0x00000E08\",\"value\":5000},"
        "{\"id\":\"Integer 0x1081\",\"value\":\"102\"},"
        "{\"id\":\"Integer {00062008-0000-0000-c000-000000000046} Id 0x00008570\","
        "\"value\":\"1\"}]}],\"@odata.nextLink\":\"https://x/\"}";
    struct graph_page p;
    struct error e;
    CU_ASSERT_FATAL(page(json, &p, &e));
    const struct graph_message *m = &p.messages[0];
    CU_ASSERT_EQUAL(m->has, (GRAPH_HAS_IMAP_DELETED << 1) - 1 - GRAPH_HAS_DRAFT);
    CU_ASSERT(!m->is_read);
    CU_ASSERT_STRING_EQUAL(m->flag_status, "flagged");
    CU_ASSERT_STRING_EQUAL(m->categories[1], "\xc3\xa4");
    CU_ASSERT_PTR_NULL(m->categories[2]);
    CU_ASSERT_EQUAL(m->received_ms, 1780308000000);
    CU_ASSERT_EQUAL(m->article, 77);
    CU_ASSERT_EQUAL(m->size, 5000);
    CU_ASSERT_EQUAL(m->verb, 102);
    CU_ASSERT(m->imap_deleted);
    CU_ASSERT_STRING_EQUAL(p.next_link, "https://x/");
    graph_page_free(&p);
}

static void test_lenient(void)
{
    static const char *const good[] = {
        "{\"value\":[]}",
        " \r\n{\"value\":[]}\n ",
        "{\"value\":[{\"id\":\"A\"}],\"@odata.nextLink\":null}",
        "{\"value\":[{\"id\":\"A\",\"categories\":null,\"flag\":null,\"receivedDateTime\":null}]}",
        "{\"value\":[{\"id\":\"A\",\"receivedDateTime\":\"never\"}]}",
        "{\"value\":[{\"id\":\"A\",\"singleValueExtendedProperties\":"
        "[null,{},{\"id\":5},{\"id\":\"Integer 0x0E23\"},{\"id\":\"rubbish\",\"value\":[]}]}]}",
        "{\"value\":[{\"id\":\"A\",\"singleValueExtendedProperties\":"
        "[{\"id\":\"Integer 0x0E23\",\"value\":\"12x\"}]}]}",
        "{\"value\":[{\"id\":\"A\",\"@removed\":null}]}",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct graph_page p;
        struct error e;
        bool ok = page(good[i], &p, &e);
        CU_ASSERT(ok);
        if (!ok)
            continue;
        CU_ASSERT(p.count == 0 || !(p.messages[0].has & GRAPH_HAS_ARTICLE));
        graph_page_free(&p);
    }
}

static void test_strict(void)
{
    static const char *const bad[] = {
        "",
        "   ",
        "{",
        "{\"value\":[",
        "{\"value\":[]",
        "{\"value\":[]}x",
        "{\"value\":[]}{}",
        "[]",
        "null",
        "<html>",
        "{\"value\":null}",
        "{\"value\":{}}",
        "{\"values\":[]}",
        "{\"value\":[null]}",
        "{\"value\":[1]}",
        "{\"value\":[{}]}",
        "{\"value\":[{\"id\":\"\"}]}",
        "{\"value\":[{\"id\":5}]}",
        "{\"value\":[{\"id\":\"a\\u0000b\"}]}",
        "{\"value\":[{\"error\":{\"code\":\"X\"}}]}",
        "{\"error\":{\"code\":\"X\"},\"value\":[]}",
        "{\"value\":[{\"id\":\"A\",\"isRead\":\"yes\"}]}",
        "{\"value\":[{\"id\":\"A\",\"isRead\":{}}]}",
        "{\"value\":[{\"id\":\"A\",\"categories\":[1]}]}",
        "{\"value\":[{\"id\":\"A\",\"flag\":\"flagged\"}]}",
        "{\"value\":[{\"id\":\"\xff\"}]}",
        "{\"value\":[],\"@odata.nextLink\":7}",
        "{\"value\":[],}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct graph_page p;
        struct error e;
        bool ok = page(bad[i], &p, &e);
        if (ok) {
            fprintf(stderr, "taken: %s\n", bad[i]);
            graph_page_free(&p);
        }
        CU_ASSERT(!ok);
        CU_ASSERT_EQUAL(e.kind, ERROR_ANSWER);
    }
}

/* Nested to the limit and one over it, inside a member that nobody reads. */
static void test_depth(void)
{
    for (int depth = 20; depth <= 40; depth += 20) {
        struct buf b = BUF_INIT(4096);
        struct graph_page p;
        struct error e;
        buf_puts(&b, "{\"value\":[],\"x\":");
        for (int i = 0; i < depth; i++)
            buf_putc(&b, '[');
        for (int i = 0; i < depth; i++)
            buf_putc(&b, ']');
        buf_putc(&b, '}');
        bool ok = page(buf_str(&b), &p, &e);
        CU_ASSERT_EQUAL(ok, depth == 20);
        if (ok)
            graph_page_free(&p);
        buf_free(&b);
    }
}

/* What no honest server writes, in the places of numbers: a number within bounds, none, or an
 * error; never another one's sign or a wrapped one. */
static void test_numbers(void)
{
    static const struct {
        const char *text;
        bool ok, has;
        int64_t value;
    } numbers[] = {
        {"-0", true, true, 0},
        {"9223372036854775807", true, true, INT64_MAX},
        {"9223372036854775808", true, true, INT64_MAX},
        {"18446744073709551616", true, true, INT64_MAX},
        {"-9223372036854775809", true, true, INT64_MIN},
        {"\"9223372036854775808\"", true, false, 0},
        {"\"-0\"", true, true, 0},
        {"\"1e3\"", true, false, 0},
        {"\"0x10\"", true, false, 0},
        {"\"\"", true, false, 0},
        {"1e999", false, false, 0},
        {"1.5", false, false, 0},
        {"1e300", false, false, 0},
        {"true", false, false, 0},
        {"[1]", false, false, 0},
        {"{}", false, false, 0},
        {"NaN", false, false, 0},
        {"Infinity", false, false, 0},
        {"+1", false, false, 0},
        {"0x10", false, false, 0},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char json[256];
        struct graph_page p;
        struct error e;
        snprintf(json, sizeof json,
                 "{\"value\":[{\"id\":\"A\",\"singleValueExtendedProperties\":["
                 "{\"id\":\"Integer 0x0E23\",\"value\":%s}]}]}",
                 numbers[i].text);
        bool ok = page(json, &p, &e);
        if (ok != numbers[i].ok)
            fprintf(stderr, "%s: %s\n", numbers[i].text, ok ? "taken" : e.text);
        CU_ASSERT_EQUAL(ok, numbers[i].ok);
        if (!ok)
            continue;
        CU_ASSERT_EQUAL(!!(p.messages[0].has & GRAPH_HAS_ARTICLE), numbers[i].has);
        CU_ASSERT(!numbers[i].has || p.messages[0].article == numbers[i].value);
        graph_page_free(&p);
    }
}

/* Texts that are no UTF-8, or that no UTF-8 can be made of; a member that is there twice. */
static void test_texts(void)
{
    static const struct {
        const char *text;
        bool ok;
    } texts[] = {
        {"{\"value\":[{\"id\":\"\xc0\xaf\"}]}", false},         /* overlong */
        {"{\"value\":[{\"id\":\"\xed\xa0\x80\"}]}", false},     /* a surrogate */
        {"{\"value\":[{\"id\":\"\xf5\x80\x80\x80\"}]}", false}, /* beyond Unicode */
        {"{\"value\":[{\"id\":\"\\ud800\"}]}", true},           /* alone: replaced */
        {"{\"value\":[{\"id\":\"\\udc00\\ud800\"}]}", true},
        {"{\"value\":[{\"id\":\"\\u12\"}]}", false},
        {"{\"value\":[{\"id\":\"\x80\"}]}", false},
        {"\xef\xbb\xbf{\"value\":[]}", false},
        {"{\"value\":[{\"id\":7,\"id\":\"A\"}]}", true}, /* the last one counts */
        {"{\"value\":[{\"id\":\"A\",\"id\":7}]}", false},
        {"{\"value\":[{\"id\":\"A\"}],\"value\":{}}", false},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct graph_page p;
        struct error e;
        bool ok = page(texts[i].text, &p, &e);
        if (ok != texts[i].ok)
            fprintf(stderr, "%s: %s\n", texts[i].text, ok ? "taken" : e.text);
        CU_ASSERT_EQUAL(ok, texts[i].ok);
        if (ok)
            graph_page_free(&p);
    }
}

static void test_items_max(void)
{
    for (size_t count = 10000; count <= 10001; count++) {
        struct buf b = BUF_INIT(1 << 20);
        struct graph_page p;
        struct error e;
        buf_puts(&b, "{\"value\":[");
        for (size_t i = 0; i < count; i++)
            buf_puts(&b, i ? ",{\"id\":\"A\"}" : "{\"id\":\"A\"}");
        buf_puts(&b, "]}");
        bool ok = page(buf_str(&b), &p, &e);
        CU_ASSERT_EQUAL(ok, count == 10000);
        if (ok)
            graph_page_free(&p);
        buf_free(&b);
    }
}

static void test_folder(void)
{
    static const char json[] =
        "{\"id\":\"F\",\"@odata.type\":\"#microsoft.graph.mailFolder\",\"displayName\":\"Inbox\","
        "\"totalItemCount\":\"3\",\"unreadItemCount\":-1,\"singleValueExtendedProperties\":["
        "{\"id\":\"String {8F0F7D1A-5F0E-4C47-9A35-5C3A2F6F9B61} Name PosternUidMark\","
        "\"value\":\"1;7;exact\"},{\"id\":\"Integer 0x6751\",\"value\":\"12\"}]}";
    struct graph_folder f;
    struct error e = ERROR_INIT;
    arena = arena_new();
    CU_ASSERT_FATAL(decode_folder(json, strlen(json), arena, &f, &e));
    CU_ASSERT_STRING_EQUAL(f.name, "Inbox");
    CU_ASSERT_EQUAL(f.total, 3);
    CU_ASSERT_EQUAL(f.unread, -1);
    CU_ASSERT_EQUAL(f.child_count, -1);
    CU_ASSERT_EQUAL(f.article_next, 12);
    CU_ASSERT_STRING_EQUAL(f.mark, "1;7;exact");
    CU_ASSERT(!f.search_folder);
    arena_free(&arena);
}

static void test_property_ids(void)
{
    struct property_id id;
    CU_ASSERT(property_id_parse("Integer 0x0E23", &id) && id.number == 0xe23 && !id.name);
    CU_ASSERT(property_id_parse("INTEGER  0Xe23 ", &id) && id.number == 0xe23);
    CU_ASSERT(property_id_parse("String {00062008-0000-0000-C000-000000000046} Name A b", &id));
    CU_ASSERT_STRING_EQUAL(id.name, "A b");
    static const char *const bad[] = {"",
                                      "Integer",
                                      "Integer ",
                                      "Integer 0x",
                                      "Integer 0xZZ",
                                      "Integer 0x1 2",
                                      "Integer e23",
                                      "Integer 0x123456789",
                                      "Integer {00062008} Id 0x1",
                                      "Integer {00062008-0000-0000-C000-000000000046}",
                                      "Integer {00062008-0000-0000-C000-000000000046} Name ",
                                      "AVeryLongTypeNameIndeed 0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT(!property_id_parse(bad[i], &id));
}

extern const struct unit_test decode_tests[];
const struct unit_test decode_tests[] = {
    {"every sample", test_samples},
    {"a delta page", test_delta_sample},
    {"a message with everything", test_message},
    {"what is taken leniently", test_lenient},
    {"what is refused", test_strict},
    {"nesting", test_depth},
    {"numbers out of bounds", test_numbers},
    {"texts that are none", test_texts},
    {"as many items as a page may have", test_items_max},
    {"a folder", test_folder},
    {"property ids", test_property_ids},
    {NULL, NULL},
};
