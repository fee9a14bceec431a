/*
 * The configuration: read once into an immutable, reference-counted tree.
 *
 * One table of settings (src/base/settings.c) is the only place that knows names, types, defaults
 * and limits; the parser, `postern check`, the manual page and the sample file are checked
 * against it. Sizes are bytes ("2G", "64K" in the file), times are milliseconds ("10m", "20s").
 * Loading reports every fault it finds, each with file and line, not only the first.
 */
#ifndef POSTERN_BASE_CONFIG_H
#define POSTERN_BASE_CONFIG_H

#include "postern/base/error.h"
#include "postern/base/log.h"
#include "postern/base/principal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum config_flow {
    FLOW_CLIENT_CREDENTIALS,
    FLOW_DEVICE_CODE,
    FLOW_AUTHORIZATION_CODE,
    FLOW_MANAGED_IDENTITY,
    FLOW_WORKLOAD_IDENTITY,
    FLOW_PASSWORD
};
enum config_assertion { ASSERTION_PS256, ASSERTION_RS256 };
enum config_protocol { PROTOCOL_POP3 = 1, PROTOCOL_IMAP = 2 };
enum config_tls_mode { TLS_NONE, TLS_STARTTLS, TLS_IMPLICIT };
enum config_expunge { EXPUNGE_DELETED_ITEMS, EXPUNGE_RECOVERABLE, EXPUNGE_PERMANENT };
enum config_append { APPEND_AUTO, APPEND_JSON, APPEND_DRAFT };
enum config_exact_size { EXACT_SIZE_AUTO, EXACT_SIZE_YES, EXACT_SIZE_NO };

struct config_network {
    int family; /* AF_INET, AF_INET6 */
    uint8_t address[16];
    unsigned prefix; /* bits */
};

struct config_tenant {
    char *name; /* the section's title */
    char *tenant_id;
    char *client_id;
    enum config_flow flow;
    char *client_secret; /* the value itself: from client-secret or read from
                            client-secret-file at load; NULL with a certificate */
    char *certificate;   /* paths, NULL if none */
    char *private_key;
    enum config_assertion assertion;
    char *federated_token_file; /* workload identity; NULL: AZURE_FEDERATED_TOKEN_FILE */
    char *identity_object_id;   /* managed identity: which one, if not by client_id; NULL */
    char *identity_resource_id;
    char *identity_url;     /* origin of the metadata service */
    char *account;          /* whose sign-in opens the mailboxes of logins that name none; NULL */
    char *account_password; /* of the password grant, from password-file; NULL */
    bool allow_password_grant;
    bool allow_client_tokens;   /* XOAUTH2 and OAUTHBEARER may bring a token of their own */
    struct config_login *guest; /* the defaults of a login: policy of such a session where no login
                                   section has its name */
    char *scope;                /* what a person's sign-in asks for */
    char *graph_url;            /* origin, no trailing slash; from cloud or by hand */
    const char *cloud_url;      /* static: the cloud's own graph_url, NULL: unknown */
    char *login_url;
    char *ca_file;               /* NULL: the system's anchors only */
    unsigned max_concurrent;     /* per mailbox, 1 to 4 by default 4 */
    unsigned max_concurrent_app; /* over all mailboxes, 0: no cap */
    bool permanent_delete;       /* the cloud has permanentDelete (global only) */
    int line;
};

struct config_tls {
    char **certificates; /* paths of PEM chains, the first is for clients that name no host; none:
                            TLS is not offered */
    size_t certificate_count;
    char **private_keys; /* as many, in the same order */
    size_t private_key_count;
    int min_version; /* 0x0301 … 0x0304 as OpenSSL's TLS1_x_VERSION */
};

struct config_listener {
    char *name;
    enum config_protocol protocol;
    char *address; /* as written: "127.0.0.1:1110", "[::1]:1110", "unix:/run/x.sock", or
                      "systemd:NAME", a socket handed over by systemd under that name */
    struct sockaddr_storage sockaddr;
    socklen_t sockaddr_len;
    bool loopback;
    enum config_tls_mode tls;
    bool allow_plaintext;
    int min_version;                /* 0: as in tls */
    bool legacy_tls;                /* min_version may be below TLS 1.2 */
    bool client_certificates;       /* clients are asked for one */
    unsigned socket_mode;           /* permissions of a Unix socket */
    struct config_network *proxies; /* who must begin with a PROXY header; empty: nobody may */
    size_t proxy_count;
    struct config_network *networks; /* who may connect; empty: anybody */
    size_t network_count;
    int line;
};

struct config_login {
    char *name;
    char *mailbox;    /* UPN or object id */
    char **mailboxes; /* others that the client may name, may be empty */
    size_t mailbox_count;
    const struct config_tenant *tenant; /* inside the same config */
    char *account;       /* whose sign-in opens it; NULL: the tenant's, else its own */
    char *password;      /* crypt(3) hash; NULL: no password is right */
    char *device_secret; /* of CRAM-MD5 and APOP; NULL: they are not for this login */
    char **fingerprints; /* SHA-256 of client certificates, 64 hex digits */
    size_t fingerprint_count;
    unsigned protocols;              /* set of enum config_protocol; default all */
    struct config_network *networks; /* default: loopback */
    size_t network_count;
    bool read_only;
    char *folder; /* "INBOX", or a path with '/' */
    enum config_expunge expunge;
    enum config_append append; /* the way of IMAP APPEND into Graph */
    enum config_exact_size exact_size;
    int64_t serve_since_ms;   /* wall clock; INT64_MIN: everything */
    unsigned max_connections; /* of this login, 0: the general limit */
    bool in_logins_file;      /* it stands there, not in the config itself */
    int line;
};

struct config_limits {
    unsigned max_connections; /* in all */
    unsigned max_connections_per_address;
    unsigned max_connections_per_login;
    int64_t idle_timeout_ms;   /* authenticated, 10 minutes */
    int64_t login_timeout_ms;  /* before login, 60 s */
    unsigned lockout_failures; /* refused logins of one address until it is locked out; 0: never */
    int64_t lockout_ms;
    int64_t request_timeout_ms; /* one Graph request without progress */
    int64_t first_sync_wait_ms; /* PASS waits this long for a first sync, 20 s */
    int64_t grace_ms;           /* SIGTERM: what is being answered may finish */
    size_t max_message_size;    /* a larger one is an error to the client */
    size_t read_ahead;          /* bytes fetched ahead per session, 0: none */
    unsigned search_downloads;  /* bodies that one SEARCH may download, 0: none */
};

struct config {
    char *path; /* of the file it came from */
    char *state_dir;
    char *key_file;    /* of the key that encrypts stored sign-ins, NULL: see store/vault.h */
    char *logins_file; /* further login sections, NULL: none */
    char *user;        /* to become after binding, NULL: stay */
    char *group;
    int64_t client_retention_ms; /* how long the inventory remembers a client unseen */
    struct {
        enum log_level level;
        enum log_format format;
        char *target;
    } log;
    size_t cache_max_size; /* bodies on disk over all mailboxes; 0: keep none */
    int64_t poll_interval_ms;
    struct config_limits limits;
    struct config_tls tls;
    char *admin_address; /* as written, NULL: none */
    struct sockaddr_storage admin_sockaddr;
    socklen_t admin_sockaddr_len;
    struct config_tenant *tenants;
    size_t tenant_count;
    struct config_listener *listeners;
    size_t listener_count;
    struct config_login *logins;
    size_t login_count;
};

/* One fault: "postern.conf:12: …", what to do included. Line 0 stands for the file as a whole. */
typedef void config_fault_fn(void *arg, const char *file, int line, const char *text);

/* Reads and checks everything that needs no network. On any fault it calls `fault` for each and
 * returns NULL. The result has one reference. Warnings (world-readable secrets …) are reported
 * through `warning`, NULL to drop them. */
struct config *config_load(const char *path, config_fault_fn *fault, config_fault_fn *warning,
                           void *arg);
/* The same for text in memory; `name` stands for the file in faults (tests, fuzzing, demo). No
 * file that the text names is opened: a client-secret-file is a fault here. */
struct config *config_parse(const char *name, const char *text, config_fault_fn *fault,
                            config_fault_fn *warning, void *arg);
/* Reads the logins-file of a config anew: the result has the logins that stand in it now beside
 * those of the config's own file, and shares everything else with `c`, secrets not read again.
 * Faults as above. `c` has a logins-file. */
struct config *config_reload_logins(struct config *c, config_fault_fn *fault, void *arg);
struct config *config_ref(struct config *c);
/* Drops a reference and clears the pointer; secrets are wiped with the last one. */
void config_unref(struct config **c);

/* On whose behalf a login opens its mailbox; points into the config. */
struct principal config_login_principal(const struct config_login *l);
/* Does a person sign in (and not the application itself)? */
bool config_flow_is_delegated(enum config_flow flow);

/* NAME of address = "systemd:NAME"; NULL: it opens its own socket. */
const char *config_listener_socket_name(const struct config_listener *l);
/* NULL if there is none; exact match. */
const struct config_login *config_find_login(const struct config *c, const char *name);
/* Is the address inside one of the networks? IPv4-mapped IPv6 addresses count as IPv4,
 * a Unix socket as both 127.0.0.1 and ::1. */
bool config_network_match(const struct config_network *nets, size_t count,
                          const struct sockaddr *address);

/* Values as settings write them, for command lines: "192.0.2.0/24", "2001:db8::1"; "90s", "30d". */
bool config_parse_network(const char *text, struct config_network *out);
bool config_parse_duration(const char *text, int64_t *ms);

/* The table of settings, for the tests that compare it with the manual and the sample:
 * calls `fn` with the section ("" at top level), the name, and the default as it would stand in
 * the file (NULL: none). */
void config_each_setting(void (*fn)(void *arg, const char *section, const char *name,
                                    const char *fallback),
                         void *arg);

#endif
