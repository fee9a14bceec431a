/*
 * Listeners: where they are, who may come, and that no door is weaker than somebody asked for.
 */
#include "config_check.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

static bool same_path(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    const struct sockaddr_un *x = (const void *)a, *y = (const void *)b;
    return strcmp(x->sun_path, y->sun_path) == 0;
}

/* Would the kernel refuse to bind both? Port 0 is a free one each time. */
static bool addresses_clash(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_UNIX)
        return same_path(a, b);
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;
        return x->sin_port && x->sin_port == y->sin_port &&
               (x->sin_addr.s_addr == y->sin_addr.s_addr || x->sin_addr.s_addr == INADDR_ANY ||
                y->sin_addr.s_addr == INADDR_ANY);
    }
    const struct sockaddr_in6 *x = (const void *)a, *y = (const void *)b;
    return x->sin6_port && x->sin6_port == y->sin6_port &&
           (memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0 ||
            IN6_IS_ADDR_UNSPECIFIED(&x->sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&y->sin6_addr));
}

static bool clash(const struct config_listener *a, const struct config_listener *b)
{
    const char *x = config_listener_socket_name(a), *y = config_listener_socket_name(b);
    if (x || y)
        return x && y && strcmp(x, y) == 0;
    return a->sockaddr_len && b->sockaddr_len && addresses_clash(&a->sockaddr, &b->sockaddr);
}

/* What clients take for granted at a well-known port (RFC 8314 section 7). */
static void check_port(const struct config_listener *l, int line, struct config_report *r)
{
    static const struct {
        unsigned port;
        enum config_protocol protocol;
        const char *name;
        bool implicit;
    } known[] = {{110, PROTOCOL_POP3, "pop3", false},
                 {995, PROTOCOL_POP3, "pop3", true},
                 {143, PROTOCOL_IMAP, "imap", false},
                 {993, PROTOCOL_IMAP, "imap", true}};
    if (l->sockaddr.ss_family == AF_UNIX)
        return;
    /* The port stands at the same place for both other families. */
    unsigned port = ntohs(((const struct sockaddr_in *)(const void *)&l->sockaddr)->sin_port);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (port == known[i].port &&
            (l->protocol != known[i].protocol || (l->tls == TLS_IMPLICIT) != known[i].implicit))
            config_warning(r, line, "clients expect %s with tls = %s at port %u", known[i].name,
                           known[i].implicit ? "implicit" : "starttls or none", port);
    }
}

/* Where it is. What systemd hands over shows at the start only; serve looks at it then. */
static bool check_place(struct config_listener *l, int line, struct config_report *r)
{
    const char *name = config_listener_socket_name(l);
    if (name && !*name)
        config_fault(r, line,
                     "'address' must name the socket: systemd:NAME, as its unit does with "
                     "FileDescriptorName=");
    if (name)
        return false;
    if (!config_parse_address(l->address, &l->sockaddr, &l->sockaddr_len)) {
        config_fault(r, line,
                     "'address' must be an IP address and a port, such as 127.0.0.1:1110 or "
                     "[::1]:1110, or unix: and an absolute path of at most 107 bytes, or "
                     "systemd:NAME, not '%.*s'",
                     NAME_SHOWN, l->address);
        l->sockaddr_len = 0;
        return false;
    }
    l->loopback = config_address_is_loopback(&l->sockaddr);
    check_port(l, line, r);
    return true;
}

static void check_address(const struct config *c, struct config_listener *l,
                          const struct config_section *s, struct config_report *r)
{
    int line = line_of(s, "address");
    bool known = check_place(l, line, r);
    for (const struct config_listener *other = c->listeners; other < l; other++) {
        if (other->address && clash(other, l))
            config_fault(r, line, "listener \"%s\" has the address of listener \"%s\" (line %d)",
                         l->name, other->name, other->line);
    }
    if (known && l->tls == TLS_NONE && !l->loopback && !l->allow_plaintext)
        config_fault(r, line,
                     "listener \"%s\" would take passwords in the clear from other machines; set "
                     "tls, or write allow-plaintext = yes",
                     l->name);
    if (value_of(s, "socket-mode") && l->sockaddr.ss_family != AF_UNIX)
        config_warning(r, line_of(s, "socket-mode"),
                       "'socket-mode' is for address = \"unix:PATH\"; here it means nothing");
}

/* TLS 1.0 and 1.1 (RFC 8996: "MUST NOT") only where all of it was asked for, in so many words. */
static void check_legacy(const struct config *c, const struct config_listener *l,
                         const struct config_section *s, struct config_report *r)
{
    int version = l->min_version ? l->min_version : c->tls.min_version;
    int line = line_of(s, "legacy-tls");
    if (!l->legacy_tls) {
        if (l->min_version && l->min_version < CONFIG_TLS_1_2)
            config_fault(r, line_of(s, "min-version"),
                         "below TLS 1.2 goes only a listener with legacy-tls = yes and a list of "
                         "networks");
        return;
    }
    if (l->tls == TLS_NONE)
        config_fault(r, line, "legacy-tls needs tls = starttls or implicit");
    if (version >= CONFIG_TLS_1_2)
        config_fault(r, line,
                     "legacy-tls is for clients below TLS 1.2: write min-version = 1.0 or 1.1 "
                     "here, or take legacy-tls out");
    if (!l->network_count)
        config_fault(r, line,
                     "legacy-tls needs the listener's own 'networks': the addresses of the old "
                     "devices, and nobody else's");
    for (size_t i = 0; i < l->network_count; i++) {
        if (l->networks[i].prefix == 0)
            config_warning(r, line_of(s, "networks"),
                           "these networks hold every address, and legacy-tls is for few; name "
                           "the old devices");
    }
}

static void check_tls_mode(const struct config *c, const struct config_listener *l,
                           const struct config_section *s, bool whole, struct config_report *r)
{
    if (l->tls != TLS_NONE && !c->tls.certificate_count && whole)
        config_fault(r, line_of(s, "tls"),
                     "listener \"%s\" needs a certificate: write a tls section with certificate "
                     "and private-key",
                     l->name);
    if (l->client_certificates && l->tls == TLS_NONE)
        config_fault(r, line_of(s, "client-certificates"),
                     "clients show certificates within TLS only; set tls = starttls or implicit");
}

/* Whatever address the proxy has, those behind it may be other machines. */
static void check_proxies(const struct config_listener *l, const struct config_section *s,
                          struct config_report *r)
{
    static const struct sockaddr local = {.sa_family = AF_UNIX};
    int line = line_of(s, "proxy-protocol");
    if (!l->proxy_count)
        return;
    if (l->tls == TLS_NONE && !l->allow_plaintext)
        config_fault(r, line,
                     "clients behind a proxy would send passwords in the clear; set tls, or write "
                     "allow-plaintext = yes if the proxy takes off TLS");
    if (l->sockaddr.ss_family == AF_UNIX &&
        !config_network_match(l->proxies, l->proxy_count, &local))
        config_fault(r, line,
                     "whoever comes to a Unix socket counts as 127.0.0.1 and ::1, which "
                     "'proxy-protocol' does not hold");
}

void config_check_listener(const struct config *c, struct config_listener *l,
                           const struct config_section *s, bool whole, struct config_report *r)
{
    check_legacy(c, l, s, r);
    check_tls_mode(c, l, s, whole, r);
    if (!l->address)
        return;
    check_address(c, l, s, r);
    check_proxies(l, s, r);
}
