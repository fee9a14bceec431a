#include "redirect.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/encode.h"
#include "postern/base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS_MAX 16
#define IDLE_SECONDS    10u
#define MEMORY_MAX      ((size_t)32 << 10) /* of a connection: bounds the request */
#define HELD_SECONDS    600u               /* longer than asking for the tokens may take */
#define PAGE_MAX        ((size_t)16 << 10)
#define PAGE_SECONDS    5 /* for the page to go out */
#define NONCE_SIZE      16
#define SHOWN_MAX       240 /* bytes of what the query says of an error */

struct redirect {
    struct MHD_Daemon *daemon;
    unsigned port;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct wait *waiter;
    const char *state; /* NULL: nobody waits yet, or no more */
    char *code;
    char refusal[SHOWN_MAX];
    bool answered; /* code or refusal is there */
    bool ended;    /* title and text say how */
    unsigned held; /* browsers that wait for that, or are being told */
    char title[64];
    char text[ERROR_TEXT_MAX + 80];
};

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned status,
                               const char *title, const char *text)
{
    uint8_t random[NONCE_SIZE];
    char nonce[2 * NONCE_SIZE + 1], policy[160];
    struct buf page = BUF_INIT(PAGE_MAX);
    random_bytes(random, sizeof random);
    hex_encode(random, sizeof random, nonce);
    snprintf(policy, sizeof policy,
             "default-src 'none'; style-src 'nonce-%s'; base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'",
             nonce);
    redirect_page(&page, nonce, title, text);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(page.len, page.data, MHD_RESPMEM_MUST_COPY);
    buf_free(&page);
    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, "Content-Type", "text/html; charset=utf-8");
    MHD_add_response_header(r, "Content-Security-Policy", policy);
    /* The address of the page holds the code. */
    MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(r, "Connection", "close");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow", "GET");
    enum MHD_Result result = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return result;
}

/* A page of another site that has its name point here must not reach us. */
static bool is_for_us(struct redirect *r, struct MHD_Connection *connection)
{
    char name[32], number[32];
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
    pthread_mutex_lock(&r->lock);
    unsigned port = r->port;
    pthread_mutex_unlock(&r->lock);
    snprintf(name, sizeof name, "localhost:%u", port);
    snprintf(number, sizeof number, "127.0.0.1:%u", port);
    return host && (strcmp(host, name) == 0 || strcmp(host, number) == 0);
}

/* The first answer is taken; a second one (the page loaded again) sees the same end. */
static void take(struct redirect *r, enum redirect_kind kind, const char *code, const char *error,
                 const char *description)
{
    if (r->answered)
        return;
    r->answered = true;
    if (kind == REDIRECT_CODE) {
        r->code = xstrdup(code);
    } else {
        /* Entra ID's lines of ids follow its sentence. */
        int shown = description ? (int)strcspn(description, "\r\n") : 0;
        char *both =
            xasprintf("%s%s%.*s", error, shown ? ": " : "", shown, shown ? description : "");
        text_clean(both, r->refusal, sizeof r->refusal);
        free(both);
    }
    wait_notify(r->waiter);
}

static enum MHD_Result take_answer(struct redirect *r, struct MHD_Connection *connection,
                                   void **context)
{
    const enum MHD_ValueKind query = MHD_GET_ARGUMENT_KIND;
    const char *state = MHD_lookup_connection_value(connection, query, "state");
    const char *code = MHD_lookup_connection_value(connection, query, "code");
    const char *error = MHD_lookup_connection_value(connection, query, "error");
    const char *description = MHD_lookup_connection_value(connection, query, "error_description");
    pthread_mutex_lock(&r->lock);
    enum redirect_kind kind =
        r->state ? redirect_classify(r->state, state, code, error) : REDIRECT_NO_ANSWER;
    if (kind == REDIRECT_NO_ANSWER) {
        pthread_mutex_unlock(&r->lock);
        return respond(connection, MHD_HTTP_BAD_REQUEST, "This is not the sign-in",
                       "This page waits for the answer of one sign-in, and this was not it. Open "
                       "the address that the terminal shows.");
    }
    take(r, kind, code, error, description);
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, HELD_SECONDS);
    *context = r; /* counted until the page is out */
    r->held++;
    while (!r->ended)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
    return respond(connection, MHD_HTTP_OK, r->title, r->text);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **context)
{
    static int seen; /* its address marks a request whose head was looked at */
    struct redirect *r = arg;
    (void)version;
    (void)upload;
    if (!*context) {
        *context = &seen;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Not like this",
                       "Only a browser that comes back from signing in is awaited here.");
    if (!is_for_us(r, connection))
        return respond(connection, MHD_HTTP_FORBIDDEN, "Not for this host",
                       "This server answers as localhost alone.");
    if (strcmp(url, "/") != 0)
        return respond(connection, MHD_HTTP_NOT_FOUND, "Nothing is here",
                       "Open the address that the terminal shows.");
    return take_answer(r, connection, context);
}

static void completed(void *arg, struct MHD_Connection *connection, void **context,
                      enum MHD_RequestTerminationCode code)
{
    struct redirect *r = arg;
    (void)connection;
    (void)code;
    if (*context != r)
        return;
    pthread_mutex_lock(&r->lock);
    r->held--;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

struct redirect *redirect_open(struct error *e)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct redirect *r = xcalloc(1, sizeof *r);
    pthread_condattr_t monotonic;
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    r->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, answer, r,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_NOTIFY_COMPLETED, completed,
        r, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_MAX, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        r->daemon ? MHD_get_daemon_info(r->daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    pthread_mutex_lock(&r->lock);
    r->port = info ? info->port : 0;
    bool ok = r->port != 0;
    pthread_mutex_unlock(&r->lock);
    if (ok)
        return r;
    error_set(e, ERROR_LOCAL, "cannot listen on 127.0.0.1: %s", strerror(errno));
    redirect_close(&r, NULL, e);
    return NULL;
}

unsigned redirect_port(const struct redirect *r)
{
    return r->port;
}

void redirect_expect(struct redirect *r, const char *state, struct wait *w)
{
    pthread_mutex_lock(&r->lock);
    r->waiter = w;
    r->state = state;
    pthread_mutex_unlock(&r->lock);
}

static bool await(struct redirect *r, struct error *e)
{
    for (;;) {
        pthread_mutex_lock(&r->lock);
        bool answered = r->answered;
        pthread_mutex_unlock(&r->lock);
        if (answered)
            return true;
        if (!wait_sleep(r->waiter, e))
            return false;
    }
}

bool redirect_wait(struct redirect *r, char **code, struct error *e)
{
    bool ok = await(r, e);
    pthread_mutex_lock(&r->lock);
    /* From now on one that comes again with the right state sees how this one ended. */
    ok = ok || r->answered;
    r->answered = true;
    *code = r->code;
    r->code = NULL;
    pthread_mutex_unlock(&r->lock);
    if (ok && !*code)
        ok = error_set(e, ERROR_DENIED, "the sign-in was refused or given up: %s", r->refusal);
    return ok;
}

static void tell_end(struct redirect *r, const char *user, const struct error *e)
{
    char shown[SHOWN_MAX];
    text_clean(user ? user : "", shown, sizeof shown);
    snprintf(r->title, sizeof r->title, "%s", e ? "Not signed in" : "Signed in");
    if (e)
        text_clean(e->text, r->text, sizeof r->text);
    else
        snprintf(r->text, sizeof r->text,
                 "Postern now works on behalf of %s. You can close this page.", shown);
    r->ended = true;
    pthread_cond_broadcast(&r->changed);
}

void redirect_close(struct redirect **redirect, const char *user, const struct error *e)
{
    struct redirect *r = *redirect;
    struct timespec until;
    if (!r)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PAGE_SECONDS;
    pthread_mutex_lock(&r->lock);
    tell_end(r, user, e);
    while (r->held > 0 && pthread_cond_timedwait(&r->changed, &r->lock, &until) == 0)
        continue;
    pthread_mutex_unlock(&r->lock);
    if (r->daemon)
        MHD_stop_daemon(r->daemon);
    secret_free(r->code);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *redirect = NULL;
}
