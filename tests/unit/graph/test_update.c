/* What a change of flags looks like on the wire. */
#include "rig.h"

#include "postern/graph/write.h"

#include <stdio.h>

extern const struct unit_test update_tests[];

static struct server_request seen;

static struct server_reply answer_message(void *arg, const struct server_request *request)
{
    (void)arg;
    seen = *request;
    return (struct server_reply){
        .status = 200, .type = JSON, .body = "{\"id\":\"A\",\"isRead\":true,\"changeKey\":\"k2\"}"};
}

static void check(struct rig *r, const struct graph_update *update, const char *body)
{
    struct error e = ERROR_INIT;
    struct graph_call *call = graph_update_start(r->user, (struct graph_as){0}, "A=/", update);
    CU_ASSERT(rig_finish(r, &call, &e));
    CU_ASSERT_STRING_EQUAL(seen.method, "PATCH");
    CU_ASSERT_STRING_EQUAL(seen.target,
                           "/v1.0/users/o%27neil%2Bx%40contoso.example/messages/A%3D%2F");
    CU_ASSERT_STRING_EQUAL(seen.body, body);
}

static void test_bodies(void)
{
    struct rig r;
    const char *categories[] = {"Work", "say \"x\"", NULL}, *none[] = {NULL};
    rig_open(&r, answer_message);
    check(&r, &(struct graph_update){.has = GRAPH_HAS_READ, .is_read = true}, "{\"isRead\":true}");
    check(&r, &(struct graph_update){.has = GRAPH_HAS_READ | GRAPH_HAS_FLAG, .flagged = true},
          "{\"isRead\":false,\"flag\":{\"flagStatus\":\"flagged\"}}");
    check(&r, &(struct graph_update){.has = GRAPH_HAS_FLAG},
          "{\"flag\":{\"flagStatus\":\"notFlagged\"}}");
    check(&r, &(struct graph_update){.has = GRAPH_HAS_CATEGORIES, .categories = categories},
          "{\"categories\":[\"Work\",\"say \\\"x\\\"\"]}");
    check(&r, &(struct graph_update){.has = GRAPH_HAS_CATEGORIES, .categories = none},
          "{\"categories\":[]}");
    check(&r, &(struct graph_update){.has = GRAPH_HAS_IMAP_DELETED, .imap_deleted = true},
          "{\"singleValueExtendedProperties\":[{\"id\":\"Integer "
          "{00062008-0000-0000-C000-000000000046} Id 0x8570\",\"value\":\"1\"}]}");
    rig_close(&r);
}

/* The icon goes with the verb; without one it shows whether the message was read. */
static void test_verbs(void)
{
    static const struct {
        int64_t verb;
        bool read;
        const char *value, *icon;
    } cases[] = {
        {GRAPH_VERB_REPLY, false, "102", "261"},  {GRAPH_VERB_REPLY_ALL, false, "103", "261"},
        {GRAPH_VERB_FORWARD, true, "104", "262"}, {GRAPH_VERB_NONE, true, "0", "256"},
        {GRAPH_VERB_NONE, false, "0", "257"},
    };
    struct rig r;
    rig_open(&r, answer_message);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[256];
        snprintf(body, sizeof body,
                 "{\"singleValueExtendedProperties\":[{\"id\":\"Integer 0x1081\",\"value\":\"%s\"},"
                 "{\"id\":\"Integer 0x1080\",\"value\":\"%s\"}]}",
                 cases[i].value, cases[i].icon);
        check(&r,
              &(struct graph_update){
                  .has = GRAPH_HAS_VERB, .verb = cases[i].verb, .is_read = cases[i].read},
              body);
    }
    rig_close(&r);
}

const struct unit_test update_tests[] = {
    {"bodies", test_bodies},
    {"verbs and icons", test_verbs},
    {NULL, NULL},
};
