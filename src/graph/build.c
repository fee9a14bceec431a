#include "build.h"

#include "internal.h"
#include "url.h"

void build_item(struct buf *path, const char *collection, const char *id)
{
    buf_printf(path, "/%s/", collection);
    url_put_segment(path, id);
}

void build_expand(struct buf *path, const char *const *properties)
{
    struct buf option = BUF_INIT(PATH_MAX_BYTES);
    buf_puts(&option, "singleValueExtendedProperties($filter=");
    for (size_t i = 0; properties[i]; i++) {
        buf_printf(&option, "%sid eq ", i ? " or " : "");
        url_put_odata_string(&option, properties[i]);
    }
    buf_putc(&option, ')');
    buf_puts(path, "$expand=");
    url_put_query(path, buf_str(&option));
    buf_free(&option);
}

struct graph_request build_request(struct graph_as as, enum graph_method method,
                                   enum graph_repeat repeat)
{
    return (struct graph_request){
        .method = method, .repeat = repeat, .fair_key = as.fair_key, .background = as.background};
}

struct graph_call *build_start(struct graph_user *u, struct graph_request *request,
                               struct buf *path)
{
    request->path = buf_str(path);
    struct graph_call *call = graph_call_start(u, request);
    buf_free(path);
    return call;
}

struct graph_call *build_follow(struct graph_user *u, struct graph_request *request,
                                const char *link)
{
    request->link = link;
    return graph_call_start(u, request);
}

bool build_check_links(const struct graph_call *call, const char *next, const char *delta,
                       struct error *e)
{
    return (!next || call_check_link(call, next, e)) && (!delta || call_check_link(call, delta, e));
}
