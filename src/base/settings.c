#include "settings.h"

#include "postern/base/config.h"

#include <string.h>

/* Limits that several settings share. */
#define KIB          INT64_C(1024)
#define MIB          (1024 * KIB)
#define TIB          (1024 * 1024 * MIB)
#define SECOND       INT64_C(1000)
#define DAY          (24 * 3600 * SECOND)
#define SESSIONS_MAX 100000

static const struct settings_choice log_levels[] = {{"error", LOG_LEVEL_ERROR},
                                                    {"warning", LOG_LEVEL_WARNING},
                                                    {"info", LOG_LEVEL_INFO},
                                                    {"debug", LOG_LEVEL_DEBUG},
                                                    {NULL, 0}};
static const struct settings_choice log_formats[] = {
    {"text", LOG_TEXT}, {"json", LOG_JSON}, {NULL, 0}};
static const struct settings_choice tls_versions[] = {
    {"1.0", 0x0301}, {"1.1", 0x0302}, {"1.2", 0x0303}, {"1.3", 0x0304}, {NULL, 0}};
static const struct settings_choice flows[] = {{"client-credentials", FLOW_CLIENT_CREDENTIALS},
                                               {"device-code", FLOW_DEVICE_CODE},
                                               {"authorization-code", FLOW_AUTHORIZATION_CODE},
                                               {"managed-identity", FLOW_MANAGED_IDENTITY},
                                               {"workload-identity", FLOW_WORKLOAD_IDENTITY},
                                               {"password", FLOW_PASSWORD},
                                               {NULL, 0}};
static const struct settings_choice assertions[] = {
    {"PS256", ASSERTION_PS256}, {"RS256", ASSERTION_RS256}, {NULL, 0}};
static const struct settings_choice clouds[] = {
    {"global", 0}, {"usgov", 1}, {"usgov-dod", 2}, {"china", 3}, {NULL, 0}};
static const struct settings_choice protocols[] = {
    {"pop3", PROTOCOL_POP3}, {"imap", PROTOCOL_IMAP}, {NULL, 0}};
static const struct settings_choice tls_modes[] = {
    {"none", TLS_NONE}, {"starttls", TLS_STARTTLS}, {"implicit", TLS_IMPLICIT}, {NULL, 0}};
static const struct settings_choice expunges[] = {{"deleted-items", EXPUNGE_DELETED_ITEMS},
                                                  {"recoverable", EXPUNGE_RECOVERABLE},
                                                  {"permanent", EXPUNGE_PERMANENT},
                                                  {NULL, 0}};
static const struct settings_choice socket_modes[] = {
    {"0600", 0600}, {"0660", 0660}, {"0666", 0666}, {NULL, 0}};
static const struct settings_choice exact_sizes[] = {
    {"auto", EXACT_SIZE_AUTO}, {"yes", EXACT_SIZE_YES}, {"no", EXACT_SIZE_NO}, {NULL, 0}};
static const struct settings_choice appends[] = {
    {"auto", APPEND_AUTO}, {"json", APPEND_JSON}, {"draft", APPEND_DRAFT}, {NULL, 0}};

#define AT(type, field)              .offset = offsetof(struct type, field)
#define TEXTS_AT(type, field, count) AT(type, field), .count_offset = offsetof(struct type, count)
#define NETWORKS_AT(type)            AT(type, networks), .count_offset = offsetof(struct type, network_count)
#define ELSEWHERE                    .offset = SETTING_ELSEWHERE
#define RANGE(lo, hi)                .min = (lo), .max = (hi)
#define REQUIRED                     .flags = SETTING_REQUIRED
#define SECRET                       .flags = SETTING_IS_SECRET

/* clang-format off */
const struct setting settings_table[] = {
    {SECTION_TOP, "state-dir", SETTING_TEXT, POSTERN_STATEDIR, AT(config, state_dir)},
    {SECTION_TOP, "poll-interval", SETTING_DURATION, "15s", RANGE(SECOND / 10, DAY),
     AT(config, poll_interval_ms)},
    {SECTION_TOP, "key-file", SETTING_TEXT, NULL, AT(config, key_file)},
    {SECTION_TOP, "logins-file", SETTING_TEXT, NULL, AT(config, logins_file)},
    {SECTION_TOP, "user", SETTING_TEXT, NULL, AT(config, user)},
    {SECTION_TOP, "group", SETTING_TEXT, NULL, AT(config, group)},
    {SECTION_TOP, "client-retention", SETTING_DURATION, "400d", RANGE(DAY, 10000 * DAY),
     AT(config, client_retention_ms)},

    {SECTION_LOG, "level", SETTING_CHOICE, "info", .choices = log_levels, AT(config, log.level)},
    {SECTION_LOG, "format", SETTING_CHOICE, "text", .choices = log_formats,
     AT(config, log.format)},
    {SECTION_LOG, "target", SETTING_TEXT, "stderr", AT(config, log.target)},

    {SECTION_CACHE, "max-size", SETTING_SIZE, "2G", RANGE(0, 64 * TIB),
     AT(config, cache_max_size)},

    {SECTION_LIMITS, "max-connections", SETTING_COUNT, "4000", RANGE(1, SESSIONS_MAX),
     AT(config, limits.max_connections)},
    {SECTION_LIMITS, "max-connections-per-address", SETTING_COUNT, "2000", RANGE(1, SESSIONS_MAX),
     AT(config, limits.max_connections_per_address)},
    {SECTION_LIMITS, "max-connections-per-login", SETTING_COUNT, "1500", RANGE(1, SESSIONS_MAX),
     AT(config, limits.max_connections_per_login)},
    {SECTION_LIMITS, "idle-timeout", SETTING_DURATION, "10m", RANGE(SECOND, DAY),
     AT(config, limits.idle_timeout_ms)},
    {SECTION_LIMITS, "login-timeout", SETTING_DURATION, "60s", RANGE(SECOND, DAY),
     AT(config, limits.login_timeout_ms)},
    {SECTION_LIMITS, "lockout-failures", SETTING_COUNT, "100", RANGE(0, 1000000),
     AT(config, limits.lockout_failures)},
    {SECTION_LIMITS, "lockout-time", SETTING_DURATION, "10m", RANGE(SECOND, DAY),
     AT(config, limits.lockout_ms)},
    {SECTION_LIMITS, "request-timeout", SETTING_DURATION, "60s", RANGE(SECOND, DAY),
     AT(config, limits.request_timeout_ms)},
    {SECTION_LIMITS, "first-sync-wait", SETTING_DURATION, "20s", RANGE(0, DAY),
     AT(config, limits.first_sync_wait_ms)},
    {SECTION_LIMITS, "grace", SETTING_DURATION, "20s", RANGE(0, DAY),
     AT(config, limits.grace_ms)},
    {SECTION_LIMITS, "max-message-size", SETTING_SIZE, "160M", RANGE(KIB, 2048 * MIB),
     AT(config, limits.max_message_size)},
    {SECTION_LIMITS, "read-ahead", SETTING_SIZE, "8M", RANGE(0, 1024 * MIB),
     AT(config, limits.read_ahead)},
    {SECTION_LIMITS, "search-downloads", SETTING_COUNT, "10000", RANGE(0, 10000000),
     AT(config, limits.search_downloads)},

    {SECTION_TLS, "certificate", SETTING_TEXTS, NULL,
     TEXTS_AT(config, tls.certificates, tls.certificate_count)},
    {SECTION_TLS, "private-key", SETTING_TEXTS, NULL,
     TEXTS_AT(config, tls.private_keys, tls.private_key_count)},
    {SECTION_TLS, "min-version", SETTING_CHOICE, "1.2", .choices = tls_versions,
     AT(config, tls.min_version)},

    {SECTION_ADMIN, "address", SETTING_TEXT, NULL, AT(config, admin_address)},

    {SECTION_TENANT, "tenant-id", SETTING_TEXT, NULL, AT(config_tenant, tenant_id)},
    {SECTION_TENANT, "client-id", SETTING_TEXT, NULL, AT(config_tenant, client_id)},
    {SECTION_TENANT, "flow", SETTING_CHOICE, "client-credentials", .choices = flows,
     AT(config_tenant, flow)},
    {SECTION_TENANT, "client-secret", SETTING_TEXT, NULL, SECRET,
     AT(config_tenant, client_secret)},
    {SECTION_TENANT, "client-secret-file", SETTING_TEXT, NULL, ELSEWHERE},
    {SECTION_TENANT, "certificate", SETTING_TEXT, NULL, AT(config_tenant, certificate)},
    {SECTION_TENANT, "private-key", SETTING_TEXT, NULL, AT(config_tenant, private_key)},
    {SECTION_TENANT, "assertion", SETTING_CHOICE, "PS256", .choices = assertions,
     AT(config_tenant, assertion)},
    {SECTION_TENANT, "federated-token-file", SETTING_TEXT, NULL,
     AT(config_tenant, federated_token_file)},
    {SECTION_TENANT, "identity-object-id", SETTING_TEXT, NULL,
     AT(config_tenant, identity_object_id)},
    {SECTION_TENANT, "identity-resource-id", SETTING_TEXT, NULL,
     AT(config_tenant, identity_resource_id)},
    {SECTION_TENANT, "identity-url", SETTING_TEXT, "http://169.254.169.254",
     AT(config_tenant, identity_url)},
    {SECTION_TENANT, "account", SETTING_TEXT, NULL, AT(config_tenant, account)},
    {SECTION_TENANT, "password-file", SETTING_TEXT, NULL, ELSEWHERE},
    {SECTION_TENANT, "allow-password-grant", SETTING_BOOL, "no",
     AT(config_tenant, allow_password_grant)},
    {SECTION_TENANT, "allow-client-tokens", SETTING_BOOL, "no",
     AT(config_tenant, allow_client_tokens)},
    {SECTION_TENANT, "scope", SETTING_TEXT, "Mail.ReadWrite Mail.ReadWrite.Shared",
     AT(config_tenant, scope)},
    {SECTION_TENANT, "cloud", SETTING_CHOICE, "global", .choices = clouds, ELSEWHERE},
    {SECTION_TENANT, "graph-url", SETTING_TEXT, NULL, AT(config_tenant, graph_url)},
    {SECTION_TENANT, "login-url", SETTING_TEXT, NULL, AT(config_tenant, login_url)},
    {SECTION_TENANT, "ca-file", SETTING_TEXT, NULL, AT(config_tenant, ca_file)},
    {SECTION_TENANT, "max-concurrent", SETTING_COUNT, "4", RANGE(1, 20),
     AT(config_tenant, max_concurrent)},
    {SECTION_TENANT, "max-concurrent-app", SETTING_COUNT, "0", RANGE(0, 10000),
     AT(config_tenant, max_concurrent_app)},

    {SECTION_LISTENER, "protocol", SETTING_CHOICE, NULL, .choices = protocols, REQUIRED,
     AT(config_listener, protocol)},
    {SECTION_LISTENER, "address", SETTING_TEXT, NULL, REQUIRED, AT(config_listener, address)},
    {SECTION_LISTENER, "tls", SETTING_CHOICE, "none", .choices = tls_modes,
     AT(config_listener, tls)},
    {SECTION_LISTENER, "allow-plaintext", SETTING_BOOL, "no",
     AT(config_listener, allow_plaintext)},
    {SECTION_LISTENER, "min-version", SETTING_CHOICE, NULL, .choices = tls_versions,
     AT(config_listener, min_version)},
    {SECTION_LISTENER, "legacy-tls", SETTING_BOOL, "no",
     AT(config_listener, legacy_tls)},
    {SECTION_LISTENER, "networks", SETTING_NETWORKS, NULL, NETWORKS_AT(config_listener)},
    {SECTION_LISTENER, "client-certificates", SETTING_BOOL, "no",
     AT(config_listener, client_certificates)},
    {SECTION_LISTENER, "proxy-protocol", SETTING_NETWORKS, NULL, AT(config_listener, proxies),
     .count_offset = offsetof(struct config_listener, proxy_count)},
    {SECTION_LISTENER, "socket-mode", SETTING_CHOICE, "0660", .choices = socket_modes,
     AT(config_listener, socket_mode)},

    {SECTION_LOGIN, "mailbox", SETTING_TEXT, NULL, REQUIRED, AT(config_login, mailbox)},
    {SECTION_LOGIN, "mailboxes", SETTING_TEXTS, NULL,
     TEXTS_AT(config_login, mailboxes, mailbox_count)},
    {SECTION_LOGIN, "tenant", SETTING_TEXT, NULL, REQUIRED, ELSEWHERE},
    {SECTION_LOGIN, "account", SETTING_TEXT, NULL, AT(config_login, account)},
    {SECTION_LOGIN, "password", SETTING_TEXT, NULL, SECRET, AT(config_login, password)},
    {SECTION_LOGIN, "device-secret", SETTING_TEXT, NULL, SECRET, AT(config_login, device_secret)},
    {SECTION_LOGIN, "certificate-fingerprint", SETTING_TEXTS, NULL,
     TEXTS_AT(config_login, fingerprints, fingerprint_count)},
    {SECTION_LOGIN, "protocols", SETTING_SET, "pop3,imap", .choices = protocols,
     AT(config_login, protocols)},
    {SECTION_LOGIN, "networks", SETTING_NETWORKS, "127.0.0.0/8,::1", NETWORKS_AT(config_login)},
    {SECTION_LOGIN, "read-only", SETTING_BOOL, "no", AT(config_login, read_only)},
    {SECTION_LOGIN, "folder", SETTING_TEXT, "INBOX", AT(config_login, folder)},
    {SECTION_LOGIN, "expunge", SETTING_CHOICE, "deleted-items", .choices = expunges,
     AT(config_login, expunge)},
    {SECTION_LOGIN, "append", SETTING_CHOICE, "auto", .choices = appends,
     AT(config_login, append)},
    {SECTION_LOGIN, "exact-size", SETTING_CHOICE, "auto", .choices = exact_sizes,
     AT(config_login, exact_size)},
    {SECTION_LOGIN, "serve-since", SETTING_DAY, NULL, AT(config_login, serve_since_ms)},
    {SECTION_LOGIN, "max-connections", SETTING_COUNT, "0", RANGE(0, SESSIONS_MAX),
     AT(config_login, max_connections)},
    {.name = NULL},
};
/* clang-format on */

const char *settings_section_name(enum settings_section section)
{
    static const char *const names[SECTION_COUNT] = {
        [SECTION_TOP] = "",          [SECTION_LOG] = "log",           [SECTION_CACHE] = "cache",
        [SECTION_LIMITS] = "limits", [SECTION_TLS] = "tls",           [SECTION_ADMIN] = "admin",
        [SECTION_TENANT] = "tenant", [SECTION_LISTENER] = "listener", [SECTION_LOGIN] = "login"};
    return names[section];
}

const struct setting *settings_find(enum settings_section section, const char *name)
{
    for (const struct setting *s = settings_table; s->name; s++) {
        if (s->section == section && strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

const struct settings_choice *settings_choice_find(const struct settings_choice *choices,
                                                   const char *name)
{
    for (; choices->name; choices++) {
        if (strcmp(choices->name, name) == 0)
            return choices;
    }
    return NULL;
}

void config_each_setting(void (*fn)(void *arg, const char *section, const char *name,
                                    const char *fallback),
                         void *arg)
{
    for (const struct setting *s = settings_table; s->name; s++)
        fn(arg, settings_section_name(s->section), s->name, s->fallback);
}
