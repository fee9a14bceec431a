#include "http.h"

#include "batch.h"
#include "control.h"
#include "entra.h"
#include "graph.h"
#include "imds.h"
#include "reports.h"
#include "upload.h"

#include "postern/base/alloc.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECTION_TIMEOUT_S 300
#define CONNECTIONS_MAX      1024
#define SEND_BLOCK           65536
#define HEADERS_MAX          64

struct http_server {
    struct sandbox *s;
    struct MHD_Daemon *daemon;
    enum http_role role;
};

/* One request from its first line to the last byte of its answer. */
struct exchange {
    struct http_server *server;
    char *target;
    bool started;
    struct buf upload;
    struct request r;
    struct answer a;
    struct fault_effect fault;
    uint64_t journal_n;
    char *user;   /* whose slot is held, NULL: none */
    char *told;   /* whose Retry-After may go out with the answer */
    size_t limit; /* bytes of body to send; less than there are: then the connection is cut */
};

static void *begin_exchange(void *arg, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    struct http_server *server = arg;
    struct exchange *x = xcalloc(1, sizeof *x);
    x->server = server;
    x->target = xstrdup(uri);
    /* One byte over the limit shows that it was passed. */
    buf_init(&x->upload, server->role == HTTP_CONTROL ? MESSAGE_MAX : REQUEST_BODY_MAX + 1);
    answer_init(&x->a);
    x->fault.truncate = -1;
    x->r.arena = arena_new();
    return x;
}

/* Gives the slot back and closes the log entry; the last byte is about to go out. */
static void settle(struct exchange *x, int status)
{
    struct sandbox *s = x->server->s;
    if (x->server->role == HTTP_CONTROL)
        return;
    pthread_mutex_lock(&s->lock);
    const char *retry_after = answer_get_header(&x->a, "Retry-After");
    if (x->user) {
        throttle_leave(&s->throttle, x->user);
        if (retry_after) {
            throttle_told(&s->throttle, x->user, retry_after);
            x->told = x->user;
        } else {
            free(x->user);
        }
        x->user = NULL;
    }
    if (x->journal_n)
        journal_end(&s->journal, x->journal_n, status);
    pthread_mutex_unlock(&s->lock);
}

/* On a busy machine it may be long before the answer is out. */
static void tell_sent(struct exchange *x)
{
    struct sandbox *s = x->server->s;
    if (!x->told)
        return;
    pthread_mutex_lock(&s->lock);
    throttle_sent(&s->throttle, x->told);
    pthread_mutex_unlock(&s->lock);
    free(x->told);
}

static void end_exchange(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode how)
{
    (void)arg;
    (void)connection;
    struct exchange *x = *context;
    if (!x)
        return;
    settle(x, how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? x->a.status : 0);
    tell_sent(x);
    answer_free(&x->a);
    fault_effect_free(&x->fault);
    buf_free_secret(&x->upload);
    arena_free(&x->r.arena);
    free(x->target);
    free(x);
    *context = NULL;
}

static enum MHD_Result take_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct request *r = arg;
    if (r->header_count == HEADERS_MAX)
        return MHD_NO;
    r->headers[r->header_count++] = (struct request_pair){
        .name = arena_strdup(r->arena, name), .value = arena_strdup(r->arena, value ? value : "")};
    return MHD_YES;
}

/* False: the target cannot be parsed. */
static bool make_request(struct exchange *x, struct MHD_Connection *connection, const char *method)
{
    struct request *r = &x->r;
    r->method = arena_strdup(r->arena, method);
    r->headers = arena_alloc(r->arena, HEADERS_MAX * sizeof *r->headers);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, r);
    const char *host = request_header(r, "Host");
    r->origin = arena_printf(r->arena, "https://%s", host ? host : "localhost");
    r->body = buf_str(&x->upload);
    r->body_len = x->upload.overflow ? REQUEST_BODY_MAX + 1 : x->upload.len;
    guid_make(r->request_id);
    return request_parse_target(r, x->target);
}

/* What a fault answers with: the given body, or an error as Graph would word it. */
static void put_fault(struct exchange *x)
{
    const struct fault_effect *f = &x->fault;
    struct call c = {.s = x->server->s, .r = &x->r, .a = &x->a};
    answer_free(&x->a);
    answer_init(&x->a);
    int status = f->status ? f->status : f->redirect ? 302 : f->retry_after ? 429 : 200;
    if (f->content_type)
        answer_header(&x->a, "Content-Type", f->content_type);
    if (f->body) {
        buf_puts(&x->a.body, f->body);
        if (!f->content_type)
            answer_header(&x->a, "Content-Type", "application/json");
    } else if (status >= 400) {
        const char *code = status == 429   ? "TooManyRequests"
                           : status == 503 ? "ServiceUnavailable"
                                           : "UnknownError";
        graph_error(&c, status, code, "A fault that was asked for.");
    }
    x->a.status = status;
    if (f->retry_after)
        answer_header(&x->a, "Retry-After", f->retry_after);
    if (f->redirect)
        answer_header(&x->a, "Location", f->redirect);
}

static bool fault_replaces(const struct fault_effect *f)
{
    return f->active && (f->status || f->reset || f->redirect || f->retry_after || f->body);
}

static void replace_links(struct exchange *x)
{
    static const char *const names[] = {"@odata.nextLink", "@odata.deltaLink"};
    struct json_object *o = x->a.body.len ? json_tokener_parse(buf_str(&x->a.body)) : NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct json_object *old = NULL;
        if (json_object_is_type(o, json_type_object) &&
            json_object_object_get_ex(o, names[i], &old))
            json_object_object_add(o, names[i], json_object_new_string(x->fault.next_link));
    }
    if (o)
        answer_json(&x->a, x->a.status, o);
}

/* Log entry, fault and the way in, under the lock. False: the answer is there already. */
static bool enter_graph(struct exchange *x, int64_t *wait_ms)
{
    struct sandbox *s = x->server->s;
    bool upload = x->server->role == HTTP_UPLOAD;
    bool ok = upload || graph_admit(s, &x->r, &x->a);
    struct mailbox *box = upload ? upload_mailbox(s, &x->r) : graph_mailbox_of(s, &x->r);
    if (box)
        journal_set_user(&s->journal, x->journal_n, box->upn);
    *wait_ms = graph_is_batch(&x->r) ? 0 : s->settings.latency_ms;
    if (!ok || !box)
        return ok;
    if (throttle_enter(&s->throttle, &s->settings, &s->journal, box->upn)) {
        x->user = xstrdup(box->upn);
        return true;
    }
    graph_throttled(s, &x->r, &x->a);
    throttle_told(&s->throttle, box->upn, answer_get_header(&x->a, "Retry-After"));
    x->told = xstrdup(box->upn);
    return false;
}

static void do_work(struct exchange *x, bool is_sign_in)
{
    struct sandbox *s = x->server->s;
    if (x->server->role == HTTP_GRAPH && graph_is_batch(&x->r)) {
        batch_handle(s, &x->r, &x->a, x->journal_n);
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (x->server->role == HTTP_IMDS)
        imds_handle(s, &x->r, &x->a);
    else if (is_sign_in)
        entra_handle(s, &x->r, &x->a);
    else if (x->server->role == HTTP_UPLOAD && reports_is_download(&x->r))
        reports_download(s, &x->r, &x->a);
    else if (x->server->role == HTTP_UPLOAD)
        upload_handle(s, &x->r, &x->a);
    else
        graph_dispatch(s, &x->r, &x->a);
    pthread_mutex_unlock(&s->lock);
}

static void serve(struct exchange *x, int client_fd)
{
    struct sandbox *s = x->server->s;
    bool is_imds = x->server->role == HTTP_IMDS, proceed = true;
    bool is_sign_in = is_imds || (x->server->role == HTTP_GRAPH && entra_is_endpoint(&x->r));
    int64_t wait_ms;
    pthread_mutex_lock(&s->lock);
    faults_match(&s->faults, &x->r, is_sign_in, &x->fault);
    if (is_sign_in) {
        s->journal.tokens += is_imds || entra_is_token_endpoint(&x->r);
        wait_ms = s->settings.latency_ms;
    } else {
        x->journal_n = journal_begin(&s->journal, &x->r);
        proceed = enter_graph(x, &wait_ms);
    }
    pthread_mutex_unlock(&s->lock);
    sandbox_stall(s, x->fault.stall_ms, client_fd);
    sandbox_pause(s, wait_ms);
    bool replaced = proceed && fault_replaces(&x->fault);
    if (proceed && (!replaced || x->fault.after))
        do_work(x, is_sign_in);
    if (replaced)
        put_fault(x);
    else if (x->fault.next_link)
        replace_links(x);
    answer_header(&x->a, "request-id", x->r.request_id);
    const char *client = request_header(&x->r, "client-request-id");
    if (client)
        answer_header(&x->a, "client-request-id", client);
}

static ssize_t read_answer(void *arg, uint64_t pos, char *out, size_t max)
{
    struct exchange *x = arg;
    if (pos >= x->limit)
        return x->limit < x->a.body.len ? MHD_CONTENT_READER_END_WITH_ERROR
                                        : MHD_CONTENT_READER_END_OF_STREAM;
    size_t n = x->limit - (size_t)pos;
    if (n > max)
        n = max;
    memcpy(out, x->a.body.data + pos, n);
    if (pos + n == x->limit)
        settle(x, x->a.status);
    return (ssize_t)n;
}

static int client_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

static enum MHD_Result reset_connection(struct exchange *x, struct MHD_Connection *connection)
{
    const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    settle(x, 0);
    /* Dissolving the association sends RST at once, before anything polite can be said. */
    (void)!connect(client_fd(connection), &nowhere, sizeof nowhere);
    return MHD_NO;
}

static enum MHD_Result send_answer(struct exchange *x, struct MHD_Connection *connection)
{
    struct MHD_Response *response;
    size_t len = x->a.body.len;
    bool cut = x->fault.truncate >= 0 && (uint64_t)x->fault.truncate < len;
    x->limit = cut ? (size_t)x->fault.truncate : len;
    if ((x->a.chunked && len > 0) || cut) {
        uint64_t told = x->a.chunked ? MHD_SIZE_UNKNOWN : len;
        response = MHD_create_response_from_callback(told, SEND_BLOCK, read_answer, x, NULL);
    } else {
        settle(x, x->a.status);
        response = MHD_create_response_from_buffer(len, x->a.body.data, MHD_RESPMEM_PERSISTENT);
    }
    if (!response)
        return MHD_NO;
    for (size_t i = 0; i < x->a.header_count; i++)
        MHD_add_response_header(response, x->a.headers[i].name, x->a.headers[i].value);
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)x->a.status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **context)
{
    (void)url;
    (void)version;
    struct http_server *server = arg;
    struct exchange *x = *context;
    if (!x->started) {
        x->started = true;
        return MHD_YES;
    }
    if (*size > 0) {
        buf_append(&x->upload, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (!make_request(x, connection, method)) {
        x->a.status = 400;
        buf_puts(&x->a.body, "Bad Request - Invalid URL");
    } else if (server->role == HTTP_CONTROL) {
        control_handle(server->s, &x->r, &x->a);
    } else {
        serve(x, client_fd(connection));
    }
    if (x->fault.reset && fault_replaces(&x->fault))
        return reset_connection(x, connection);
    return send_answer(x, connection);
}

struct http_server *http_start(struct sandbox *s, enum http_role role,
                               const struct sockaddr *address, const struct tls_identity *identity,
                               struct error *e)
{
    struct http_server *h = xcalloc(1, sizeof *h);
    h->s = s;
    h->role = role;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | (identity ? MHD_USE_TLS : 0) |
                     (address->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0);
    static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, identity ? identity->key_pem : NULL},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, identity ? identity->certificate_pem : NULL},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL}};
    if (!identity)
        tls[0] = tls[3];
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, h, MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_ARRAY, tls,
        MHD_OPTION_URI_LOG_CALLBACK, begin_exchange, h, MHD_OPTION_NOTIFY_COMPLETED, end_exchange,
        NULL, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)SEND_BLOCK * 2, MHD_OPTION_END);
    if (h->daemon)
        return h;
    free(h);
    error_set(e, ERROR_LOCAL,
              "cannot listen for %s: is the address in use, or libmicrohttpd built without TLS?",
              identity ? "HTTPS" : "HTTP");
    return NULL;
}

unsigned http_port(const struct http_server *h)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

void http_stop(struct http_server *h)
{
    if (!h)
        return;
    MHD_stop_daemon(h->daemon);
    free(h);
}
