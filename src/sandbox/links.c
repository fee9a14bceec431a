#include "links.h"

#include <string.h>

#define MAC_SIZE 16

static void sign(const struct sandbox *s, const char *text, uint8_t mac[MAC_SIZE])
{
    struct buf in = BUF_INIT(LINK_MAX * 2);
    uint8_t digest[SHA256_SIZE];
    buf_append(&in, s->link_key, sizeof s->link_key);
    buf_puts(&in, text);
    sha256(in.data, in.len, digest);
    memcpy(mac, digest, MAC_SIZE);
    buf_free(&in);
}

static int64_t number(struct json_object *o, const char *name)
{
    struct json_object *v = NULL;
    return json_object_object_get_ex(o, name, &v) ? json_object_get_int64(v) : 0;
}

/* NULL: not a token of ours. */
static struct json_object *open_token(const struct sandbox *s, const char *token)
{
    struct buf raw = BUF_INIT(LINK_MAX);
    uint8_t mac[MAC_SIZE];
    struct json_object *o = NULL;
    if (base64url_decode(token, strlen(token), &raw) && raw.len > MAC_SIZE) {
        sign(s, raw.data + MAC_SIZE, mac);
        if (memcmp(mac, raw.data, MAC_SIZE) == 0)
            o = json_tokener_parse(raw.data + MAC_SIZE);
    }
    buf_free(&raw);
    return o;
}

static void take_options(struct call *c, struct json_object *o)
{
    struct json_object *list = NULL;
    json_object_object_get_ex(o, "options", &list);
    size_t n = list ? json_object_array_length(list) : 0;
    struct request_pair *params = arena_alloc(c->r->arena, (n + 1) * sizeof *params);
    for (size_t i = 0; i < n; i++) {
        struct json_object *pair = json_object_array_get_idx(list, i);
        params[i].name =
            arena_strdup(c->r->arena, json_object_get_string(json_object_array_get_idx(pair, 0)));
        params[i].value =
            arena_strdup(c->r->arena, json_object_get_string(json_object_array_get_idx(pair, 1)));
    }
    c->r->params = params;
    c->r->param_count = n;
}

static bool check(struct call *c, struct json_object *o, int64_t folder, bool is_delta)
{
    if (!o || number(o, "folder") != folder || (number(o, "delta") != 0) != is_delta)
        return graph_error(c, 400, "ErrorInvalidSyncStateData",
                           "The sync state is malformed or belongs to another resource.");
    if ((uint64_t)number(o, "epoch") != c->b->delta_epoch)
        return graph_error(c, 410, "SyncStateNotFound",
                           "The sync state generation is not found; generation=%lld;"
                           "[highest=%llu].",
                           (long long)number(o, "epoch"), (unsigned long long)c->b->delta_epoch);
    return true;
}

bool link_read(struct call *c, int64_t folder, struct link *out)
{
    const char *skip = request_param(c->r, "$skiptoken");
    const char *delta = request_param(c->r, "$deltatoken");
    const char *token = skip ? skip : delta;
    *out = (struct link){
        .folder = folder, .epoch = c->b->delta_epoch, .start = c->b->seq, .first_round = true};
    if (!token)
        return true;
    if (c->r->param_count != 1) {
        journal_violation(&c->s->journal, "link-changed", "%s?%s: options were added to a link",
                          c->r->path, c->r->query);
        return graph_error(c, 400, "BadRequest",
                           "Query options cannot be added to a nextLink or deltaLink.");
    }
    struct json_object *o = open_token(c->s, token);
    bool ok = check(c, o, folder, delta != NULL);
    if (ok) {
        out->cursor = (uint64_t)number(o, "cursor");
        out->start = (uint64_t)number(o, "start");
        out->first_round = number(o, "first") != 0;
        out->gap = number(o, "gap") != 0;
        take_options(c, o);
    }
    json_object_put(o);
    return ok;
}

static struct json_object *options_of(const struct call *c)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < c->r->param_count; i++) {
        struct json_object *pair = json_object_new_array();
        json_object_array_add(pair, json_object_new_string(c->r->params[i].name));
        json_object_array_add(pair, json_object_new_string(c->r->params[i].value));
        json_object_array_add(list, pair);
    }
    return list;
}

void link_put(struct call *c, struct json_object *answer, const struct link *link, bool is_delta)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "folder", json_object_new_int64(link->folder));
    json_object_object_add(o, "epoch", json_object_new_int64((int64_t)link->epoch));
    json_object_object_add(o, "cursor", json_object_new_int64((int64_t)link->cursor));
    json_object_object_add(o, "start", json_object_new_int64((int64_t)link->start));
    json_object_object_add(o, "first", json_object_new_int(link->first_round && !is_delta));
    json_object_object_add(o, "gap", json_object_new_int(link->gap));
    json_object_object_add(o, "delta", json_object_new_int(is_delta));
    json_object_object_add(o, "options", options_of(c));
    const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
    uint8_t mac[MAC_SIZE];
    struct buf raw = BUF_INIT(LINK_MAX), token = BUF_INIT(LINK_MAX * 2);
    sign(c->s, text, mac);
    buf_append(&raw, mac, sizeof mac);
    buf_puts(&raw, text);
    base64url_encode(raw.data, raw.len, &token);
    const char *url = arena_printf(c->r->arena, "%s%s?%s=%s", c->r->origin, c->r->raw_path,
                                   is_delta ? "$deltatoken" : "$skiptoken", buf_str(&token));
    json_object_object_add(answer, is_delta ? "@odata.deltaLink" : "@odata.nextLink",
                           json_object_new_string(url));
    buf_free(&raw);
    buf_free(&token);
    json_object_put(o);
}
