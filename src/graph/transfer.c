#include "transfer.h"

#include "challenge.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONNECT_TIMEOUT_MS 10000
/* An error body is read for its code and message; a page of HTML may well be longer. */
#define ERROR_BODY_MAX ((size_t)64 * 1024)

static bool success(const struct transfer *t)
{
    return t->answer.status >= 200 && t->answer.status < 300;
}

static void put_header_value(char *out, size_t size, const char *value, size_t len)
{
    while (len && strchr(" \t", *value))
        value++, len--;
    while (len && strchr(" \t\r\n", value[len - 1]))
        len--;
    snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), value);
}

static void take_header(struct answer *a, const char *line, size_t len)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } wanted[] = {
        {"content-type:", a->content_type, sizeof a->content_type},
        {"content-encoding:", a->encoding, sizeof a->encoding},
        {"retry-after:", a->retry_after, sizeof a->retry_after},
        {"request-id:", a->request_id, sizeof a->request_id},
        {"location:", a->location, sizeof a->location},
        {"date:", a->date, sizeof a->date},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        size_t n = strlen(wanted[i].name);
        if (len > n && strncasecmp(line, wanted[i].name, n) == 0)
            put_header_value(wanted[i].out, wanted[i].size, line + n, len - n);
    }
    a->location[strcspn(a->location, "?#")] = '\0';
}

/* Each line is a list of challenges, and a further line goes on with it. */
static void take_authenticate(struct transfer *t, const char *line, size_t len)
{
    static const char name[] = "www-authenticate:";
    size_t n = sizeof name - 1;
    if (len <= n || strncasecmp(line, name, n) != 0)
        return;
    if (t->authenticate.len)
        buf_putc(&t->authenticate, ',');
    buf_append(&t->authenticate, line + n, len - n);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200"; the line is not NUL-terminated. 0: no status. */
static int status_of(const char *line, size_t len)
{
    const char *p = memchr(line, ' ', len);
    int status = 0;
    for (p = p ? p + 1 : line + len; p < line + len && *p >= '0' && *p <= '9'; p++)
        status = status < 1000 ? status * 10 + (*p - '0') : status;
    return status < 1000 ? status : 0;
}

/* Each response head (100, then the real one) starts with a status line and clears the last. */
static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;
    t->progress_ms = clock_mono_ms();
    if (len > 5 && strncasecmp(line, "HTTP/", 5) == 0) {
        struct answer fresh = {0};
        memcpy(fresh.client_request_id, t->answer.client_request_id, GUID_SIZE);
        fresh.status = status_of(line, len);
        t->answer = fresh;
        buf_clear(&t->authenticate);
    } else {
        take_header(&t->answer, line, len);
        take_authenticate(t, line, len);
    }
    return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t len = size * count;
    t->progress_ms = clock_mono_ms();
    if (!success(t)) {
        size_t room = ERROR_BODY_MAX - t->body.len;
        buf_append(&t->body, data, len < room ? len : room);
        return len;
    }
    if (t->request.take)
        return t->request.take(t, data, len) ? len : 0;
    if (t->body.len + len > t->request.max_body || !buf_append(&t->body, data, len)) {
        error_set(&t->fault, ERROR_ANSWER, "the answer of Graph is over the limit of %zu bytes",
                  t->request.max_body);
        return 0;
    }
    return len;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    struct transfer *t = arg;
    (void)down_total;
    (void)up_total;
    if (down + up != t->moved) {
        t->moved = down + up;
        t->progress_ms = clock_mono_ms();
    }
    return 0;
}

/* libcurl sends a request anew by itself when a reused connection turns out to be dead, POST and
 * DELETE too. What must not be done twice is stopped here, before the second sending. */
static int on_issue(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct transfer *t = arg;
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (t->request.may_go && !t->request.may_go(t)) {
        t->held = true;
        return CURL_PREREQFUNC_ABORT;
    }
    t->issued++;
    return t->request.once && t->issued > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void add_header(struct transfer *t, const char *name, const char *value)
{
    char *line = xasprintf("%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    if (!longer)
        alloc_out_of_memory();
    t->headers = longer;
    secret_free(line);
}

static void set_headers(struct transfer *t, const struct transfer_request *r)
{
    guid_make(t->answer.client_request_id);
    add_header(t, "Accept", r->accept);
    add_header(t, "client-request-id", t->answer.client_request_id);
    add_header(t, "return-client-request-id", "true");
    if (r->metadata)
        add_header(t, "Metadata", "true");
    if (r->prefer)
        add_header(t, "Prefer", r->prefer);
    if (r->body)
        add_header(t, "Content-Type", r->content_type);
    if (r->range)
        add_header(t, "Content-Range", r->range);
    if (r->token) {
        char *bearer = xasprintf("Bearer %s", r->token);
        add_header(t, "Authorization", bearer);
        secret_free(bearer);
    }
    /* A header without a value takes libcurl's own away. */
    struct curl_slist *l = curl_slist_append(t->headers, "Expect:");
    if (l && !r->body)
        l = curl_slist_append(l, "Content-Type:");
    if (!l)
        alloc_out_of_memory();
    t->headers = l;
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
}

static void set_method(CURL *c, const struct transfer_request *r)
{
    if (r->method == GRAPH_GET)
        return;
    if (r->body || r->method == GRAPH_POST) {
        const char *body = r->body ? r->body : "";
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(r->body ? r->body_len : 0));
    }
    if (r->method == GRAPH_PUT)
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "PUT");
    if (r->method == GRAPH_PATCH)
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "PATCH");
    if (r->method == GRAPH_DELETE)
        curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "DELETE");
}

static void set_security(CURL *c, const struct transfer_request *r)
{
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, r->metadata ? "http,https" : "https");
#else
    curl_easy_setopt(c, CURLOPT_PROTOCOLS,
                     (long)(r->metadata ? CURLPROTO_HTTP | CURLPROTO_HTTPS : CURLPROTO_HTTPS));
#endif
    if (r->metadata)
        curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    if (r->anchors && r->anchors->pem.len) {
        /* A blob, not a callback on the SSL_CTX: libcurl compares it, so that a connection that
         * one tenant's anchor vouches for is never reused for another tenant. */
        struct curl_blob blob = {
            .data = r->anchors->pem.data, .len = r->anchors->pem.len, .flags = CURL_BLOB_NOCOPY};
        curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
        curl_easy_setopt(c, CURLOPT_PROXY_CAINFO_BLOB, &blob);
    }
}

static void set_callbacks(struct transfer *t)
{
    CURL *c = t->easy;
    curl_easy_setopt(c, CURLOPT_PRIVATE, t);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->detail);
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_issue);
    curl_easy_setopt(c, CURLOPT_PREREQDATA, t);
}

struct transfer *transfer_new(const struct transfer_request *request, struct error *e)
{
    struct transfer *t = xcalloc(1, sizeof *t);
    int64_t connect =
        request->timeout_ms < CONNECT_TIMEOUT_MS ? request->timeout_ms : CONNECT_TIMEOUT_MS;
    t->request = *request;
    buf_init(&t->authenticate, CHALLENGE_HEADER_MAX);
    buf_init(&t->body, request->max_body > ERROR_BODY_MAX ? request->max_body : ERROR_BODY_MAX);
    t->easy = curl_easy_init();
    if (!t->easy || curl_easy_setopt(t->easy, CURLOPT_URL, request->url) != CURLE_OK) {
        error_set(e, ERROR_LOCAL, "cannot prepare a request: libcurl has no handle for it");
        transfer_free(&t);
        return NULL;
    }
    set_callbacks(t);
    set_security(t->easy, request);
    set_method(t->easy, request);
    set_headers(t, request);
    curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* libcurl takes a gzip stream that ends too early for whole. JSON shows that by itself, the
     * bytes of a message do not, so they come as they are. */
    if (!request->take)
        curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(t->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect);
    curl_easy_setopt(t->easy, CURLOPT_USERAGENT, "postern/" PACKAGE_VERSION);
    t->request.url = t->request.token = t->request.prefer = t->request.accept = NULL;
    t->progress_ms = clock_mono_ms();
    return t;
}

void transfer_free(struct transfer **transfer)
{
    struct transfer *t = *transfer;
    if (!t)
        return;
    curl_easy_cleanup(t->easy);
    for (struct curl_slist *h = t->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(t->headers);
    buf_free(&t->authenticate);
    buf_free_secret(&t->body);
    free(t);
    *transfer = NULL;
}

struct explanation {
    CURLcode code;
    enum error_kind kind;
    bool transient;
    const char *advice;
};

#define TLS_ADVICE                                                                                 \
    "the server's certificate is not trusted: check the system's clock and trust anchors, and "    \
    "name the anchor of a proxy that inspects TLS in ca-file"
#define ROUTE_ADVICE "check the network, the firewall and the proxy settings"

static const struct explanation explanations[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERROR_TEMPORARY, true, "check DNS"},
    {CURLE_COULDNT_RESOLVE_PROXY, ERROR_TEMPORARY, true, "check HTTPS_PROXY"},
    {CURLE_COULDNT_CONNECT, ERROR_TEMPORARY, true, ROUTE_ADVICE},
    {CURLE_PROXY, ERROR_TEMPORARY, true, "check the proxy settings"},
    {CURLE_SSL_CONNECT_ERROR, ERROR_TEMPORARY, true,
     "no TLS 1.2 connection came about: check the network and the proxy"},
    {CURLE_PEER_FAILED_VERIFICATION, ERROR_TEMPORARY, false, TLS_ADVICE},
    {CURLE_SSL_CACERT_BADFILE, ERROR_TEMPORARY, false, "check ca-file"},
    {CURLE_SSL_ISSUER_ERROR, ERROR_TEMPORARY, false, TLS_ADVICE},
    {CURLE_UNSUPPORTED_PROTOCOL, ERROR_ANSWER, false, "only https is spoken"},
    {CURLE_URL_MALFORMAT, ERROR_ANSWER, false, "check graph-url and login-url"},
    {CURLE_PARTIAL_FILE, ERROR_ANSWER, true, "the answer was cut short; try again later"},
    {CURLE_BAD_CONTENT_ENCODING, ERROR_ANSWER, true, "the compressed answer is damaged"},
    {CURLE_OPERATION_TIMEDOUT, ERROR_TIMEOUT, true, ROUTE_ADVICE},
};

/* libcurl's own words, except those that quote the proxy's address, password and all. */
static const char *detail(const struct transfer *t, CURLcode code)
{
    if (strncmp(t->detail, "Unsupported proxy", 17) == 0)
        return "the address of the proxy is not understood";
    return t->detail[0] ? t->detail : curl_easy_strerror(code);
}

/* A proxy that answered CONNECT with a refusal. */
static void explain_proxy(const struct transfer *t, struct explanation *x)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status < 300)
        return;
    x->transient = status >= 500;
    x->advice = status == 407 ? "the proxy wants a name and a password: put them into HTTPS_PROXY"
                              : "the proxy refuses the way: check what it allows, and HTTPS_PROXY";
}

struct transfer_failure transfer_explain(const struct transfer *t, CURLcode code, const char *what,
                                         struct error *e)
{
    struct explanation x = {code, ERROR_TEMPORARY, true, ROUTE_ADVICE};
    for (size_t i = 0; i < sizeof explanations / sizeof explanations[0]; i++) {
        if (explanations[i].code == code)
            x = explanations[i];
    }
    explain_proxy(t, &x);
    error_set(e, x.kind, "no whole answer from %s: %s; %s", what, detail(t, code), x.advice);
    return (struct transfer_failure){.sent = t->issued > 0, .transient = x.transient};
}
