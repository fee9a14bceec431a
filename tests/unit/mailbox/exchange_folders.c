/* The folders of the Graph of these tests: three, and the places that have a well-known name. */
#include "exchange_inside.h"

#include "postern/graph/folder.h"

#include <stdio.h>
#include <string.h>

struct place {
    const char *id, *parent, *name;
    int children;
};

static const struct place places[] = {
    {EXCHANGE_INBOX, "AAroot", "Posteingang", 0},
    {EXCHANGE_ARCHIVE, "AAroot", "Archive", 1},
    {EXCHANGE_QUARTER, EXCHANGE_ARCHIVE, "2026/Q1", 0},
};

/* The folders below `parent`, or all; nothing changed since a link. */
struct server_reply exchange_folders(struct exchange *x, const char *parent_or_null, bool since)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    size_t n = 0;
    x->counts.folder++;
    buf_puts(&b, "{\"value\":[");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct place *p = &places[i];
        const char *parent = parent_or_null || !x->faults.top_delta ? parent_or_null : "AAroot";
        if (since || (parent && strcmp(p->parent, parent) != 0))
            continue;
        buf_printf(&b, "%s{\"id\":\"%s\",\"parentFolderId\":\"%s\",\"displayName\":\"%s\"",
                   n++ ? "," : "", p->id, p->parent, p->name);
        if (!x->faults.top_delta)
            buf_printf(&b, ",\"childFolderCount\":%d", p->children);
        buf_puts(&b, "}");
    }
    buf_puts(&b, "]");
    if (!parent_or_null)
        buf_printf(&b, ",\"@odata.deltaLink\":\"%s/v1.0/users/u/mailFolders/delta?$deltatoken=1\"",
                   server_url(x->server));
    buf_puts(&b, "}");
    return exchange_json(x, 200, &b);
}

static const char *folder_named(const char *target)
{
    if (strstr(target, "deleteditems") || strstr(target, EXCHANGE_TRASH))
        return EXCHANGE_TRASH;
    if (strstr(target, "msgfolderroot"))
        return "AAroot";
    return strstr(target, EXCHANGE_QUARTER) ? EXCHANGE_QUARTER
           : strstr(target, "rchive")       ? EXCHANGE_ARCHIVE
                                            : EXCHANGE_INBOX;
}

struct server_reply exchange_folder(struct exchange *x, const char *target)
{
    struct buf b = BUF_INIT(ANSWER_MAX);
    x->counts.folder++;
    if (strstr(target, "$batch") || strstr(target, "sentitems") || strstr(target, "junkemail") ||
        strstr(target, "drafts"))
        return exchange_failure(x, 404, "ErrorItemNotFound"); /* no batches, and not all folders */
    if (x->faults.no_properties && strstr(target, "$expand"))
        return exchange_failure(x, x->faults.no_properties, "ErrorAsTold");
    buf_printf(&b,
               "{\"id\":\"%s\",\"displayName\":\"x\",\"parentFolderId\":\"AAroot\","
               "\"childFolderCount\":0,\"totalItemCount\":%zu,\"unreadItemCount\":0,"
               "\"isHidden\":false,\"singleValueExtendedProperties\":["
               "{\"id\":\"Integer 0x6751\",\"value\":\"%lld\"}",
               folder_named(target), x->count, (long long)x->article_next);
    if (x->mark[0])
        buf_printf(&b, ",{\"id\":\"" GRAPH_FOLDER_MARK "\",\"value\":\"%s\"}", x->mark);
    buf_puts(&b, "]}");
    return exchange_json(x, 200, &b);
}

struct server_reply exchange_patch(struct exchange *x, const struct server_request *request)
{
    x->counts.patch++;
    if (x->faults.no_marks)
        return exchange_failure(x, x->faults.no_marks, "ErrorAsTold");
    const char *value = strstr(request->body, "1;");
    if (!value || sscanf(value, "%60[0-9a-z;]", x->mark) != 1)
        return exchange_failure(x, 400, "BadRequest");
    struct buf b = BUF_INIT(ANSWER_MAX);
    buf_puts(&b, "{\"id\":\"" EXCHANGE_INBOX "\"}");
    return exchange_json(x, 200, &b);
}
