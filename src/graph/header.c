/* Pages of header blocks. Graph pages: list messages, singleValueLegacyExtendedProperty. */
#include "build.h"
#include "decode.h"
#include "json.h"

#include "postern/base/clock.h"

#include <string.h>

#define ENVELOPE_SELECT                                                                            \
    ",subject,sentDateTime,from,sender,replyTo,toRecipients,ccRecipients,bccRecipients,"           \
    "internetMessageId"

static const char *const header_properties[] = {"String 0x007D", NULL};
static const char *const envelope_properties[] = {"String 0x1042", NULL};

struct graph_call *graph_headers_start(struct graph_user *u, struct graph_as as,
                                       const char *folder_id, int64_t from_ms, int64_t until_ms,
                                       enum graph_headers what, unsigned top, const char *link)
{
    bool envelope = what == GRAPH_HEADERS_ENVELOPE;
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_ONCE);
    char from[CLOCK_ISO_SIZE], until[CLOCK_ISO_SIZE];
    if (link)
        return build_follow(u, &r, link);
    clock_format_iso(from_ms, from);
    clock_format_iso(until_ms, until);
    build_item(&path, "mailFolders", folder_id);
    buf_printf(&path, "/messages?$select=id,receivedDateTime%s&$top=%u&",
               envelope ? ENVELOPE_SELECT : "", top);
    build_expand(&path, envelope ? envelope_properties : header_properties);
    /* Graph refuses an order whose property does not lead the filter. */
    buf_printf(&path,
               "&$filter=receivedDateTime%%20ge%%20%s%%20and%%20receivedDateTime%%20le%%20%s"
               "&$orderby=receivedDateTime",
               from, until);
    return build_start(u, &r, &path);
}

bool graph_headers_decode(struct graph_call *call, enum graph_headers what,
                          struct graph_header_page *page, struct error *e)
{
    const struct buf *body = graph_call_body(call);
    if (!decode_header_page(buf_str(body), body->len, what, page, e))
        return false;
    if (build_check_links(call, page->next_link, NULL, e))
        return true;
    graph_header_page_free(page);
    return false;
}

static bool decode_header(struct json_object *o, struct arena *a, enum graph_headers what,
                          struct graph_header *h, struct error *e)
{
    const char *date;
    error_clear(e);
    if (!decode_id(o, a, &h->id, e) || !json_get_string(o, "receivedDateTime", a, &date, e) ||
        !(what == GRAPH_HEADERS_ENVELOPE ? decode_envelope(o, a, &h->block, e)
                                         : property_find(o, header_properties[0], a, &h->block, e)))
        return false;
    if (!date || !clock_parse_iso(date, strlen(date), &h->received_ms))
        h->received_ms = INT64_MIN;
    return true;
}

bool decode_header_page(const char *data, size_t len, enum graph_headers what,
                        struct graph_header_page *page, struct error *e)
{
    struct decode_frame frame = {0};
    memset(page, 0, sizeof *page);
    page->arena = arena_new();
    bool ok = decode_frame(data, len, page->arena, &frame, e);
    if (ok) {
        page->next_link = frame.next_link;
        page->count = frame.count;
        page->headers = arena_alloc(page->arena, frame.count * sizeof *page->headers);
    }
    for (size_t i = 0; ok && i < page->count; i++)
        ok = decode_header(json_object_array_get_idx(frame.items, i), page->arena, what,
                           &page->headers[i], e);
    json_object_put(frame.root);
    if (!ok)
        graph_header_page_free(page);
    return ok;
}

void graph_header_page_free(struct graph_header_page *page)
{
    arena_free(&page->arena);
    memset(page, 0, sizeof *page);
}
