#include "weak.h"

#include "postern/base/buf.h"

#include <arpa/inet.h>

#define TLS_1_1  0x0302
#define TLS_1_2  0x0303
#define TEXT_MAX ((size_t)4096)

/* What has to be told of one section; `text` is emptied each time. */
struct telling {
    void (*fn)(void *arg, int line, const char *text);
    void *arg;
    struct buf text;
};

static void tell(struct telling *t, int line)
{
    t->fn(t->arg, line, buf_str(&t->text));
    buf_clear(&t->text);
}

static void put_networks(const struct config_network *nets, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        char text[INET6_ADDRSTRLEN];
        if (inet_ntop(nets[i].family, nets[i].address, text, sizeof text))
            buf_printf(out, "%s%s/%u", i ? ", " : "", text, nets[i].prefix);
    }
}

static void look_at_listener(struct telling *t, const struct config *c,
                             const struct config_listener *l)
{
    int version = l->min_version ? l->min_version : c->tls.min_version;
    /* Who comes through a proxy may be anywhere, wherever the listener is. */
    if (l->tls != TLS_IMPLICIT && l->allow_plaintext && (!l->loopback || l->proxy_count)) {
        buf_printf(&t->text,
                   "listener \"%s\" takes passwords and sends mail in the clear: whoever is on the "
                   "network between can read and change both",
                   l->name);
        tell(t, l->line);
    }
    if (l->tls != TLS_NONE && l->legacy_tls && version < TLS_1_2) {
        buf_printf(&t->text,
                   "listener \"%s\" accepts TLS %s with ciphers of that time (AES-CBC, SHA-1): "
                   "somebody on the network between may be able to read and change what passes; "
                   "it lets in only ",
                   l->name, version < TLS_1_1 ? "1.0 and 1.1" : "1.1");
        put_networks(l->networks, l->network_count, &t->text);
        buf_puts(&t->text, ", so keep that network fenced, and give those logins no other right "
                           "than the device needs");
        tell(t, l->line);
    }
}

static void look_at_tenant(struct telling *t, const struct config_tenant *tenant)
{
    if (tenant->flow != FLOW_PASSWORD)
        return;
    buf_printf(&t->text,
               "tenant \"%s\" signs in with an account's Microsoft password (flow = password): it "
               "stands in a file, rules out multi-factor authentication for that account, and "
               "opens more than mail; device-code does without",
               tenant->name);
    tell(t, tenant->line);
}

static void look_at_login(struct telling *t, const struct config_login *l)
{
    if (!l->device_secret)
        return;
    buf_printf(
        &t->text,
        "login \"%s\" may use CRAM-MD5 and APOP: its device-secret stands readable in the "
        "configuration, and MD5 protects it only from a passing glance; use it for nothing "
        "else, and give it networks of its own, since clients there choose CRAM-MD5 for other "
        "logins too",
        l->name);
    tell(t, l->line);
}

void weak_each(const struct config *c, void (*fn)(void *arg, int line, const char *text), void *arg)
{
    struct telling t = {.fn = fn, .arg = arg, .text = BUF_INIT(TEXT_MAX)};
    for (size_t i = 0; i < c->tenant_count; i++)
        look_at_tenant(&t, &c->tenants[i]);
    for (size_t i = 0; i < c->listener_count; i++)
        look_at_listener(&t, c, &c->listeners[i]);
    for (size_t i = 0; i < c->login_count; i++)
        look_at_login(&t, &c->logins[i]);
    buf_free(&t.text);
}
