/*
 * What no single value shows: files that must be readable, settings that exclude each other,
 * names that must exist, and what this version does not do yet.
 */
#include "config_check.h"

#include "postern/base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool config_only_of(const char *text, const char *also)
{
    for (; *text; text++) {
        bool alnum = (*text >= '0' && *text <= '9') || (*text >= 'a' && *text <= 'z') ||
                     (*text >= 'A' && *text <= 'Z');
        if (!alnum && !strchr(also, *text))
            return false;
    }
    return true;
}

/* Reads one byte: permissions, NFS and missing files alike show now, not at the first sign-in. */
bool config_check_readable(const char *path, bool secret, int line, struct config_report *r)
{
    struct stat st;
    FILE *f = fopen(path, "re");
    bool ok =
        f && fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && (fgetc(f) != EOF || !ferror(f));
    if (!f || (!ok && ferror(f)))
        config_fault(r, line, "cannot read %s: %s; the user that runs postern needs it", path,
                     strerror(errno));
    else if (!ok)
        config_fault(r, line, "%s is not a file", path);
    else if (secret && (st.st_mode & S_IROTH))
        config_warning(r, line, "%s can be read by every user of this machine; chmod o-r it", path);
    if (f)
        fclose(f);
    return ok;
}

static void check_tls(const struct config *c, const struct config_section *s, bool files,
                      struct config_report *r)
{
    if (c->tls.min_version < CONFIG_TLS_1_2)
        config_fault(r, line_of(s, "min-version"),
                     "below TLS 1.2 goes one listener alone, by its own min-version with "
                     "legacy-tls = yes; here it must be 1.2 or 1.3");
    if (c->tls.certificate_count != c->tls.private_key_count)
        config_fault(r, s->line,
                     "tls needs both certificate and private-key, one key for each certificate");
    for (size_t i = 0; files && i < c->tls.certificate_count; i++)
        config_check_readable(c->tls.certificates[i], false, line_of(s, "certificate"), r);
    for (size_t i = 0; files && i < c->tls.private_key_count; i++)
        config_check_readable(c->tls.private_keys[i], true, line_of(s, "private-key"), r);
}

static bool open_to_others(const struct config_login *l)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    for (size_t i = 0; i < l->network_count; i++) {
        const struct config_network *n = &l->networks[i];
        if (n->family == AF_INET ? n->address[0] != 127 || n->prefix < 8
                                 : n->prefix < 128 || memcmp(n->address, loopback6, 16) != 0)
            return true;
    }
    return false;
}

/* Doors through which nobody comes, and logins without a door. */
static void check_ways_in(const struct config *c, struct config_report *r)
{
    unsigned served = 0;
    bool others = false; /* may a machine other than this one log in? */
    for (size_t i = 0; i < c->listener_count; i++)
        served |= c->listeners[i].protocol;
    for (size_t i = 0; i < c->login_count; i++)
        others |= open_to_others(&c->logins[i]);
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct config_listener *l = &c->listeners[i];
        if (l->sockaddr_len && !l->loopback && !others)
            config_warning(
                r, l->line,
                "listener \"%s\" is open to other machines, but no login has 'networks', "
                "so only this machine can log in",
                l->name);
    }
    for (size_t i = 0; i < c->login_count; i++) {
        config_report_file(r, c->logins[i].in_logins_file ? c->logins_file : NULL);
        if (c->listener_count > 0 && !(c->logins[i].protocols & served))
            config_warning(r, c->logins[i].line,
                           "there is no listener for the protocols of login \"%s\"",
                           c->logins[i].name);
    }
    config_report_file(r, NULL);
}

/* It has no login, so it is for this machine alone. */
static void check_admin(struct config *c, const struct config_section *s, struct config_report *r)
{
    if (!c->admin_address)
        return;
    if (!config_parse_address(c->admin_address, &c->admin_sockaddr, &c->admin_sockaddr_len) ||
        c->admin_sockaddr.ss_family == AF_UNIX || !config_address_is_loopback(&c->admin_sockaddr))
        config_fault(r, line_of(s, "address"),
                     "'address' of the admin endpoint must be a loopback address and a port, such "
                     "as 127.0.0.1:8143 or [::1]:8143, since it has no login; not '%.*s'",
                     NAME_SHOWN, c->admin_address);
}

void config_check(struct config *c, const struct config_tree *tree,
                  const struct config_tree *logins, bool files, struct config_report *r)
{
    size_t tenant = 0, listener = 0, own = 0;
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++)
        own += tree->sections[i].kind == SECTION_LOGIN;
    check_tls(c, &tree->sections[SECTION_TLS], files, r);
    check_admin(c, &tree->sections[SECTION_ADMIN], r);
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++) {
        if (tree->sections[i].kind == SECTION_TENANT)
            config_check_tenant(&c->tenants[tenant++], &tree->sections[i], files, r);
    }
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++) {
        if (tree->sections[i].kind == SECTION_LISTENER)
            config_check_listener(c, &c->listeners[listener++], &tree->sections[i], tree->whole, r);
    }
    /* A login refers to tenants that may stand below it. */
    config_check_logins(c, tree, 0, tree->whole, r);
    config_report_file(r, c->logins_file);
    config_check_logins(c, logins, own, tree->whole && logins->whole, r);
    config_report_file(r, NULL);
    if (!tree->whole || !logins->whole)
        return;
    if (c->listener_count == 0)
        config_fault(r, 0, "there is no listener section, so nobody could connect");
    if (c->login_count == 0)
        config_fault(r, 0, "there is no login section, so nobody could sign in");
    check_ways_in(c, r);
}
