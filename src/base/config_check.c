/*
 * What no single value shows: files that must be readable, settings that exclude each other,
 * names that must exist, and what this version does not do yet.
 */
#include "config_check.h"

#include "postern/base/alloc.h"
#include "postern/base/file.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECRET_MAX       8192 /* bytes of a client-secret-file */
#define CONCURRENT_GRAPH 4    /* what Exchange Online grants an app on one mailbox */
#define PASSWORD_DIGEST_MIN                                                                        \
    22 /* the shortest digest of a strong crypt(3) method, in characters                           \
        */
#define GUID_LEN 36

struct cloud {
    const char *name;
    const char *graph_url;
    const char *login_url;
};

/* National cloud deployments. For china there is a second login host in use: login-url sets it. */
static const struct cloud clouds[] = {
    {"global", "https://graph.microsoft.com", "https://login.microsoftonline.com"},
    {"usgov", "https://graph.microsoft.us", "https://login.microsoftonline.us"},
    {"usgov-dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"},
    {"china", "https://microsoftgraph.chinacloudapi.cn",
     "https://login.partner.microsoftonline.cn"},
};

static bool only_of(const char *text, const char *also)
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
static bool check_readable(const char *path, bool secret, int line, struct config_report *r)
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

static void check_url(struct config_report *r, int line, const char *key, char *url)
{
    static const char scheme[] = "https://";
    size_t len = strlen(url);
    if (len > 0 && url[len - 1] == '/')
        url[--len] = '\0';
    const char *host = url + sizeof scheme - 1;
    if (strncmp(url, scheme, sizeof scheme - 1) != 0 || !*host || !only_of(host, ".-:[]"))
        config_fault(r, line,
                     "'%s' must be https:// and a host, such as https://graph.microsoft.com; no "
                     "path, no user",
                     key);
}

static void check_urls(struct config_tenant *t, const struct config_section *s,
                       struct config_report *r)
{
    const char *name = value_of(s, "cloud");
    const struct cloud *cloud = &clouds[0];
    for (size_t i = 0; name && i < sizeof clouds / sizeof *clouds; i++) {
        if (strcmp(clouds[i].name, name) == 0)
            cloud = &clouds[i];
    }
    t->permanent_delete = cloud == &clouds[0];
    t->cloud_url = cloud->graph_url;
    if (!t->graph_url)
        t->graph_url = xstrdup(cloud->graph_url);
    if (!t->login_url)
        t->login_url = xstrdup(cloud->login_url);
    check_url(r, line_of(s, "graph-url"), "graph-url", t->graph_url);
    check_url(r, line_of(s, "login-url"), "login-url", t->login_url);
}

static void read_secret(struct config_tenant *t, const char *path, int line,
                        struct config_report *r)
{
    struct buf text = BUF_INIT(SECRET_MAX);
    struct error e = ERROR_INIT;
    struct stat st;
    if (!file_read(path, &text, &e)) {
        config_fault(r, line, "client-secret-file: %s", e.text);
        buf_free_secret(&text);
        return;
    }
    while (text.len > 0 && strchr("\r\n", text.data[text.len - 1]))
        text.data[--text.len] = '\0';
    if (text.len == 0 || strlen(text.data) != text.len || strpbrk(text.data, "\r\n"))
        config_fault(r, line, "%s must hold the client secret on one line, and nothing else", path);
    else
        t->client_secret = xstrdup(text.data);
    if (stat(path, &st) == 0 && (st.st_mode & S_IROTH))
        config_warning(r, line, "%s can be read by every user of this machine; chmod o-r it", path);
    buf_free_secret(&text);
}

static void check_credentials(struct config_tenant *t, const struct config_section *s, bool files,
                              struct config_report *r)
{
    const char *path = value_of(s, "client-secret-file");
    int path_line = line_of(s, "client-secret-file");
    unsigned ways =
        (t->client_secret != NULL) + (path != NULL) + (t->certificate || t->private_key ? 1 : 0);
    if (ways != 1) {
        config_fault(r, s->line,
                     "tenant \"%s\" needs one way to sign in, and has %u: client-secret-file, or "
                     "client-secret, or certificate with private-key",
                     t->name, ways);
    } else if (path && files) {
        read_secret(t, path, path_line, r);
    } else if (path) {
        config_fault(r, path_line, "client-secret-file cannot be used here: no files are read");
    } else if (!t->client_secret && (!t->certificate || !t->private_key)) {
        config_fault(r, s->line, "tenant \"%s\" needs both certificate and private-key", t->name);
    } else if (t->certificate && files) {
        check_readable(t->certificate, false, line_of(s, "certificate"), r);
        check_readable(t->private_key, true, line_of(s, "private-key"), r);
    }
}

/* Managed identities bring their own. */
static void check_registration(const struct config_tenant *t, const struct config_section *s,
                               struct config_report *r)
{
    if (t->flow == FLOW_MANAGED_IDENTITY)
        return;
    if (!t->tenant_id)
        config_fault(r, line_of(s, "tenant-id"), "tenant \"%s\" needs a 'tenant-id'", t->name);
    if (!t->client_id)
        config_fault(r, line_of(s, "client-id"), "tenant \"%s\" needs a 'client-id'", t->name);
}

static void check_tenant(struct config_tenant *t, const struct config_section *s, bool files,
                         struct config_report *r)
{
    check_registration(t, s, r);
    if (t->tenant_id && !only_of(t->tenant_id, ".-"))
        config_fault(r, line_of(s, "tenant-id"),
                     "'tenant-id' must be a GUID or a domain such as contoso.onmicrosoft.com");
    if (t->tenant_id &&
        (strcmp(t->tenant_id, "common") == 0 || strcmp(t->tenant_id, "organizations") == 0 ||
         strcmp(t->tenant_id, "consumers") == 0))
        config_fault(r, line_of(s, "tenant-id"),
                     "'tenant-id' must name your own tenant; an app cannot sign in to '%s'",
                     t->tenant_id);
    if (t->client_id && !only_of(t->client_id, "-"))
        config_fault(r, line_of(s, "client-id"),
                     "'client-id' must be the GUID of the app registration (Application ID)");
    check_urls(t, s, r);
    if (t->flow == FLOW_CLIENT_CREDENTIALS)
        check_credentials(t, s, files, r);
    else
        config_fault(r, line_of(s, "flow"),
                     "this version signs in with flow = client-credentials only");
    if (t->ca_file && files)
        check_readable(t->ca_file, false, line_of(s, "ca-file"), r);
    if (t->max_concurrent > CONCURRENT_GRAPH)
        config_warning(r, line_of(s, "max-concurrent"),
                       "Exchange Online answers 429 to more than %d requests of an app on one "
                       "mailbox at a time",
                       CONCURRENT_GRAPH);
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
        check_readable(c->tls.certificates[i], false, line_of(s, "certificate"), r);
    for (size_t i = 0; files && i < c->tls.private_key_count; i++)
        check_readable(c->tls.private_keys[i], true, line_of(s, "private-key"), r);
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
    return strchr(text, '@') || (strlen(text) == GUID_LEN && only_of(text, "-"));
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
            check_tenant(&c->tenants[tenant++], &tree->sections[i], files, r);
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
