#include "batch.h"

#include "build.h"
#include "decode.h"
#include "error.h"
#include "internal.h"
#include "json.h"
#include "retry.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ID_SIZE 24

struct batch {
    struct graph_user *user;
    struct json_object *requests;
    bool chained;
};

struct batch_answers {
    struct json_object *root, *list;
};

struct batch *batch_new(struct graph_user *u, bool chained)
{
    struct batch *b = xcalloc(1, sizeof *b);
    b->user = u;
    b->chained = chained;
    b->requests = json_object_new_array();
    return b;
}

static void format_id(char out[ID_SIZE], size_t index)
{
    snprintf(out, ID_SIZE, "%zu", index + 1);
}

void batch_get(struct batch *b, const char *path)
{
    struct buf url = BUF_INIT(PATH_MAX_BYTES);
    struct json_object *item = json_object_new_object();
    struct json_object *headers = json_object_new_object();
    size_t index = json_object_array_length(b->requests);
    char id[ID_SIZE];
    buf_puts(&url, "/users/");
    url_put_segment(&url, b->user->mailbox);
    buf_puts(&url, path);
    format_id(id, index);
    json_object_object_add(item, "id", json_object_new_string(id));
    json_object_object_add(item, "method", json_object_new_string("GET"));
    json_object_object_add(item, "url", json_object_new_string(buf_str(&url)));
    json_object_object_add(headers, "Prefer", json_object_new_string(GRAPH_PREFER_IMMUTABLE));
    json_object_object_add(item, "headers", headers);
    if (b->chained && index > 0) {
        struct json_object *on = json_object_new_array();
        format_id(id, index - 1);
        json_object_array_add(on, json_object_new_string(id));
        json_object_object_add(item, "dependsOn", on);
    }
    json_object_array_add(b->requests, item);
    buf_free(&url);
}

struct graph_call *batch_start(struct batch **batch, struct graph_user *u, struct graph_as as)
{
    struct batch *b = *batch;
    /* Only reads are in it, so it may be sent again; what it asks for can be had singly too. */
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_ONCE);
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, "requests", b->requests);
    /* Graph counts items that do not wait for each other as requests at once. */
    r.slots = b->chained ? 1 : (unsigned)json_object_array_length(b->requests);
    r.json = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
    r.path = "/$batch";
    r.at_root = true;
    struct graph_call *call = graph_call_start(u, &r);
    json_object_put(body);
    free(b);
    *batch = NULL;
    return call;
}

struct batch_answers *batch_read(const char *data, size_t len, struct error *e)
{
    struct json_object *list = NULL, *root = decode_single(data, len, e);
    bool ok = root && json_get_array(root, "responses", &list, e);
    if (ok && !list)
        ok = error_set(e, ERROR_ANSWER, "Graph answered a batch without its responses");
    if (!ok) {
        json_object_put(root);
        return NULL;
    }
    struct batch_answers *answers = xcalloc(1, sizeof *answers);
    answers->root = root;
    answers->list = list;
    return answers;
}

void batch_answers_free(struct batch_answers **answers)
{
    if (*answers)
        json_object_put((*answers)->root);
    free(*answers);
    *answers = NULL;
}

static struct json_object *find(const struct batch_answers *answers, size_t index)
{
    char id[ID_SIZE];
    format_id(id, index);
    for (size_t i = 0; i < json_object_array_length(answers->list); i++) {
        struct json_object *item = json_object_array_get_idx(answers->list, i);
        const char *have = json_peek_string(item, "id");
        if (have && strcmp(have, id) == 0)
            return item;
    }
    return NULL;
}

/* The item's own Retry-After, into a->retry_after. */
static void take_retry_after(struct json_object *item, struct answer *a)
{
    struct json_object *headers = NULL;
    json_object_object_get_ex(item, "headers", &headers);
    if (!json_object_is_type(headers, json_type_object))
        return;
    json_object_object_foreach(headers, name, value)
    {
        if (strcasecmp(name, "Retry-After") == 0 && value)
            snprintf(a->retry_after, sizeof a->retry_after, "%s", json_object_get_string(value));
    }
}

/* Throttling of one item is throttling of the mailbox, as an answer's would be. */
static int64_t pause_of(const struct answer *a)
{
    int64_t ms;
    if (a->status != 429 && a->status != 503)
        return 0;
    return retry_after_parse(a->retry_after, clock_wall_ms(), &ms) ? ms : RETRY_BASE_MS;
}

const char *batch_answer(struct batch_answers *answers, size_t index, size_t *len,
                         int64_t *pause_ms, struct error *e)
{
    struct json_object *item = find(answers, index), *body = NULL;
    struct answer a = {0};
    int64_t status = 0;
    bool present = false;
    *pause_ms = 0;
    if (!item || !json_get_int(item, "status", &status, &present, e) || !present) {
        error_set(e, ERROR_ANSWER, "Graph left request %zu of a batch without an answer",
                  index + 1);
        return NULL;
    }
    json_object_object_get_ex(item, "body", &body);
    const char *text =
        body ? json_object_to_json_string_length(body, JSON_C_TO_STRING_PLAIN, len) : NULL;
    if (!text)
        *len = 0;
    if (text && status >= 200 && status < 300)
        return text;
    a.status = (int)status;
    take_retry_after(item, &a);
    *pause_ms = pause_of(&a);
    graph_error_classify(&a, SUBJECT_FOLDER, text ? text : "", *len, e);
    return NULL;
}
