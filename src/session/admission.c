#include "admission.h"

#include "proxy.h"

#include "postern/base/clock.h"
#include "postern/base/log.h"
#include "postern/session/inventory.h"

#include <string.h>

#define PROXY_TIMEOUT_MS (5 * CLOCK_SECOND) /* a proxy speaks at once */
#define NOT_IN_NETWORKS  "the address is in none of the listener's `networks`"

static bool may_connect(const struct config_listener *l, const struct sockaddr *client)
{
    return !l->network_count || config_network_match(l->networks, l->network_count, client);
}

const char *admission_refusal(const struct config_listener *l, const struct sockaddr *peer)
{
    if (l->proxy_count)
        return config_network_match(l->proxies, l->proxy_count, peer)
                   ? NULL
                   : "the address is none of the proxies in the listener's `proxy-protocol`";
    return may_connect(l, peer) ? NULL : NOT_IN_NETWORKS;
}

bool admission_plaintext(const struct config_listener *l, const struct sockaddr *client)
{
    return l->allow_plaintext || address_loopback(client);
}

const char *admission_count(const struct admission *a, const char *key)
{
    const char *over = counts_enter(a->counts, a->limits);
    if (over || a->listener->proxy_count)
        return over;
    over = counts_enter_address(a->counts, a->limits, key);
    if (over)
        counts_leave(a->counts, "");
    return over;
}

bool admission_by_proxy(const struct admission *a, struct session_conn *conn,
                        char key[ADDRESS_SIZE])
{
    const struct config_listener *l = a->listener;
    const struct sockaddr *client = session_conn_sockaddr(conn);
    struct error e = ERROR_INIT;
    struct proxy_header header;
    if (!proxy_read(conn, clock_mono_ms() + PROXY_TIMEOUT_MS, &header, &e)) {
        log_error_value(LOG_LEVEL_INFO, &e, "listener \"%s\": connection of proxy %s ended",
                        l->name, session_conn_address(conn));
        inventory_refused(session_conn_client(conn), "", NULL, e.text);
        return false;
    }
    if (header.told) {
        client = (const struct sockaddr *)&header.client;
        log_debug("proxy %s speaks for another", session_conn_address(conn));
        session_conn_set_client(conn, client, header.client_len, admission_plaintext(l, client));
    }
    if (!may_connect(l, client)) {
        log_info("listener \"%s\": %s may not connect", l->name, session_conn_address(conn));
        inventory_refused(session_conn_client(conn), "", NULL, NOT_IN_NETWORKS);
        return false;
    }
    char counted[ADDRESS_SIZE];
    address_key(client, counted);
    const char *over = counts_enter_address(a->counts, a->limits, counted);
    if (!over) {
        memcpy(key, counted, sizeof counted);
        return true;
    }
    log_warning("listener \"%s\": %s turned away, %s is reached", l->name,
                session_conn_address(conn), over);
    inventory_refused(session_conn_client(conn), "", NULL, over);
    if (l->tls != TLS_IMPLICIT)
        session_conn_printf(conn, "%s", a->too_many);
    return false;
}
