#include "postern/graph/route.h"

#include "internal.h"
#include "json.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/thread.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ADDRESSES_SHOWN 6
#define ANSWER_MAX      ((size_t)256 * 1024)

/* --- names --- */

/* A resolver may hang for longer than anybody waits, and cannot be called off: whoever comes last,
 * it or the one that waits, frees. */
struct lookup {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    char *host;
    struct addrinfo *found;
    int rc;
    bool done, left;
};

static void lookup_free(struct lookup *l)
{
    if (l->found)
        freeaddrinfo(l->found);
    pthread_cond_destroy(&l->ended);
    pthread_mutex_destroy(&l->lock);
    free(l->host);
    free(l);
}

static void *look_up(void *arg)
{
    struct lookup *l = arg;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int rc = getaddrinfo(l->host, NULL, &hints, &found);
    pthread_mutex_lock(&l->lock);
    l->found = rc == 0 ? found : NULL;
    l->rc = rc;
    l->done = true;
    bool left = l->left;
    pthread_cond_signal(&l->ended);
    pthread_mutex_unlock(&l->lock);
    if (left)
        lookup_free(l);
    return NULL;
}

static struct lookup *lookup_new(char *host)
{
    struct lookup *l = xcalloc(1, sizeof *l);
    pthread_condattr_t monotonic;
    l->host = host;
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&l->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return l;
}

/* False: it goes on without us, and `l` is its own. */
static bool lookup_wait(struct lookup *l, int64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / CLOCK_SECOND);
    int rc = 0;
    pthread_mutex_lock(&l->lock);
    while (!l->done && rc == 0)
        rc = pthread_cond_timedwait(&l->ended, &l->lock, &until);
    bool done = l->done;
    l->left = !done;
    pthread_mutex_unlock(&l->lock);
    return done;
}

static void put_addresses(const struct addrinfo *found, struct buf *out)
{
    unsigned shown = 0;
    for (; found && shown < ADDRESSES_SHOWN; found = found->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0,
                        NI_NUMERICHOST) == 0)
            buf_printf(out, "%s%s", shown++ ? ", " : "", text);
    }
    if (found)
        buf_puts(out, ", …");
}

/* "https://[::1]:8443" → "::1" */
static char *host_of(const char *url)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    if (*host == '[')
        return xstrndup(host + 1, strcspn(host + 1, "]/"));
    return xstrndup(host, strcspn(host, ":/?#"));
}

bool graph_route_resolve(const char *url, int64_t timeout_ms, struct buf *out, struct error *e)
{
    struct lookup *l = lookup_new(host_of(url));
    pthread_t thread;
    if (!thread_start(&thread, "resolver", THREAD_STACK_WORKER, look_up, l, e)) {
        lookup_free(l);
        return false;
    }
    pthread_detach(thread);
    if (!lookup_wait(l, timeout_ms))
        return error_set(e, ERROR_TIMEOUT, "no answer from DNS in %lld seconds",
                         (long long)(timeout_ms / CLOCK_SECOND));
    bool ok = l->rc == 0;
    if (ok)
        put_addresses(l->found, out);
    else
        error_set(e, ERROR_TEMPORARY, "%s: %s", l->host, gai_strerror(l->rc));
    lookup_free(l);
    return ok;
}

/* --- the connection --- */

struct look {
    struct graph_sight *sight;
    bool get;
};

static void put_issuer(const X509 *certificate, char *out, size_t size)
{
    static const int parts[] = {NID_organizationName, NID_commonName};
    X509_NAME *name = X509_get_issuer_name(certificate);
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char text[120];
        if (X509_NAME_get_text_by_NID(name, parts[i], text, sizeof text) <= 0)
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", text);
        if (used >= size)
            return;
    }
}

/* The verification is OpenSSL's own; who signed the certificate is remembered, since a proxy that
 * inspects TLS shows itself there. */
static int verify(X509_STORE_CTX *store, void *arg)
{
    struct look *look = arg;
    int good = X509_verify_cert(store);
    const X509 *certificate = X509_STORE_CTX_get0_cert(store);
    if (certificate)
        put_issuer(certificate, look->sight->issuer, sizeof look->sight->issuer);
    look->sight->distrusted = good <= 0;
    return good;
}

static CURLcode on_context(CURL *easy, void *context, void *arg)
{
    (void)easy;
    SSL_CTX_set_cert_verify_callback(context, verify, arg);
    return CURLE_OK;
}

/* Asked when the connection is made. */
static bool see_connection(const struct transfer *t)
{
    struct look *look = t->request.owner;
    struct curl_tlssessioninfo *tls = NULL;
    if (curl_easy_getinfo(t->easy, CURLINFO_TLS_SSL_PTR, &tls) == CURLE_OK && tls &&
        tls->backend == CURLSSLBACKEND_OPENSSL && tls->internals)
        snprintf(look->sight->tls, sizeof look->sight->tls, "%s", SSL_get_version(tls->internals));
    return look->get;
}

/* Entra ID says why in "error_description", Graph in an error object. */
static void read_refusal(const struct transfer *t, struct error *out)
{
    struct error ignored = ERROR_INIT;
    struct json_object *root = json_read(buf_str(&t->body), t->body.len, &ignored);
    const char *text = root ? json_peek_string(root, "error_description") : NULL;
    if (text)
        error_set(out, ERROR_SIGN_IN, "%.*s", (int)strcspn(text, "\r\n"), text);
    json_object_put(root);
}

static void read_answer(const struct transfer *t, struct graph_sight *out)
{
    time_t date = t->answer.date[0] ? curl_getdate(t->answer.date, NULL) : (time_t)-1;
    out->status = t->answer.status;
    out->asked_ms = clock_wall_ms();
    if (date != (time_t)-1)
        out->date_ms = (int64_t)date * CLOCK_SECOND;
    if (out->status >= 400)
        read_refusal(t, &out->body);
}

static const struct anchors *anchors_of(struct graph_client *client, const char *tenant)
{
    pthread_mutex_lock(&client->lock);
    const struct anchors *anchors = tenant_get(client, tenant)->anchors;
    pthread_mutex_unlock(&client->lock);
    return anchors;
}

bool graph_route_look(struct graph_client *client, const char *tenant, const char *url, bool get,
                      int64_t timeout_ms, struct graph_sight *out, struct error *e)
{
    struct look look = {out, get};
    const struct transfer_request r = {.method = GRAPH_GET,
                                       .url = url,
                                       .accept = "application/json",
                                       .anchors = anchors_of(client, tenant),
                                       .timeout_ms = timeout_ms,
                                       .max_body = ANSWER_MAX,
                                       .may_go = see_connection,
                                       .owner = &look};
    *out = (struct graph_sight){.date_ms = INT64_MIN};
    struct transfer *t = transfer_new(&r, e);
    if (!t)
        return false;
    curl_easy_setopt(t->easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
    curl_easy_setopt(t->easy, CURLOPT_SSL_CTX_DATA, &look);
    curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    CURLcode code = curl_easy_perform(t->easy);
    bool ok = code == CURLE_OK || t->held;
    if (code == CURLE_OK)
        read_answer(t, out);
    else if (!ok)
        transfer_explain(t, code, "it", e);
    transfer_free(&t);
    return ok;
}
