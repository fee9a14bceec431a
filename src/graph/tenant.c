/* Tenants: their settings and trust anchors. */
#include "internal.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"
#include "postern/base/file.h"
#include "postern/base/log.h"

#include <stdlib.h>
#include <string.h>

#define ANCHORS_MAX ((size_t)4 * 1024 * 1024)

struct graph_tenant *tenant_get(struct graph_client *c, const char *name)
{
    for (struct graph_tenant *t = c->tenants; t; t = t->next) {
        if (strcmp(t->name, name) == 0)
            return t;
    }
    struct graph_tenant *t = xcalloc(1, sizeof *t);
    t->client = c;
    t->name = xstrdup(name);
    t->gone = true;
    t->max_concurrent = 1;
    t->next = c->tenants;
    c->tenants = t;
    return t;
}

/* A digest, so that the secret is not kept twice. */
static char *fingerprint(const struct config_tenant *t, const struct buf *certificate)
{
    uint8_t digest[SHA256_SIZE];
    struct buf all = BUF_INIT(OAUTH_FORM_MAX + ANCHORS_MAX);
    buf_reserve(&all, OAUTH_FORM_MAX);
    const char *const texts[] = {t->tenant_id,
                                 t->client_id,
                                 t->graph_url,
                                 t->login_url,
                                 t->client_secret,
                                 t->federated_token_file,
                                 t->identity_object_id,
                                 t->identity_resource_id,
                                 t->identity_url,
                                 t->account_password,
                                 t->scope};
    buf_printf(&all, "%d\n%d\n", (int)t->flow, (int)t->assertion);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        buf_printf(&all, "%s\n", texts[i] ? texts[i] : "");
    buf_append(&all, buf_str(certificate), certificate->len);
    sha256(buf_str(&all), all.len, digest);
    buf_free_secret(&all);
    char *text = xmalloc(2 * SHA256_SIZE + 1);
    hex_encode(digest, SHA256_SIZE, text);
    return text;
}

/* Where libcurl was told at its build to find the system's anchors. */
static bool read_system_anchors(struct buf *out, struct error *e)
{
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    return !v->cainfo || file_read(v->cainfo, out, e);
}

/* The system's anchors and the tenant's file in one PEM text. False: `e` names the file. */
static bool read_anchors(const char *ca_file, struct buf *out, struct error *e)
{
    struct error ignored = ERROR_INIT;
    struct buf own = BUF_INIT(ANCHORS_MAX);
    if (!file_read(ca_file, &own, e)) {
        buf_free(&own);
        return false;
    }
    bool ok = strstr(buf_str(&own), "-----BEGIN CERTIFICATE-----") != NULL;
    if (!ok)
        error_set(e, ERROR_SIGN_IN, "%s: no certificate in PEM form; ca-file must hold one",
                  ca_file);
    /* A machine without its own anchors can still trust the file. */
    if (ok && !read_system_anchors(out, &ignored))
        log_error_value(LOG_LEVEL_WARNING, &ignored, "trust anchors of the system");
    ok = ok && buf_putc(out, '\n') && buf_append(out, own.data, own.len);
    buf_free(&own);
    return ok;
}

/* The shared copy of a PEM text; takes `pem` over. */
static const struct anchors *intern_anchors(struct graph_client *c, struct buf *pem)
{
    for (size_t i = 0; i < c->anchors_count; i++) {
        struct anchors *a = c->anchors[i];
        if (a->pem.len == pem->len && memcmp(buf_str(&a->pem), buf_str(pem), pem->len) == 0) {
            buf_free(pem);
            return a;
        }
    }
    struct anchors *a = xcalloc(1, sizeof *a);
    a->pem = *pem;
    c->anchors = xreallocarray(c->anchors, c->anchors_count + 1, sizeof(struct anchors *));
    c->anchors[c->anchors_count++] = a;
    return a;
}

/* What a tenant's files hold, read before anything is changed. */
struct prepared {
    struct oauth_provider *provider;
    char *fingerprint;
    struct buf pem;
};

static bool prepare(const struct config_tenant *t, struct prepared *p, struct error *e)
{
    struct buf certificate = BUF_INIT(ANCHORS_MAX);
    buf_init(&p->pem, 2 * ANCHORS_MAX);
    if (t->ca_file && *t->ca_file && !read_anchors(t->ca_file, &p->pem, e))
        return error_prefix(e, "tenant \"%s\": ", t->name);
    p->provider = oauth_provider_new(t, e);
    if (!p->provider)
        return false;
    bool ok = t->client_secret || !t->certificate || file_read(t->certificate, &certificate, e);
    if (ok)
        p->fingerprint = fingerprint(t, &certificate);
    buf_free(&certificate);
    return ok;
}

static void discard(struct prepared *p, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (p[i].provider)
            p[i].provider->free(p[i].provider);
        free(p[i].fingerprint);
        buf_free(&p[i].pem);
    }
    free(p);
}

static void adopt(struct graph_tenant *t, const struct config_tenant *from, struct prepared *p)
{
    bool changed = !t->fingerprint || strcmp(t->fingerprint, p->fingerprint) != 0;
    free(t->fingerprint);
    t->fingerprint = p->fingerprint;
    if (t->provider)
        t->provider->free(t->provider);
    t->provider = p->provider;
    free(t->graph_url);
    t->graph_url = xstrdup(from->graph_url);
    free(t->tenant_id);
    t->tenant_id = xstrdup_null(from->tenant_id);
    t->anchors = intern_anchors(t->client, &p->pem);
    t->max_concurrent = from->max_concurrent ? from->max_concurrent : 1;
    t->sched.max = from->max_concurrent_app;
    t->gone = false;
    identity_reconfigure(t, changed);
    memset(p, 0, sizeof *p);
}

static bool resize_box(void *arg, const char *key, void *value)
{
    struct graph_box *b = value;
    (void)arg;
    (void)key;
    b->sched.max = b->tenant->max_concurrent;
    return true;
}

bool tenant_configure(struct graph_client *c, const struct config *config, struct error *e)
{
    struct prepared *p = xcalloc(config->tenant_count, sizeof *p);
    for (size_t i = 0; i < config->tenant_count; i++) {
        if (!prepare(&config->tenants[i], &p[i], e)) {
            discard(p, i + 1);
            return false;
        }
    }
    pthread_mutex_lock(&c->lock);
    for (struct graph_tenant *t = c->tenants; t; t = t->next)
        t->gone = true;
    for (size_t i = 0; i < config->tenant_count; i++)
        adopt(tenant_get(c, config->tenants[i].name), &config->tenants[i], &p[i]);
    for (struct graph_tenant *t = c->tenants; t; t = t->next) {
        if (t->gone)
            identity_reconfigure(t, true);
    }
    table_each(c->boxes, resize_box, NULL);
    pthread_mutex_unlock(&c->lock);
    discard(p, config->tenant_count);
    return true;
}

void tenant_free_all(struct graph_client *c)
{
    struct graph_tenant *next;
    for (struct graph_tenant *t = c->tenants; t; t = next) {
        next = t->next;
        if (t->provider)
            t->provider->free(t->provider);
        free(t->fingerprint);
        free(t->graph_url);
        free(t->tenant_id);
        free(t->name);
        free(t);
    }
    for (size_t i = 0; i < c->anchors_count; i++) {
        buf_free(&c->anchors[i]->pem);
        free(c->anchors[i]);
    }
    free(c->anchors);
    c->tenants = NULL;
}
