/* What a tenant needs for its way of signing in, and what follows from it. */
#include "config_check.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"
#include "postern/base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECRET_MAX       8192 /* bytes of a file that holds a secret on its only line */
#define CONCURRENT_GRAPH 4    /* what Exchange Online grants an app on one mailbox */

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

/* Settings that mean something to some flows only. */
#define FLOW(flow)  (1U << (flow))
#define DELEGATED   (FLOW(FLOW_DEVICE_CODE) | FLOW(FLOW_AUTHORIZATION_CODE) | FLOW(FLOW_PASSWORD))
#define CREDENTIALS (DELEGATED | FLOW(FLOW_CLIENT_CREDENTIALS))

static const struct {
    const char *key;
    unsigned flows;
} belongs[] = {
    {"client-secret", CREDENTIALS},
    {"client-secret-file", CREDENTIALS},
    {"certificate", CREDENTIALS},
    {"private-key", CREDENTIALS},
    {"assertion", CREDENTIALS},
    {"federated-token-file", FLOW(FLOW_WORKLOAD_IDENTITY)},
    {"identity-object-id", FLOW(FLOW_MANAGED_IDENTITY)},
    {"identity-resource-id", FLOW(FLOW_MANAGED_IDENTITY)},
    {"identity-url", FLOW(FLOW_MANAGED_IDENTITY)},
    {"account", DELEGATED},
    {"scope", DELEGATED},
    {"password-file", FLOW(FLOW_PASSWORD)},
    {"allow-password-grant", FLOW(FLOW_PASSWORD)},
};

static void check_belonging(const struct config_tenant *t, const struct config_section *s,
                            struct config_report *r)
{
    for (size_t i = 0; i < sizeof belongs / sizeof belongs[0]; i++) {
        if (value_of(s, belongs[i].key) && !(belongs[i].flows & FLOW(t->flow)))
            config_warning(r, line_of(s, belongs[i].key),
                           "'%s' means nothing to the flow of tenant \"%s\" and is not used",
                           belongs[i].key, t->name);
    }
}

/* An origin; plain http only for the metadata service, which has nothing else. */
static void check_url(struct config_report *r, int line, const char *key, char *url, bool plain)
{
    static const char https[] = "https://", http[] = "http://";
    size_t len = strlen(url), scheme = 0;
    if (len > 0 && url[len - 1] == '/')
        url[--len] = '\0';
    if (strncmp(url, https, sizeof https - 1) == 0)
        scheme = sizeof https - 1;
    else if (plain && strncmp(url, http, sizeof http - 1) == 0)
        scheme = sizeof http - 1;
    if (!scheme || !url[scheme] || !config_only_of(url + scheme, ".-:[]"))
        config_fault(r, line, "'%s' must be %s and a host, such as %s; no path, no user", key,
                     plain ? "http:// or https://" : "https://",
                     plain ? "http://169.254.169.254" : "https://graph.microsoft.com");
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
    check_url(r, line_of(s, "graph-url"), "graph-url", t->graph_url, false);
    check_url(r, line_of(s, "login-url"), "login-url", t->login_url, false);
}

/* The only line of a file, NULL after a fault. */
static char *read_secret(const char *path, const char *key, int line, bool files,
                         struct config_report *r)
{
    struct buf text = BUF_INIT(SECRET_MAX);
    struct error e = ERROR_INIT;
    struct stat st;
    char *secret = NULL;
    if (!files) {
        config_fault(r, line, "%s cannot be used here: no files are read", key);
        return NULL;
    }
    if (!file_read(path, &text, &e)) {
        config_fault(r, line, "%s: %s", key, e.text);
        buf_free_secret(&text);
        return NULL;
    }
    while (text.len > 0 && strchr("\r\n", text.data[text.len - 1]))
        text.data[--text.len] = '\0';
    if (text.len == 0 || strlen(text.data) != text.len || strpbrk(text.data, "\r\n"))
        config_fault(r, line, "%s must hold the secret on one line, and nothing else", path);
    else
        secret = xstrdup(text.data);
    if (stat(path, &st) == 0 && (st.st_mode & S_IROTH))
        config_warning(r, line, "%s can be read by every user of this machine; chmod o-r it", path);
    buf_free_secret(&text);
    return secret;
}

/* How the application shows that it is itself; `required`: a public client need not. */
static void check_credentials(struct config_tenant *t, const struct config_section *s, bool files,
                              bool required, struct config_report *r)
{
    const char *path = value_of(s, "client-secret-file");
    unsigned ways =
        (t->client_secret != NULL) + (path != NULL) + (t->certificate || t->private_key ? 1 : 0);
    if (ways > 1 || (required && ways == 0)) {
        config_fault(r, s->line,
                     "tenant \"%s\" needs one way to sign in, and has %u: client-secret-file, or "
                     "client-secret, or certificate with private-key",
                     t->name, ways);
    } else if (path) {
        t->client_secret =
            read_secret(path, "client-secret-file", line_of(s, "client-secret-file"), files, r);
    } else if (!t->certificate != !t->private_key) {
        config_fault(r, s->line, "tenant \"%s\" needs both certificate and private-key", t->name);
    } else if (t->certificate && files) {
        config_check_readable(t->certificate, false, line_of(s, "certificate"), r);
        config_check_readable(t->private_key, true, line_of(s, "private-key"), r);
    }
}

static void take_environment(char **field, const char *name)
{
    const char *value = getenv(name);
    if (!*field && value && *value)
        *field = xstrdup(value);
}

/* What the workload identity webhook of Kubernetes sets in a pod (Azure AD Workload Identity,
 * mutating admission webhook). */
static void take_workload(struct config_tenant *t, const struct config_section *s)
{
    take_environment(&t->tenant_id, "AZURE_TENANT_ID");
    take_environment(&t->client_id, "AZURE_CLIENT_ID");
    take_environment(&t->federated_token_file, "AZURE_FEDERATED_TOKEN_FILE");
    if (!value_of(s, "cloud"))
        take_environment(&t->login_url, "AZURE_AUTHORITY_HOST");
}

static void check_workload(const struct config_tenant *t, const struct config_section *s,
                           bool files, struct config_report *r)
{
    int line = line_of(s, "federated-token-file");
    if (!t->federated_token_file)
        config_fault(r, line,
                     "tenant \"%s\" needs a 'federated-token-file', since the environment has no "
                     "AZURE_FEDERATED_TOKEN_FILE",
                     t->name);
    else if (files)
        config_check_readable(t->federated_token_file, true, line, r);
}

static void check_managed(const struct config_tenant *t, const struct config_section *s,
                          struct config_report *r)
{
    check_url(r, line_of(s, "identity-url"), "identity-url", t->identity_url, true);
    if ((t->client_id != NULL) + (t->identity_object_id != NULL) +
            (t->identity_resource_id != NULL) >
        1)
        config_fault(r, s->line,
                     "tenant \"%s\" names its identity more than once: client-id, "
                     "identity-object-id or identity-resource-id, one of them",
                     t->name);
}

static void check_password(struct config_tenant *t, const struct config_section *s, bool files,
                           struct config_report *r)
{
    const char *path = value_of(s, "password-file");
    if (!t->allow_password_grant)
        config_fault(r, line_of(s, "flow"),
                     "flow = password hands the account's Microsoft password to this program and "
                     "works without multi-factor authentication only; use device-code, or write "
                     "allow-password-grant = yes");
    if (!t->account)
        config_fault(r, line_of(s, "account"), "tenant \"%s\" needs an 'account'", t->name);
    if (!path)
        config_fault(r, line_of(s, "password-file"), "tenant \"%s\" needs a 'password-file'",
                     t->name);
    else
        t->account_password =
            read_secret(path, "password-file", line_of(s, "password-file"), files, r);
}

static void check_flow(struct config_tenant *t, const struct config_section *s, bool files,
                       struct config_report *r)
{
    switch (t->flow) {
    case FLOW_CLIENT_CREDENTIALS:
        check_credentials(t, s, files, true, r);
        break;
    case FLOW_DEVICE_CODE:
    case FLOW_AUTHORIZATION_CODE:
        check_credentials(t, s, files, false, r);
        break;
    case FLOW_PASSWORD:
        check_credentials(t, s, files, false, r);
        check_password(t, s, files, r);
        break;
    case FLOW_MANAGED_IDENTITY:
        check_managed(t, s, r);
        break;
    case FLOW_WORKLOAD_IDENTITY:
        check_workload(t, s, files, r);
        break;
    }
}

/* Managed identities bring their own. */
static void check_registration(const struct config_tenant *t, const struct config_section *s,
                               struct config_report *r)
{
    if (t->flow != FLOW_MANAGED_IDENTITY && !t->tenant_id)
        config_fault(r, line_of(s, "tenant-id"), "tenant \"%s\" needs a 'tenant-id'", t->name);
    if (t->flow != FLOW_MANAGED_IDENTITY && !t->client_id)
        config_fault(r, line_of(s, "client-id"), "tenant \"%s\" needs a 'client-id'", t->name);
    if (t->tenant_id && !config_only_of(t->tenant_id, ".-"))
        config_fault(r, line_of(s, "tenant-id"),
                     "'tenant-id' must be a GUID or a domain such as contoso.onmicrosoft.com");
    if (t->tenant_id &&
        (strcmp(t->tenant_id, "common") == 0 || strcmp(t->tenant_id, "organizations") == 0 ||
         strcmp(t->tenant_id, "consumers") == 0))
        config_fault(r, line_of(s, "tenant-id"),
                     "'tenant-id' must name your own tenant; an app cannot sign in to '%s'",
                     t->tenant_id);
    if (t->allow_client_tokens && (!t->tenant_id || !guid_is(t->tenant_id)))
        config_fault(r, line_of(s, "allow-client-tokens"),
                     "Graph takes the tokens of every directory, and which one gave a token shows "
                     "by its GUID alone: give 'tenant-id' as a GUID (Tenant ID in Entra ID), or "
                     "take allow-client-tokens out");
    if (t->client_id && !config_only_of(t->client_id, "-"))
        config_fault(r, line_of(s, "client-id"),
                     "'client-id' must be the GUID of the app registration (Application ID)");
    else if (t->client_id && !guid_is(t->client_id))
        config_warning(r, line_of(s, "client-id"),
                       "'client-id' is no GUID: it is the Application (client) ID of the "
                       "registration, not its name");
}

void config_check_tenant(struct config_tenant *t, const struct config_section *s, bool files,
                         struct config_report *r)
{
    if (t->flow == FLOW_WORKLOAD_IDENTITY)
        take_workload(t, s);
    check_registration(t, s, r);
    check_urls(t, s, r);
    check_belonging(t, s, r);
    check_flow(t, s, files, r);
    if (t->ca_file && files)
        config_check_readable(t->ca_file, false, line_of(s, "ca-file"), r);
    if (t->max_concurrent > CONCURRENT_GRAPH)
        config_warning(r, line_of(s, "max-concurrent"),
                       "Exchange Online answers 429 to more than %d requests of an app on one "
                       "mailbox at a time",
                       CONCURRENT_GRAPH);
}
