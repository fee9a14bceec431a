/* The requests of graph/write.h. */
#include "build.h"
#include "url.h"

#include "postern/graph/write.h"

#define FIND_PAGE "500"

#define IMAP_DELETED "Integer {00062008-0000-0000-C000-000000000046} Id 0x8570"

/* "singleValueExtendedProperties/any(ep:ep/id eq '…' and …)" */
static void put_any(struct buf *filter, const char *property)
{
    buf_puts(filter, "singleValueExtendedProperties/any(ep:ep/id eq ");
    url_put_odata_string(filter, property);
    buf_puts(filter, " and ");
}

static void put_filter(struct buf *path, enum graph_find what, const char *value)
{
    struct buf filter = BUF_INIT(PATH_MAX_BYTES);
    switch (what) {
    case GRAPH_FIND_DELETED:
        put_any(&filter, IMAP_DELETED);
        buf_puts(&filter, "cast(ep/value, Edm.Int32) eq 1)");
        break;
    case GRAPH_FIND_MESSAGE_ID:
        buf_puts(&filter, "internetMessageId eq ");
        url_put_odata_string(&filter, value);
        break;
    case GRAPH_FIND_MARK:
        put_any(&filter, GRAPH_APPEND_MARK);
        buf_puts(&filter, "ep/value eq ");
        url_put_odata_string(&filter, value);
        buf_putc(&filter, ')');
        break;
    }
    buf_puts(path, "&$filter=");
    url_put_query(path, buf_str(&filter));
    buf_free(&filter);
}

struct graph_call *graph_find_start(struct graph_user *u, struct graph_as as, const char *folder_id,
                                    enum graph_find what, const char *value, const char *link)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_ONCE);
    if (link)
        return build_follow(u, &r, link);
    build_item(&path, "mailFolders", folder_id);
    buf_puts(&path, "/messages?$select=id,parentFolderId&$top=" FIND_PAGE);
    put_filter(&path, what, value);
    return build_start(u, &r, &path);
}
