/* The requests of graph/folder.h. */
#include "batch.h"
#include "build.h"
#include "decode.h"
#include "internal.h"
#include "url.h"

#include "postern/graph/folder.h"

#include <json-c/json.h>
#include <string.h>

#define PAGE_SIZE "250"
#define SELECT                                                                                     \
    "id,displayName,parentFolderId,childFolderCount,totalItemCount,unreadItemCount,isHidden"

static const char *const properties_asked[] = {GRAPH_FOLDER_MARK, "Integer 0x6751", NULL};

static void put_folder(struct buf *path, const char *id_or_name, bool properties)
{
    build_item(path, "mailFolders", id_or_name);
    buf_puts(path, "?$select=" SELECT);
    if (properties) {
        buf_putc(path, '&');
        build_expand(path, properties_asked);
    }
}

static void put_list(struct buf *path, const char *parent_id, bool properties)
{
    if (parent_id) {
        build_item(path, "mailFolders", parent_id);
        buf_puts(path, "/childFolders");
    } else {
        buf_puts(path, "/mailFolders");
    }
    buf_puts(path, "?$top=" PAGE_SIZE);
    if (properties) {
        buf_putc(path, '&');
        build_expand(path, properties_asked);
    }
}

struct graph_call *graph_folder_start(struct graph_user *u, struct graph_as as,
                                      const char *id_or_name, bool properties)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r =
        build_request(as, GRAPH_GET, properties ? GRAPH_REPEAT_ONCE : GRAPH_REPEAT_SAFE);
    put_folder(&path, id_or_name, properties);
    return build_start(u, &r, &path);
}

bool graph_folder_decode(struct graph_call *call, struct arena *a, struct graph_folder *f,
                         struct error *e)
{
    const struct buf *body = graph_call_body(call);
    return decode_folder(buf_str(body), body->len, a, f, e);
}

struct graph_call *graph_folder_delta_start(struct graph_user *u, struct graph_as as,
                                            const char *link)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    /* A link has worked before, and there is no other way to what changed since. */
    struct graph_request r =
        build_request(as, GRAPH_GET, link ? GRAPH_REPEAT_SAFE : GRAPH_REPEAT_ONCE);
    r.prefer = "odata.maxpagesize=" PAGE_SIZE;
    if (link)
        return build_follow(u, &r, link);
    buf_puts(&path, "/mailFolders/delta");
    return build_start(u, &r, &path);
}

struct graph_call *graph_folder_list_start(struct graph_user *u, struct graph_as as,
                                           const char *parent_id, const char *name, bool properties,
                                           const char *link)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r =
        build_request(as, GRAPH_GET, properties ? GRAPH_REPEAT_ONCE : GRAPH_REPEAT_SAFE);
    if (link)
        return build_follow(u, &r, link);
    put_list(&path, parent_id, properties);
    if (name) {
        struct buf filter = BUF_INIT(PATH_MAX_BYTES);
        buf_puts(&filter, "displayName eq ");
        url_put_odata_string(&filter, name);
        buf_puts(&path, "&$filter=");
        url_put_query(&path, buf_str(&filter));
        buf_free(&filter);
    }
    return build_start(u, &r, &path);
}

bool graph_folder_page_decode(struct graph_call *call, struct graph_folder_page *page,
                              struct error *e)
{
    const struct buf *body = graph_call_body(call);
    if (!decode_folder_page(buf_str(body), body->len, page, e))
        return false;
    if (build_check_links(call, page->next_link, page->delta_link, e))
        return true;
    graph_folder_page_free(page);
    return false;
}

struct graph_call *graph_folder_batch_start(struct graph_user *u, struct graph_as as,
                                            const char *const *ids_or_names, size_t count)
{
    struct batch *b = batch_new(u, false);
    for (size_t i = 0; i < count; i++) {
        struct buf path = BUF_INIT(PATH_MAX_BYTES);
        put_folder(&path, ids_or_names[i], false);
        batch_get(b, buf_str(&path));
        buf_free(&path);
    }
    return batch_start(&b, u, as);
}

static struct batch_answers *answers_of(struct graph_call *call, struct error *e)
{
    const struct buf *body = graph_call_body(call);
    return batch_read(buf_str(body), body->len, e);
}

/* The JSON of one item; one that was throttled makes the mailbox pause. */
static const char *answer_of(struct graph_call *call, struct batch_answers *answers, size_t index,
                             size_t *len, struct error *e)
{
    int64_t pause_ms;
    const char *body = batch_answer(answers, index, len, &pause_ms, e);
    if (pause_ms > 0)
        call_pause_mailbox(call, pause_ms);
    return body;
}

bool graph_folder_batch_decode(struct graph_call *call, struct arena *a, struct graph_folder *out,
                               struct error *errors, size_t count, struct error *e)
{
    struct batch_answers *answers = answers_of(call, e);
    for (size_t i = 0; answers && i < count; i++) {
        size_t len;
        const char *body = answer_of(call, answers, i, &len, &errors[i]);
        memset(&out[i], 0, sizeof out[i]);
        if (body && !decode_folder(body, len, a, &out[i], &errors[i]))
            out[i].id = NULL;
    }
    bool ok = answers != NULL;
    batch_answers_free(&answers);
    return ok;
}

struct graph_call *graph_folder_lists_start(struct graph_user *u, struct graph_as as,
                                            const char *const *parent_ids, size_t count)
{
    struct batch *b = batch_new(u, true);
    for (size_t i = 0; i < count; i++) {
        struct buf path = BUF_INIT(PATH_MAX_BYTES);
        put_list(&path, parent_ids[i], true);
        batch_get(b, buf_str(&path));
        buf_free(&path);
    }
    return batch_start(&b, u, as);
}

bool graph_folder_lists_decode(struct graph_call *call, struct graph_folder_page *pages,
                               struct error *errors, size_t count, struct error *e)
{
    struct batch_answers *answers = answers_of(call, e);
    for (size_t i = 0; answers && i < count; i++) {
        size_t len;
        const char *body = answer_of(call, answers, i, &len, &errors[i]);
        memset(&pages[i], 0, sizeof pages[i]);
        if (body && decode_folder_page(body, len, &pages[i], &errors[i]) &&
            !build_check_links(call, pages[i].next_link, NULL, &errors[i]))
            graph_folder_page_free(&pages[i]);
    }
    bool ok = answers != NULL;
    batch_answers_free(&answers);
    return ok;
}

/* A request whose body has one member. */
static struct graph_call *write_member(struct graph_user *u, struct graph_request *r,
                                       struct buf *path, const char *member, const char *value)
{
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, member, json_object_new_string(value));
    r->json = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
    struct graph_call *call = build_start(u, r, path);
    json_object_put(body);
    return call;
}

struct graph_call *graph_folder_create_start(struct graph_user *u, struct graph_as as,
                                             const char *parent_id, const char *name)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    if (parent_id) {
        build_item(&path, "mailFolders", parent_id);
        buf_puts(&path, "/childFolders");
    } else {
        buf_puts(&path, "/mailFolders");
    }
    return write_member(u, &r, &path, "displayName", name);
}

struct graph_call *graph_folder_rename_start(struct graph_user *u, struct graph_as as,
                                             const char *id, const char *name)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_PATCH, GRAPH_REPEAT_SAFE);
    build_item(&path, "mailFolders", id);
    return write_member(u, &r, &path, "displayName", name);
}

struct graph_call *graph_folder_move_start(struct graph_user *u, struct graph_as as, const char *id,
                                           const char *destination)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    build_item(&path, "mailFolders", id);
    buf_puts(&path, "/move");
    return write_member(u, &r, &path, "destinationId", destination);
}

struct graph_call *graph_folder_delete_start(struct graph_user *u, struct graph_as as,
                                             const char *id)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_DELETE, GRAPH_REPEAT_NEVER);
    build_item(&path, "mailFolders", id);
    return build_start(u, &r, &path);
}

struct graph_call *graph_folder_purge_start(struct graph_user *u, struct graph_as as,
                                            const char *id)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    build_item(&path, "mailFolders", id);
    buf_puts(&path, "/permanentDelete");
    return build_start(u, &r, &path);
}

static struct graph_call *patch_property(struct graph_user *u, struct graph_as as,
                                         const char *folder_id, const char *name, const char *value)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_PATCH, GRAPH_REPEAT_ONCE);
    struct json_object *property = json_object_new_object();
    struct json_object *list = json_object_new_array();
    struct json_object *body = json_object_new_object();
    json_object_object_add(property, "id", json_object_new_string(name));
    json_object_object_add(property, "value", json_object_new_string(value));
    json_object_array_add(list, property);
    json_object_object_add(body, "singleValueExtendedProperties", list);
    r.json = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
    build_item(&path, "mailFolders", folder_id);
    struct graph_call *call = build_start(u, &r, &path);
    json_object_put(body);
    return call;
}

struct graph_call *graph_folder_mark_start(struct graph_user *u, struct graph_as as,
                                           const char *folder_id, const char *mark)
{
    return patch_property(u, as, folder_id, GRAPH_FOLDER_MARK, mark);
}

struct graph_call *graph_folder_try_start(struct graph_user *u, struct graph_as as,
                                          const char *folder_id)
{
    return patch_property(u, as, folder_id, GRAPH_FOLDER_TRY, "1");
}
