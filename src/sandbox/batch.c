#include "batch.h"

#include "graph.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct item {
    const char *id;
    const char *url;
    struct json_object *depends; /* borrowed, NULL: none */
    struct request request;
    struct answer answer;
    bool done, entered;
};

struct batch {
    struct sandbox *s;
    struct call call; /* of the outer request, for its errors */
    struct item items[BATCH_MAX];
    size_t count;
};

static const char *member(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    if (!json_object_object_get_ex(o, name, &v) || !json_object_is_type(v, json_type_string))
        return NULL;
    return json_object_get_string(v);
}

static struct item *find_item(struct batch *b, size_t limit, const char *id)
{
    for (size_t i = 0; i < limit; i++) {
        if (strcmp(b->items[i].id, id) == 0)
            return &b->items[i];
    }
    return NULL;
}

static bool malformed(struct batch *b, const char *why)
{
    return graph_error(&b->call, 400, "BadRequest", "Invalid batch payload format: %s", why);
}

/* Headers of the item; Authorization is inherited from the batch. */
static void take_headers(struct item *item, struct request *outer, struct json_object *headers)
{
    size_t n = headers ? (size_t)json_object_object_length(headers) : 0;
    struct request_pair *list = arena_alloc(outer->arena, (n + 1) * sizeof *list);
    size_t count = 0;
    if (headers) {
        json_object_object_foreach(headers, name, value)
        {
            list[count++] =
                (struct request_pair){.name = name, .value = json_object_get_string(value)};
        }
    }
    const char *authorization = request_header(outer, "Authorization");
    list[count++] =
        (struct request_pair){.name = "Authorization", .value = authorization ? authorization : ""};
    item->request.headers = list;
    item->request.header_count = count;
}

static void take_body(struct item *item, struct json_object *body)
{
    item->request.body = "";
    if (!body)
        return;
    item->request.body = json_object_is_type(body, json_type_string)
                             ? json_object_get_string(body)
                             : json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
    item->request.body_len = strlen(item->request.body);
}

static bool take_item(struct batch *b, struct json_object *o)
{
    struct request *outer = b->call.r;
    struct item *item = &b->items[b->count];
    struct json_object *headers = NULL, *body = NULL;
    const char *method = member(o, "method");
    *item = (struct item){.id = member(o, "id"), .url = member(o, "url")};
    answer_init(&item->answer);
    if (!item->id || !item->url || !method || find_item(b, b->count, item->id))
        return malformed(b, "each request needs a unique id, a method and a url.");
    if (item->url[0] != '/' || strcmp(item->url, "/$batch") == 0)
        return malformed(b, "urls must be relative to the version, batches cannot be nested.");
    json_object_object_get_ex(o, "headers", &headers);
    json_object_object_get_ex(o, "body", &body);
    json_object_object_get_ex(o, "dependsOn", &item->depends);
    if ((headers && !json_object_is_type(headers, json_type_object)) ||
        (item->depends && !json_object_is_type(item->depends, json_type_array)))
        return malformed(b, "headers must be an object, dependsOn an array.");
    b->count++;
    item->request = (struct request){.arena = outer->arena,
                                     .method = method,
                                     .origin = outer->origin,
                                     .batch_item = true,
                                     .caller = outer->caller};
    memcpy(item->request.request_id, outer->request_id, sizeof outer->request_id);
    take_headers(item, outer, headers);
    take_body(item, body);
    return request_parse_target(&item->request, arena_printf(outer->arena, "/v1.0%s", item->url)) ||
           malformed(b, "a url is not valid.");
}

/* Only: none depends, each on the one before it, or all on one and the same. */
static bool check_dependencies(struct batch *b)
{
    size_t dependent = 0, chained = 0, same = 0;
    const char *common = NULL;
    for (size_t i = 0; i < b->count; i++) {
        struct json_object *list = b->items[i].depends;
        size_t n = list ? json_object_array_length(list) : 0;
        if (n == 0)
            continue;
        const char *on = json_object_get_string(json_object_array_get_idx(list, 0));
        if (n > 1 || !on || !find_item(b, i, on))
            return malformed(b, "dependsOn must name one earlier request.");
        common = common ? common : on;
        dependent++;
        chained += i > 0 && strcmp(on, b->items[i - 1].id) == 0;
        same += strcmp(on, common) == 0;
    }
    bool chain = chained == dependent && dependent + 1 == b->count;
    bool star = same == dependent && dependent + 1 == b->count;
    return dependent == 0 || chain || star ||
           malformed(b, "requests must be independent, a chain, or all depend on the same one.");
}

static bool parse(struct batch *b, struct json_object *body)
{
    struct json_object *list = NULL;
    if (!json_object_object_get_ex(body, "requests", &list) ||
        !json_object_is_type(list, json_type_array) || json_object_array_length(list) == 0)
        return malformed(b, "the member requests is missing or empty.");
    if (json_object_array_length(list) > BATCH_MAX)
        return graph_error(&b->call, 400, "BadRequest",
                           "Number of batch request steps exceeds the maximum value of %d.",
                           BATCH_MAX);
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (!take_item(b, json_object_array_get_idx(list, i)))
            return false;
    }
    return check_dependencies(b);
}

/* Is this item's turn? A failed dependency ends it with 424. */
static bool is_ready(struct batch *b, struct item *item)
{
    if (item->done)
        return false;
    const char *on = item->depends && json_object_array_length(item->depends) > 0
                         ? json_object_get_string(json_object_array_get_idx(item->depends, 0))
                         : NULL;
    struct item *before = on ? find_item(b, b->count, on) : NULL;
    if (!before)
        return true;
    if (!before->done || before->answer.status < 400)
        return before->done;
    struct call c = {.s = b->s, .r = &item->request, .a = &item->answer};
    graph_error(&c, 424, "FailedDependency", "The request it depends on failed.");
    item->done = true;
    return false;
}

static void enter(struct batch *b, struct item *item)
{
    struct sandbox *s = b->s;
    struct mailbox *box = graph_mailbox_of(s, &item->request);
    if (!box)
        return;
    item->entered = throttle_enter(&s->throttle, &s->settings, &s->journal, box->upn);
    if (item->entered)
        return;
    graph_throttled(s, &item->request, &item->answer);
    throttle_told(&s->throttle, box->upn, answer_get_header(&item->answer, "Retry-After"));
    throttle_sent(&s->throttle, box->upn);
    item->done = true;
}

static void finish(struct batch *b, struct item *item)
{
    struct call c = {.s = b->s, .r = &item->request, .a = &item->answer};
    if (strcmp(item->request.method, "HEAD") == 0 || strcmp(item->request.method, "PUT") == 0)
        graph_method_error(&c);
    else
        graph_dispatch(b->s, &item->request, &item->answer);
    if (item->entered)
        throttle_leave(&b->s->throttle, graph_mailbox_of(b->s, &item->request)->upn);
    item->done = true;
}

/* One wave of items that may run side by side. False: nothing was left to do. */
static bool run_wave(struct batch *b)
{
    struct item *wave[BATCH_MAX];
    size_t n = 0;
    pthread_mutex_lock(&b->s->lock);
    int64_t latency = b->s->settings.latency_ms;
    for (size_t i = 0; i < b->count; i++) {
        if (is_ready(b, &b->items[i]))
            wave[n++] = &b->items[i];
    }
    for (size_t i = 0; i < n; i++)
        enter(b, wave[i]);
    pthread_mutex_unlock(&b->s->lock);
    if (n == 0)
        return false;
    sandbox_pause(b->s, latency);
    pthread_mutex_lock(&b->s->lock);
    for (size_t i = 0; i < n; i++) {
        if (!wave[i]->done)
            finish(b, wave[i]);
    }
    pthread_mutex_unlock(&b->s->lock);
    return true;
}

/* JSON as it is; anything else as base64url (OData 4.01). */
static struct json_object *body_json(const struct item *item)
{
    const char *type = answer_get_header(&item->answer, "Content-Type");
    if (item->answer.body.len == 0)
        return NULL;
    if (type && strncmp(type, "application/json", 16) == 0)
        return json_tokener_parse(buf_str(&item->answer.body));
    struct buf text = BUF_INIT(ANSWER_BODY_MAX);
    base64url_encode(item->answer.body.data, item->answer.body.len, &text);
    struct json_object *o = json_object_new_string_len(buf_str(&text), (int)text.len);
    buf_free(&text);
    return o;
}

static struct json_object *item_json(const struct item *item)
{
    struct json_object *headers = json_object_new_object();
    for (size_t i = 0; i < item->answer.header_count; i++)
        json_object_object_add(headers, item->answer.headers[i].name,
                               json_object_new_string(item->answer.headers[i].value));
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "id", json_object_new_string(item->id));
    json_object_object_add(o, "status", json_object_new_int(item->answer.status));
    json_object_object_add(o, "headers", headers);
    json_object_object_add(o, "body", body_json(item));
    return o;
}

/* Answers come in any order; ours come backwards, so that nobody relies on it. */
static void answer_all(struct batch *b, uint64_t journal_n)
{
    struct json_object *list = json_object_new_array();
    struct json_object *log = json_object_new_array();
    for (size_t i = b->count; i-- > 0;)
        json_object_array_add(list, item_json(&b->items[i]));
    for (size_t i = 0; i < b->count; i++) {
        struct json_object *one = json_object_new_object();
        json_object_object_add(one, "method", json_object_new_string(b->items[i].request.method));
        json_object_object_add(one, "url", json_object_new_string(b->items[i].url));
        json_object_object_add(one, "status", json_object_new_int(b->items[i].answer.status));
        json_object_array_add(log, one);
    }
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "responses", list);
    answer_json(b->call.a, 200, o);
    pthread_mutex_lock(&b->s->lock);
    struct journal_entry *entry = journal_find(&b->s->journal, journal_n);
    if (entry)
        entry->items = json_object_get(log);
    json_object_put(log);
    pthread_mutex_unlock(&b->s->lock);
}

void batch_handle(struct sandbox *s, struct request *r, struct answer *a, uint64_t journal_n)
{
    struct batch *b = xcalloc(1, sizeof *b);
    b->s = s;
    b->call = (struct call){.s = s, .r = r, .a = a};
    if (strcmp(r->method, "POST") != 0) {
        graph_method_error(&b->call);
        free(b);
        return;
    }
    struct json_object *body = graph_body(&b->call);
    if (body && parse(b, body)) {
        while (run_wave(b))
            ;
        answer_all(b, journal_n);
    }
    for (size_t i = 0; i < BATCH_MAX; i++)
        answer_free(&b->items[i].answer);
    json_object_put(body);
    free(b);
}
