#include "../unit.h"

#include "graph.h"

#include <string.h>

#define UPN "alerts@example.com"

struct fixture {
    struct sandbox s;
    struct mailbox *b;
    struct folder *inbox;
    int status;
    struct json_object *answer; /* of the last request */
};

static void set_up(struct fixture *x, size_t messages)
{
    sandbox_init(&x->s);
    x->b = model_add_mailbox(&x->s.model, UPN);
    x->inbox = mailbox_well_known(x->b, "inbox");
    x->answer = NULL;
    for (size_t i = 0; i < messages; i++) {
        const struct message_new n = {
            .mime = "Subject: x\r\n\r\n", .size = 14, .received_ms = 1, .at_start = true};
        message_add(x->inbox, &n);
    }
}

static void tear_down(struct fixture *x)
{
    json_object_put(x->answer);
    sandbox_free(&x->s);
}

static void get(struct fixture *x, const char *target)
{
    struct request_pair headers[] = {{.name = "Prefer", .value = "IdType=\"ImmutableId\""}};
    struct request r = {.arena = arena_new(),
                        .method = "GET",
                        .origin = "https://localhost",
                        .headers = headers,
                        .header_count = 1,
                        .body = ""};
    struct answer a;
    answer_init(&a);
    json_object_put(x->answer);
    CU_ASSERT(request_parse_target(&r, target));
    graph_dispatch(&x->s, &r, &a);
    x->status = a.status;
    x->answer = json_tokener_parse(buf_str(&a.body));
    answer_free(&a);
    arena_free(&r.arena);
}

static size_t items(const struct fixture *x)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(x->answer, "value", &value) ? json_object_array_length(value)
                                                                 : 0;
}

static bool removed(const struct fixture *x, size_t i)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(x->answer, "value", &value);
    return json_object_object_get_ex(json_object_array_get_idx(value, i), "@removed", NULL);
}

/* Follows a link of the last answer; false: there is none of this name. */
static bool follow(struct fixture *x, const char *name)
{
    struct json_object *link = NULL;
    if (!json_object_object_get_ex(x->answer, name, &link))
        return false;
    char target[4096];
    snprintf(target, sizeof target, "%s",
             json_object_get_string(link) + strlen("https://localhost"));
    get(x, target);
    return true;
}

static const char first[] =
    "/v1.0/users/" UPN "/mailFolders/inbox/messages/delta?$select=isRead&$top=2";

static size_t finish_round(struct fixture *x)
{
    size_t n = items(x);
    while (follow(x, "@odata.nextLink"))
        n += items(x);
    return n;
}

static void test_rounds(void)
{
    struct fixture x;
    set_up(&x, 5);
    get(&x, first);
    CU_ASSERT_EQUAL(x.status, 200);
    CU_ASSERT_EQUAL(items(&x), 2);
    CU_ASSERT_EQUAL(finish_round(&x), 5);
    CU_ASSERT(follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(items(&x), 0);

    struct message *moved = x.inbox->items[0], *changed = x.inbox->items[1];
    message_move(moved, mailbox_well_known(x.b, "archive"));
    message_set_read(changed, true);
    message_touch(changed, CHANGE_READ);
    CU_ASSERT(follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL_FATAL(items(&x), 2);
    CU_ASSERT(removed(&x, 0));
    CU_ASSERT(!removed(&x, 1));

    message_move(moved, x.inbox);
    CU_ASSERT(follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL_FATAL(items(&x), 1);
    CU_ASSERT(!removed(&x, 0));
    tear_down(&x);
}

static void test_empty_pages_and_repeats(void)
{
    struct fixture x;
    set_up(&x, 3);
    x.s.settings.empty_pages = true;
    message_touch(x.inbox->items[0], CHANGE_FLAG);
    get(&x, first);
    CU_ASSERT_EQUAL(items(&x), 0);
    CU_ASSERT_EQUAL(finish_round(&x), 3);
    x.s.settings.repeats = true;
    get(&x, first);
    CU_ASSERT_EQUAL(finish_round(&x), 4);
    tear_down(&x);
}

static void test_lag(void)
{
    struct fixture x;
    set_up(&x, 1);
    x.s.settings.delta_lag_rounds = 2;
    get(&x, first);
    finish_round(&x);
    message_touch(x.inbox->items[0], CHANGE_READ);
    CU_ASSERT(follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(items(&x), 0);
    CU_ASSERT(follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(items(&x), 1);
    tear_down(&x);
}

static void test_dead_and_foreign_links(void)
{
    struct fixture x;
    set_up(&x, 1);
    get(&x, first);
    finish_round(&x);
    x.b->delta_epoch++;
    CU_ASSERT(follow(&x, "@odata.deltaLink"));
    CU_ASSERT_EQUAL(x.status, 410);
    get(&x, "/v1.0/users/" UPN "/mailFolders/inbox/messages/delta?$deltatoken=AAAA");
    CU_ASSERT_EQUAL(x.status, 400);
    tear_down(&x);
}

static void test_expand(void)
{
    static const char target[] =
        "/v1.0/users/" UPN "/mailFolders/inbox/messages/delta?$expand="
        "singleValueExtendedProperties($filter=id%20eq%20'Integer%200x0E23')";
    struct fixture x;
    set_up(&x, 1);
    get(&x, target);
    CU_ASSERT_EQUAL(x.status, 500);
    x.s.settings.delta_expand = EXPAND_HONOUR;
    get(&x, target);
    CU_ASSERT_EQUAL(x.status, 200);
    tear_down(&x);
}

extern const struct unit_test delta_tests[];
const struct unit_test delta_tests[] = {
    {"rounds, removals, returns", test_rounds},
    {"empty pages and repeats", test_empty_pages_and_repeats},
    {"replication lag", test_lag},
    {"dead and foreign links", test_dead_and_foreign_links},
    {"$expand", test_expand},
    {NULL, NULL},
};
