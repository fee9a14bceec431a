#include "postern/admin/admin.h"

#include "door.h"
#include "postern/base/alloc.h"
#include "postern/base/log.h"
#include "postern/base/thread.h"
#include "request.h"
#include "views.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 32u
#define IDLE_SECONDS    10u
#define MEMORY_MAX      ((size_t)16 << 10) /* of a connection: bounds the request's head */
#define ANSWER_MAX      ((size_t)4 << 20)

struct admin {
    struct admin_sources from;
    struct MHD_Daemon *daemon; /* NULL: nothing listens */
    pthread_mutex_t lock;
    struct config *config; /* under the lock; NULL before the first configure */
};

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status, const char *type,
                               const struct buf *body)
{
    static const char *const headers[][2] = {
        {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri "
                                    "'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Cache-Control", "no-store"},
        {"Connection", "close"},
    };
    struct MHD_Response *r =
        MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, "Content-Type", type);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(r, headers[i][0], headers[i][1]);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow", "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status)
{
    struct buf body = BUF_INIT(ERROR_TEXT_MAX);
    buf_puts(&body, status == MHD_HTTP_FORBIDDEN
                        ? "This endpoint answers as localhost and its addresses alone.\n"
                    : status == MHD_HTTP_METHOD_NOT_ALLOWED
                        ? "Nothing can be changed here: GET and HEAD only.\n"
                        : "There is /, /health and /metrics.\n");
    enum MHD_Result result = respond(connection, status, "text/plain; charset=utf-8", &body);
    buf_free(&body);
    return result;
}

static enum MHD_Result show(struct admin *a, struct MHD_Connection *connection,
                            enum admin_view view)
{
    struct admin_snapshot s;
    struct buf body = BUF_INIT(ANSWER_MAX);
    const char *type = "text/plain; charset=utf-8";
    unsigned status = MHD_HTTP_OK;
    admin_snapshot_take(&a->from, &s);
    if (view == ADMIN_PAGE) {
        pthread_mutex_lock(&a->lock);
        struct config *config = config_ref(a->config);
        pthread_mutex_unlock(&a->lock);
        admin_page(&body, &s, config);
        config_unref(&config);
        type = "text/html; charset=utf-8";
    } else if (view == ADMIN_METRICS) {
        admin_metrics(&body, &s);
        type = "text/plain; version=0.0.4; charset=utf-8";
    } else if (!admin_health(&body, &s)) {
        status = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    admin_snapshot_free(&s);
    enum MHD_Result result = respond(connection, status, type, &body);
    buf_free(&body);
    return result;
}

/* Answers as soon as the head is there: a body is nothing that we read. */
static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    enum admin_view view;
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    unsigned status = admin_request(method, host, url, &view);
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)context;
    return status == MHD_HTTP_OK ? show(arg, connection, view) : refuse(connection, status);
}

struct admin *admin_new(const struct admin_sources *from)
{
    struct admin *a = xcalloc(1, sizeof *a);
    a->from = *from;
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

static struct MHD_Daemon *open_daemon(struct admin *a, const struct config *config, struct error *e)
{
    int fd = admin_door_open(config, e);
    if (fd < 0)
        return NULL;
    unsigned port = admin_door_port(fd);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, answer, a,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_MAX,
        MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK_WORKER, MHD_OPTION_END);
    if (daemon)
        log_info("the admin page is at http://%.*s:%u/",
                 (int)(strrchr(config->admin_address, ':') - config->admin_address),
                 config->admin_address, port);
    else /* who closes the socket then is not documented; the process ends, or tells */
        error_set(e, ERROR_LOCAL, "the admin endpoint on %s does not start", config->admin_address);
    return daemon;
}

static bool same_place(const struct config *a, const struct config *b)
{
    const char *x = a && a->admin_address ? a->admin_address : "";
    return strcmp(x, b->admin_address ? b->admin_address : "") == 0;
}

bool admin_configure(struct admin *a, struct config *config, struct error *e)
{
    struct MHD_Daemon *old = NULL;
    /* Before it is open: the first request may come at once. */
    struct config *before = a->config;
    bool stays = same_place(before, config);
    pthread_mutex_lock(&a->lock);
    a->config = config_ref(config);
    pthread_mutex_unlock(&a->lock);
    if (!stays) {
        struct MHD_Daemon *fresh = config->admin_address ? open_daemon(a, config, e) : NULL;
        if (config->admin_address && !fresh) {
            pthread_mutex_lock(&a->lock);
            config_unref(&a->config);
            a->config = before;
            pthread_mutex_unlock(&a->lock);
            return false;
        }
        old = a->daemon;
        a->daemon = fresh;
    }
    if (old)
        MHD_stop_daemon(old);
    config_unref(&before);
    return true;
}

void admin_free(struct admin **admin)
{
    struct admin *a = *admin;
    if (!a)
        return;
    if (a->daemon)
        MHD_stop_daemon(a->daemon);
    config_unref(&a->config);
    pthread_mutex_destroy(&a->lock);
    free(a);
    *admin = NULL;
}
