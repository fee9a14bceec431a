/* The requests of graph/mail.h. Everything that Graph is asked is written here and nowhere else;
 * the choice of options follows the strictest reading of the documentation. */
#include "build.h"
#include "decode.h"
#include "internal.h"

#include "postern/graph/mail.h"

#include "postern/base/clock.h"

#include <json-c/json.h>
#include <stdlib.h>

#define PAGE_SIZE   "500"
#define PREFER_PAGE "odata.maxpagesize=" PAGE_SIZE

#define DELTA_SELECT "isRead,isDraft,flag,categories,receivedDateTime,changeKey,parentFolderId"

static const char *const message_properties[] = {
    "Integer 0x0E23", "Integer 0x0E08", "Integer 0x1081",
    "Integer {00062008-0000-0000-C000-000000000046} Id 0x8570", NULL};

struct graph_call *graph_delta_start(struct graph_user *u, struct graph_as as,
                                     const char *folder_id, const char *link)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_SAFE);
    r.prefer = PREFER_PAGE;
    if (link)
        return build_follow(u, &r, link);
    build_item(&path, "mailFolders", folder_id);
    buf_puts(&path, "/messages/delta?$select=" DELTA_SELECT);
    return build_start(u, &r, &path);
}

struct graph_call *graph_listing_start(struct graph_user *u, struct graph_as as,
                                       const char *folder_id, int64_t modified_since_ms,
                                       const char *link)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    bool filtered = modified_since_ms != INT64_MIN;
    struct graph_request r =
        build_request(as, GRAPH_GET, filtered ? GRAPH_REPEAT_ONCE : GRAPH_REPEAT_SAFE);
    if (link)
        return build_follow(u, &r, link);
    build_item(&path, "mailFolders", folder_id);
    buf_puts(&path, "/messages?$select=id," DELTA_SELECT "&$top=" PAGE_SIZE "&");
    build_expand(&path, message_properties);
    if (filtered) {
        char since[CLOCK_ISO_SIZE];
        clock_format_iso(modified_since_ms, since);
        buf_printf(&path, "&$filter=lastModifiedDateTime%%20ge%%20%s", since);
    }
    return build_start(u, &r, &path);
}

bool graph_page_decode(struct graph_call *call, struct graph_page *page, struct error *e)
{
    const struct buf *body = graph_call_body(call);
    if (!decode_page(buf_str(body), body->len, page, e))
        return false;
    if (build_check_links(call, page->next_link, page->delta_link, e))
        return true;
    graph_page_free(page);
    return false;
}

struct graph_call *graph_message_start(struct graph_user *u, struct graph_as as, const char *id)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_SAFE);
    build_item(&path, "messages", id);
    buf_puts(&path, "?$select=id," DELTA_SELECT "&");
    build_expand(&path, message_properties);
    return build_start(u, &r, &path);
}

bool graph_message_decode(struct graph_call *call, struct arena *a, struct graph_message *m,
                          struct error *e)
{
    const struct buf *body = graph_call_body(call);
    return decode_message(buf_str(body), body->len, a, m, e);
}

struct graph_call *graph_newest_start(struct graph_user *u, struct graph_as as,
                                      const char *folder_id)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_SAFE);
    build_item(&path, "mailFolders", folder_id);
    buf_puts(&path, "/messages?$select=id&$top=1&$orderby=receivedDateTime%20desc");
    return build_start(u, &r, &path);
}

struct graph_call *graph_mime_start(struct graph_user *u, struct graph_as as, const char *id,
                                    const struct graph_sink *sink,
                                    void (*done)(void *arg, struct graph_call *call), void *arg)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_SAFE);
    r.mime = true;
    r.sink = sink;
    r.done = done;
    r.done_arg = arg;
    /* Not the form under mailFolders, which Graph documents and refuses. */
    build_item(&path, "messages", id);
    buf_puts(&path, "/$value");
    return build_start(u, &r, &path);
}

struct graph_call *graph_move_start(struct graph_user *u, struct graph_as as, const char *id,
                                    const char *destination)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, "destinationId", json_object_new_string(destination));
    r.json = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
    build_item(&path, "messages", id);
    buf_puts(&path, "/move");
    struct graph_call *call = build_start(u, &r, &path);
    json_object_put(body);
    return call;
}

struct graph_call *graph_delete_start(struct graph_user *u, struct graph_as as, const char *id)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_DELETE, GRAPH_REPEAT_NEVER);
    build_item(&path, "messages", id);
    return build_start(u, &r, &path);
}

struct graph_call *graph_purge_start(struct graph_user *u, struct graph_as as, const char *id)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    build_item(&path, "messages", id);
    buf_puts(&path, "/permanentDelete");
    return build_start(u, &r, &path);
}
