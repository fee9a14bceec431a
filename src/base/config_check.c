/*
 * What no single value shows: files that must be readable, settings that exclude each other,
 * names that must exist, and what this version does not do yet.
 */
#include "config_check.h"

#include "postern/base/alloc.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define PASSWORD_DIGEST_MIN                                                                        \
    22 /* the shortest digest of a strong crypt(3) method, in characters                           \
        */
#define GUID_LEN 36

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
    if (!ok)
        config_fault(r, line, "cannot read %s; the user that runs postern needs it", path);
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

/* A crypt(3) hash of a method that the system knows, digest included. */
static bool is_password_hash(const char *text)
{
    const char *digest = strrchr(text, '$');
    int verdict = crypt_checksalt(text);
    return text[0] == '$' && digest > text && strlen(digest + 1) >= PASSWORD_DIGEST_MIN &&
           (verdict == CRYPT_SALT_OK || verdict == CRYPT_SALT_METHOD_LEGACY);
}

static bool is_mailbox(const char *text)
{
    return strchr(text, '@') || (strlen(text) == GUID_LEN && config_only_of(text, "-"));
}

static void check_login(const struct config *c, struct config_login *l,
                        const struct config_section *s, bool whole, struct config_report *r)
{
    const char *tenant = value_of(s, "tenant");
    for (size_t i = 0; tenant && i < c->tenant_count; i++) {
        if (strcmp(c->tenants[i].name, tenant) == 0)
            l->tenant = &c->tenants[i];
    }
    if (tenant && !l->tenant && whole)
        config_fault(r, line_of(s, "tenant"), "there is no tenant \"%.*s\"", NAME_SHOWN, tenant);
    if (!l->name[0])
        config_fault(r, s->line, "a login needs a name: login \"name\" { … }");
    if (l->mailbox && !is_mailbox(l->mailbox))
        config_warning(r, line_of(s, "mailbox"),
                       "'%.*s' looks like neither a user principal name (alerts@contoso.com) nor "
                       "an object id",
                       NAME_SHOWN, l->mailbox);
    if (!l->password && !l->device_secret && !l->fingerprint_count)
        config_fault(r, s->line, "login \"%s\" needs a 'password'", l->name);
    if (l->password && !is_password_hash(l->password))
        config_fault(r, line_of(s, "password"),
                     "'password' must be a crypt(3) hash, not the password itself; run: postern "
                     "passwd %.*s",
                     NAME_SHOWN, l->name);
    if (l->account && l->tenant && l->tenant->flow == FLOW_PASSWORD && l->tenant->account &&
        strcasecmp(l->account, l->tenant->account) != 0)
        config_fault(r, line_of(s, "account"),
                     "tenant \"%s\" has the password of one account, '%.*s'; leave 'account' out",
                     l->tenant->name, NAME_SHOWN, l->tenant->account);
    if (l->expunge == EXPUNGE_PERMANENT && l->tenant && !l->tenant->permanent_delete)
        config_fault(r, line_of(s, "expunge"),
                     "expunge = permanent works in the global cloud only; use recoverable");
}

/* Doors through which nobody comes, and logins without a door. */
static void check_ways_in(const struct config *c, const struct config_tree *tree,
                          struct config_report *r)
{
    unsigned served = 0;
    bool others = false; /* may a machine other than this one log in? */
    for (size_t i = 0; i < c->listener_count; i++)
        served |= c->listeners[i].protocol;
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++)
        others |=
            tree->sections[i].kind == SECTION_LOGIN && value_of(&tree->sections[i], "networks");
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
        if (c->listener_count > 0 && !(c->logins[i].protocols & served))
            config_warning(r, c->logins[i].line,
                           "there is no listener for the protocols of login \"%s\"",
                           c->logins[i].name);
    }
}

void config_check(struct config *c, const struct config_tree *tree, bool files,
                  struct config_report *r)
{
    size_t tenant = 0, listener = 0, login = 0;
    check_tls(c, &tree->sections[SECTION_TLS], files, r);
    if (c->admin_address)
        config_warning(r, line_of(&tree->sections[SECTION_ADMIN], "address"),
                       "this version has no admin endpoint yet; nothing listens on %s",
                       c->admin_address);
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++) {
        if (tree->sections[i].kind == SECTION_TENANT)
            config_check_tenant(&c->tenants[tenant++], &tree->sections[i], files, r);
    }
    /* A login refers to tenants that may stand below it. */
    for (size_t i = SECTION_FIRST_TITLED; i < tree->count; i++) {
        if (tree->sections[i].kind == SECTION_LISTENER)
            config_check_listener(c, &c->listeners[listener++], &tree->sections[i], tree->whole, r);
        else if (tree->sections[i].kind == SECTION_LOGIN)
            check_login(c, &c->logins[login++], &tree->sections[i], tree->whole, r);
    }
    if (!tree->whole)
        return;
    if (c->listener_count == 0)
        config_fault(r, 0, "there is no listener section, so nobody could connect");
    if (c->login_count == 0)
        config_fault(r, 0, "there is no login section, so nobody could sign in");
    check_ways_in(c, tree, r);
}
