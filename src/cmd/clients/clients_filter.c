#include "clients.h"

#include "postern/base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

static bool parse_version(const char *text, int *version)
{
    static const char *const names[] = {"1.0", "1.1", "1.2", "1.3"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *version = 0x0301 + (int)i;
        if (strcmp(text, names[i]) == 0)
            return true;
    }
    return false;
}

static bool refuse(struct error *e, const char *option, const char *want, const char *value)
{
    return error_set(e, ERROR_LOCAL, "--%s takes %s, not '%s'", option, want, value);
}

static bool set_address(const char *text, struct clients_filter *f)
{
    f->by_address = true;
    f->local = strcmp(text, "local") == 0;
    return f->local || config_parse_network(text, &f->network);
}

bool clients_filter_make(const struct clients_options *o, int64_t now_ms, struct clients_filter *f,
                         struct error *e)
{
    int64_t unused_ms = 0;
    *f = (struct clients_filter){.plaintext = o->plaintext,
                                 .failed = o->failed,
                                 .before_ms = INT64_MAX,
                                 .since_ms = INT64_MIN,
                                 .login = o->login,
                                 .protocol = o->protocol,
                                 .mechanism = o->mechanism};
    if (o->below_tls && !parse_version(o->below_tls, &f->below_tls))
        return refuse(e, "below-tls", "1.0, 1.1, 1.2 or 1.3", o->below_tls);
    if (o->unused_for && !config_parse_duration(o->unused_for, &unused_ms))
        return refuse(e, "unused-for", "a time such as 12h or 30d", o->unused_for);
    if (o->unused_for)
        f->before_ms = now_ms - unused_ms;
    if (o->since && !clock_parse_day(o->since, &f->since_ms) &&
        !clock_parse_iso(o->since, strlen(o->since), &f->since_ms))
        return refuse(e, "since", "a day such as 2026-11-21, or a time in UTC", o->since);
    if (o->address && !set_address(o->address, f))
        return refuse(e, "address", "an address, a network such as 192.0.2.0/24, or 'local'",
                      o->address);
    if (o->protocol && strcmp(o->protocol, "pop3") != 0 && strcmp(o->protocol, "imap") != 0)
        return refuse(e, "protocol", "pop3 or imap", o->protocol);
    return true;
}

bool clients_below_tls(const struct client_row *row, int version)
{
    return row->tls > 0 && row->tls < version;
}

bool clients_plaintext(const struct client_row *row)
{
    return row->tls == 0;
}

static bool match_address(const struct clients_filter *f, const char *address)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
        return !f->local && config_network_match(&f->network, 1, (struct sockaddr *)&v4);
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
        return !f->local && config_network_match(&f->network, 1, (struct sockaddr *)&v6);
    return f->local;
}

bool clients_match(const struct clients_filter *f, const struct client_row *row)
{
    /* The two together are what encrypts badly or not at all. */
    bool weak = (f->below_tls && clients_below_tls(row, f->below_tls)) ||
                (f->plaintext && clients_plaintext(row));
    if ((f->below_tls || f->plaintext) && !weak)
        return false;
    if (f->failed && !row->failures)
        return false;
    if (row->last_ms > f->before_ms || row->last_ms < f->since_ms)
        return false;
    if (f->login && strcmp(f->login, row->login) != 0)
        return false;
    if (f->protocol && strcmp(f->protocol, row->protocol) != 0)
        return false;
    if (f->mechanism && strcasecmp(f->mechanism, row->mechanism) != 0)
        return false;
    return !f->by_address || match_address(f, row->address);
}
