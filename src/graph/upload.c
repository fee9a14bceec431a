/* Attachments: small ones in one request, large ones by upload session. Graph pages: message: post
 * attachments; attachment: createUploadSession; Attach large files to Outlook messages. */
#include "build.h"
#include "decode.h"
#include "json.h"
#include "write.h"

#include <stdio.h>

struct graph_call *graph_attach_start(struct graph_user *u, struct graph_as as, const char *id,
                                      const struct graph_attachment *attachment)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    build_item(&path, "messages", id);
    buf_puts(&path, "/attachments");
    return write_json(u, &r, &path, write_attachment(attachment));
}

struct graph_call *graph_session_start(struct graph_user *u, struct graph_as as, const char *id,
                                       const struct graph_attachment *attachment)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_POST, GRAPH_REPEAT_NEVER);
    struct json_object *item = json_object_new_object(), *body = json_object_new_object();
    write_text(item, "attachmentType", "file");
    write_text(item, "name", attachment->name);
    json_object_object_add(item, "size", json_object_new_int64((int64_t)attachment->len));
    write_text(item, "contentType", attachment->content_type);
    json_object_object_add(item, "isInline", json_object_new_boolean(attachment->is_inline));
    if (attachment->content_id)
        write_text(item, "contentId", attachment->content_id);
    json_object_object_add(body, "AttachmentItem", item);
    build_item(&path, "messages", id);
    buf_puts(&path, "/attachments/createUploadSession");
    return write_json(u, &r, &path, body);
}

bool graph_session_decode(struct graph_call *call, struct arena *a, const char **url,
                          struct error *e)
{
    const struct buf *body = graph_call_body(call);
    struct json_object *root = decode_single(buf_str(body), body->len, e);
    bool ok = root && json_get_string(root, "uploadUrl", a, url, e);
    if (ok && !*url)
        ok = error_set(e, ERROR_ANSWER, "Graph made an upload session without an address");
    json_object_put(root);
    return ok;
}

struct graph_call *graph_piece_start(struct graph_user *u, struct graph_as as, const char *url,
                                     const void *data, size_t len, size_t at, size_t total)
{
    struct graph_request r = build_request(as, GRAPH_PUT, GRAPH_REPEAT_NEVER);
    char range[80];
    snprintf(range, sizeof range, "bytes %zu-%zu/%zu", at, at + len - 1, total);
    r.upload = url;
    r.range = range;
    r.data = data;
    r.data_len = len;
    r.data_type = "application/octet-stream";
    return graph_call_start(u, &r);
}
