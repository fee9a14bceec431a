#include "postern/graph/report.h"

#include "build.h"

const unsigned graph_report_periods[4] = {7, 30, 90, 180};

/* CSV is as little JSON as a message is: a 200 with an error page in it is refused. */
static struct graph_request request(struct graph_as as)
{
    struct graph_request r = build_request(as, GRAPH_GET, GRAPH_REPEAT_SAFE);
    r.mime = true;
    return r;
}

static struct graph_call *ask(struct graph_user *u, struct graph_as as, unsigned days)
{
    struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct graph_request r = request(as);
    r.at_root = true;
    r.redirect = true;
    buf_printf(&path, "/reports/getEmailAppUsageUserDetail(period='D%u')", days);
    return build_start(u, &r, &path);
}

static struct graph_call *fetch(struct graph_user *u, struct graph_as as, const char *address)
{
    struct graph_request r = request(as);
    r.upload = address;
    return graph_call_start(u, &r);
}

bool graph_report_email_apps(struct graph_user *u, struct graph_as as, unsigned days,
                             struct buf *out, struct wait *w, struct error *e)
{
    struct graph_call *call = ask(u, as, days);
    bool ok = graph_call_wait(call, w, e);
    if (ok && graph_call_status(call) >= 300) {
        struct graph_call *file = fetch(u, as, buf_str(graph_call_body(call)));
        graph_call_free(&call);
        call = file;
        ok =
            graph_call_wait(call, w, e) || error_prefix(e, "the report's file cannot be fetched: ");
    }
    if (ok && !buf_append(out, buf_str(graph_call_body(call)), graph_call_body(call)->len))
        ok = error_set(e, ERROR_TOO_BIG, "the report is over the limit of %zu bytes", out->max);
    graph_call_free(&call);
    return ok;
}
