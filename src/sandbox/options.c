#include "options.h"

#include "generator.h"
#include "loader.h"

#include "postern/base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_USER      "alerts@contoso.com"
#define DEFAULT_TENANT    "contoso.onmicrosoft.com"
#define DEFAULT_CLIENT_ID "6731de76-14a6-49ae-97bc-6eba6914391e"
#define DEFAULT_SECRET    "sandbox-secret"
#define GENERATE_MAX      1000000

enum {
    OPT_LISTEN = 256,
    OPT_UPLOAD,
    OPT_IMDS,
    OPT_CONTROL,
    OPT_DIR,
    OPT_USER,
    OPT_TENANT,
    OPT_CLIENT_ID,
    OPT_CLIENT_SECRET,
    OPT_CLIENT_CERTIFICATE,
    OPT_LOAD,
    OPT_GENERATE,
    OPT_LATENCY,
    OPT_TOKEN_LIFE,
    OPT_SET,
    OPT_BAD_TLS
};

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"upload", required_argument, NULL, OPT_UPLOAD},
    {"imds", required_argument, NULL, OPT_IMDS},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"dir", required_argument, NULL, OPT_DIR},
    {"user", required_argument, NULL, OPT_USER},
    {"tenant", required_argument, NULL, OPT_TENANT},
    {"client-id", required_argument, NULL, OPT_CLIENT_ID},
    {"client-secret", required_argument, NULL, OPT_CLIENT_SECRET},
    {"client-certificate", required_argument, NULL, OPT_CLIENT_CERTIFICATE},
    {"load", required_argument, NULL, OPT_LOAD},
    {"generate", required_argument, NULL, OPT_GENERATE},
    {"latency", required_argument, NULL, OPT_LATENCY},
    {"token-life", required_argument, NULL, OPT_TOKEN_LIFE},
    {"set", required_argument, NULL, OPT_SET},
    {"bad-tls", required_argument, NULL, OPT_BAD_TLS},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

void options_usage(void)
{
    fputs("usage: postern-sandbox [option ...]\n"
          "  --listen ADDRESS:PORT        HTTPS: Graph and the sign-in endpoints (127.0.0.1:0)\n"
          "  --upload ADDRESS:PORT        HTTPS: pieces of upload sessions, reports (127.0.0.1:0)\n"
          "  --imds ADDRESS:PORT          HTTP: tokens of managed identities (127.0.0.1:0)\n"
          "  --control ADDRESS:PORT       HTTP: the control port (127.0.0.1:0)\n"
          "  --dir DIRECTORY              where ca.pem is written\n"
          "  --user UPN                   a mailbox; repeatable (" DEFAULT_USER ")\n"
          "  --tenant NAME                (" DEFAULT_TENANT ")\n"
          "  --client-id GUID             (" DEFAULT_CLIENT_ID ")\n"
          "  --client-secret TEXT         (" DEFAULT_SECRET ")\n"
          "  --client-certificate FILE    PEM certificate that may sign assertions\n"
          "  --load [USER/]FOLDER=PATH    mbox, .eml, directory of .eml, or Maildir\n"
          "  --generate [USER/]FOLDER=N[,SIZE]\n"
          "                               N messages, always the same ones\n"
          "  --latency MS                 each answer takes this long\n"
          "  --token-life SECONDS         (3599)\n"
          "  --set NAME=VALUE             any setting of postern-sandbox(1)\n"
          "  --bad-tls expired|wrong-host|self-signed\n"
          "  --help, --version\n",
          stdout);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    return ntohl(in->sin_addr.s_addr) >> 24 == 127;
}

static bool parse_port(const char *text, uint16_t *port)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < 0 || n > UINT16_MAX)
        return false;
    *port = htons((uint16_t)n);
    return true;
}

/* "127.0.0.1:8443" or "[::1]:8443", loopback only. */
static bool parse_address(const char *text, struct sockaddr_storage *out, struct error *e)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    uint16_t port = 0;
    bool ok = colon && (size_t)(colon - text) < sizeof host && parse_port(colon + 1, &port);
    memset(out, 0, sizeof *out);
    if (ok) {
        memcpy(host, text, (size_t)(colon - text));
        host[colon - text] = '\0';
        size_t len = strlen(host);
        if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
            struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
            host[len - 1] = '\0';
            in6->sin6_family = AF_INET6;
            in6->sin6_port = port;
            ok = inet_pton(AF_INET6, host + 1, &in6->sin6_addr) == 1;
        } else {
            struct sockaddr_in *in = (struct sockaddr_in *)out;
            in->sin_family = AF_INET;
            in->sin_port = port;
            ok = inet_pton(AF_INET, host, &in->sin_addr) == 1;
        }
    }
    if (!ok)
        return error_set(e, ERROR_LOCAL, "%s is not an address: write 127.0.0.1:0 or [::1]:0",
                         text);
    return is_loopback(out) || error_set(e, ERROR_LOCAL,
                                         "%s is not a loopback address: the sandbox serves this "
                                         "machine only, write 127.0.0.1:0 or [::1]:0",
                                         text);
}

static bool read_certificate(const char *path, struct sandbox *s, struct error *e)
{
    FILE *file = fopen(path, "r");
    if (file) {
        X509_free(s->tokens.certificate);
        s->tokens.certificate = PEM_read_X509(file, NULL, NULL, NULL);
        fclose(file);
    }
    return (file && s->tokens.certificate) ||
           error_set(e, ERROR_LOCAL, "%s: no PEM certificate can be read from it", path);
}

static bool set_setting(struct sandbox *s, const char *name, const char *value, struct error *e)
{
    const char *why = NULL;
    return settings_set(&s->settings, name, value, &why) ||
           error_set(e, ERROR_LOCAL, "%s=%s: %s", name, value, why);
}

static bool set_assignment(struct sandbox *s, const char *text, struct error *e)
{
    const char *eq = strchr(text, '=');
    if (!eq)
        return error_set(e, ERROR_LOCAL, "--set %s: write NAME=VALUE", text);
    char *name = xstrndup(text, (size_t)(eq - text));
    bool ok = set_setting(s, name, eq + 1, e);
    free(name);
    return ok;
}

/* "[USER/]FOLDER=REST": the folder, and *rest behind the "=". A first part with "@" is a user. */
static struct folder *parse_place(struct sandbox *s, const char *text, const char **rest,
                                  struct error *e)
{
    const char *eq = strchr(text, '=');
    if (!eq || s->model.count == 0) {
        error_set(e, ERROR_LOCAL, "%s: write [USER/]FOLDER=…", text);
        return NULL;
    }
    char *place = xstrndup(text, (size_t)(eq - text));
    char *slash = strchr(place, '/'), *at = strchr(place, '@');
    struct mailbox *b = s->model.mailboxes[0];
    const char *path = place;
    if (slash && at && at < slash) {
        *slash = '\0';
        b = model_add_mailbox(&s->model, place);
        path = slash + 1;
    }
    struct folder *f = mailbox_folder_path(b, path);
    if (!f)
        error_set(e, ERROR_LOCAL, "%s: the folder's name is empty or too long", text);
    free(place);
    *rest = eq + 1;
    return f;
}

static bool load(struct sandbox *s, const char *text, struct error *e)
{
    const char *path = NULL;
    struct folder *f = parse_place(s, text, &path, e);
    return f && loader_load(f, path, e);
}

static bool generate(struct sandbox *s, const char *text, struct error *e)
{
    const char *rest = NULL;
    struct folder *f = parse_place(s, text, &rest, e);
    if (!f)
        return false;
    char *end;
    errno = 0;
    unsigned long count = strtoul(rest, &end, 10);
    unsigned long size = *end == ',' ? strtoul(end + 1, &end, 10) : 0;
    if (errno || end == rest || *end || count > GENERATE_MAX ||
        (size && (size < GENERATED_SIZE_MIN || size > GENERATED_SIZE_MAX)))
        return error_set(e, ERROR_LOCAL,
                         "--generate %s: write FOLDER=N or FOLDER=N,SIZE with up to %d messages of "
                         "%zu to %zu bytes",
                         text, GENERATE_MAX, GENERATED_SIZE_MIN, GENERATED_SIZE_MAX);
    return generator_fill(f, count, size, GENERATED_NEWEST_MS) ||
           error_set(e, ERROR_QUOTA, "--generate %s: the mailbox is full", text);
}

static bool set_tls_fault(const char *name, struct options *o, struct error *e)
{
    static const struct {
        const char *name;
        enum tls_fault fault;
    } faults[] = {
        {"expired", TLS_EXPIRED}, {"wrong-host", TLS_WRONG_HOST}, {"self-signed", TLS_SELF_SIGNED}};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(faults[i].name, name) == 0) {
            o->tls_fault = faults[i].fault;
            return true;
        }
    }
    return error_set(e, ERROR_LOCAL, "--bad-tls %s: write expired, wrong-host or self-signed",
                     name);
}

static void replace(char **field, const char *value)
{
    free(*field);
    *field = xstrdup(value);
}

/* All but --load and --generate, which need the mailboxes. */
static bool take_option(int option, struct options *o, struct sandbox *s, struct error *e)
{
    switch (option) {
    case OPT_LISTEN:
        return parse_address(optarg, &o->listen, e);
    case OPT_UPLOAD:
        return parse_address(optarg, &o->upload, e);
    case OPT_IMDS:
        return parse_address(optarg, &o->imds, e);
    case OPT_CONTROL:
        return parse_address(optarg, &o->control, e);
    case OPT_DIR:
        o->dir = optarg;
        return true;
    case OPT_USER:
        model_add_mailbox(&s->model, optarg);
        return true;
    case OPT_TENANT:
        token_issuer_set_tenant(&s->tokens, optarg);
        return true;
    case OPT_CLIENT_ID:
        replace(&s->tokens.client_id, optarg);
        return true;
    case OPT_CLIENT_SECRET:
        replace(&s->tokens.client_secret, optarg);
        return true;
    case OPT_CLIENT_CERTIFICATE:
        return read_certificate(optarg, s, e);
    case OPT_LATENCY:
        return set_setting(s, "latency-ms", optarg, e);
    case OPT_TOKEN_LIFE:
        return set_setting(s, "token-life", optarg, e);
    case OPT_SET:
        return set_assignment(s, optarg, e);
    case OPT_BAD_TLS:
        return set_tls_fault(optarg, o, e);
    case 'h':
        o->help = true;
        return true;
    case 'V':
        o->version = true;
        return true;
    case OPT_LOAD:
    case OPT_GENERATE:
        return true;
    default:
        return error_set(e, ERROR_LOCAL, "unknown option or missing value; see --help");
    }
}

static bool fill_mailboxes(int argc, char **argv, struct sandbox *s, struct error *e)
{
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
        if (option == OPT_LOAD && !load(s, optarg, e))
            return false;
        if (option == OPT_GENERATE && !generate(s, optarg, e))
            return false;
    }
    return true;
}

bool options_parse(int argc, char **argv, struct options *o, struct sandbox *s, struct error *e)
{
    int option;
    memset(o, 0, sizeof *o);
    parse_address("127.0.0.1:0", &o->listen, e);
    o->upload = o->imds = o->control = o->listen;
    token_issuer_set_tenant(&s->tokens, DEFAULT_TENANT);
    replace(&s->tokens.client_id, DEFAULT_CLIENT_ID);
    replace(&s->tokens.client_secret, DEFAULT_SECRET);
    while ((option = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
        if (!take_option(option, o, s, e))
            return false;
    }
    if (optind < argc)
        return error_set(e, ERROR_LOCAL, "%s: unexpected argument; see --help", argv[optind]);
    if (o->help || o->version)
        return true;
    if (s->model.count == 0)
        model_add_mailbox(&s->model, DEFAULT_USER);
    return fill_mailboxes(argc, argv, s, e);
}
