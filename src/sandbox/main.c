/*
 * postern-sandbox: an offline stand-in for Microsoft Graph mail and the Entra ID token endpoint,
 * for `postern demo`, for tests and for people who want to look. Loopback only.
 */
#include "config.h"

#include "http.h"
#include "imds.h"
#include "options.h"

#include "postern/base/alloc.h"
#include "postern/base/file.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Where ca.pem lies while the sandbox runs. */
struct ca_file {
    char *dir; /* NULL: not ours to remove */
    char *path;
};

static bool write_ca(const char *dir, const char *pem, struct ca_file *ca, struct error *e)
{
    char *made = NULL;
    if (!dir) {
        const char *tmp = getenv("TMPDIR");
        made = xasprintf("%s/postern-sandbox.XXXXXX", tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(made)) {
            error_set(e, ERROR_LOCAL, "%s: no temporary directory can be made; use --dir", made);
            free(made);
            return false;
        }
        dir = made;
    } else if (!file_make_private_dir(dir, e)) {
        return false;
    }
    ca->dir = made;
    ca->path = xasprintf("%s/ca.pem", dir);
    return file_write_private(ca->path, pem, strlen(pem), e);
}

static void remove_ca(struct ca_file *ca)
{
    if (ca->path)
        unlink(ca->path);
    if (ca->dir)
        rmdir(ca->dir);
    free(ca->dir);
    free(ca->path);
}

static const char *host_of(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? "[::1]" : "127.0.0.1";
}

static void add_text(struct json_object *o, const char *name, const char *value)
{
    json_object_object_add(o, name, json_object_new_string(value));
}

static struct json_object *identities_json(const struct sandbox *s)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < IMDS_IDENTITIES; i++) {
        struct imds_identity identity;
        struct json_object *one = json_object_new_object();
        imds_identity(&s->tokens, i, &identity);
        add_text(one, "client_id", identity.client_id);
        add_text(one, "object_id", identity.object_id);
        add_text(one, "msi_res_id", identity.resource_id);
        json_object_array_add(list, one);
    }
    return list;
}

struct servers {
    struct http_server *graph, *upload, *imds, *control;
};

/* The one line that tells a script where everything is. */
static void announce(const struct sandbox *s, const struct options *o, const char *ca_file,
                     const struct servers *servers)
{
    char *imds = xasprintf("http://%s:%u", host_of(&o->imds), http_port(servers->imds));
    char *control = xasprintf("http://%s:%u", host_of(&o->control), http_port(servers->control));
    struct json_object *line = json_object_new_object();
    add_text(line, "graph_url", s->graph_origin);
    add_text(line, "login_url", s->graph_origin);
    add_text(line, "imds_url", imds);
    add_text(line, "ca_file", ca_file);
    add_text(line, "control_url", control);
    add_text(line, "tenant_id", s->tokens.tenant);
    add_text(line, "tenant_guid", s->tokens.tenant_guid);
    add_text(line, "client_id", s->tokens.client_id);
    add_text(line, "client_secret", s->tokens.client_secret);
    add_text(line, "password", ACCOUNT_PASSWORD);
    json_object_object_add(line, "managed_identities", identities_json(s));
    puts(json_object_to_json_string_ext(line,
                                        JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    fflush(stdout);
    json_object_put(line);
    free(imds);
    free(control);
}

static bool start(struct sandbox *s, const struct options *o, const struct tls_identity *identity,
                  struct servers *out, struct error *e)
{
    const struct {
        enum http_role role;
        const struct sockaddr_storage *address;
        const struct tls_identity *identity;
        struct http_server **server;
    } wanted[] = {{HTTP_GRAPH, &o->listen, identity, &out->graph},
                  {HTTP_UPLOAD, &o->upload, identity, &out->upload},
                  {HTTP_IMDS, &o->imds, NULL, &out->imds},
                  {HTTP_CONTROL, &o->control, NULL, &out->control}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        *wanted[i].server = http_start(
            s, wanted[i].role, (const struct sockaddr *)wanted[i].address, wanted[i].identity, e);
        if (!*wanted[i].server)
            return false;
    }
    pthread_mutex_lock(&s->lock);
    s->graph_origin = xasprintf("https://%s:%u", host_of(&o->listen), http_port(out->graph));
    s->upload_origin = xasprintf("https://%s:%u", host_of(&o->upload), http_port(out->upload));
    pthread_mutex_unlock(&s->lock);
    return true;
}

static bool serve(struct sandbox *s, const struct options *o, const sigset_t *signals,
                  struct error *e)
{
    struct tls_identity identity;
    struct ca_file ca = {0};
    struct servers servers = {0};
    if (!tls_make_identity(o->tls_fault, &identity, e))
        return false;
    bool ok = write_ca(o->dir, identity.ca_pem, &ca, e) && start(s, o, &identity, &servers, e);
    if (ok) {
        int signal_number;
        announce(s, o, ca.path, &servers);
        sigwait(signals, &signal_number);
    }
    sandbox_stop(s);
    http_stop(servers.control);
    http_stop(servers.imds);
    http_stop(servers.upload);
    http_stop(servers.graph);
    remove_ca(&ca);
    tls_identity_free(&identity);
    return ok;
}

int main(int argc, char **argv)
{
    static struct sandbox s;
    struct options o;
    struct error e = ERROR_INIT;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    sandbox_init(&s);
    int status = EX_OK;
    if (!options_parse(argc, argv, &o, &s, &e))
        status = EX_USAGE;
    else if (o.help)
        options_usage();
    else if (o.version)
        puts("postern-sandbox " PACKAGE_VERSION);
    else if (!serve(&s, &o, &signals, &e))
        status = EX_UNAVAILABLE;
    if (status != EX_OK)
        fprintf(stderr, "postern-sandbox: %s\n", e.text);
    sandbox_free(&s);
    return status;
}
