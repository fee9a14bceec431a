/*
 * postern-sandbox: an offline stand-in for Microsoft Graph mail and the Entra ID token endpoint,
 * for `postern demo`, for tests and for people who want to look. Loopback only.
 */
#include "config.h"

#include "http.h"
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

/* The one line that tells a script where everything is. */
static void announce(const struct sandbox *s, const struct options *o, const char *ca_file,
                     unsigned port, unsigned control_port)
{
    char *url = xasprintf("https://%s:%u", host_of(&o->listen), port);
    char *control = xasprintf("http://%s:%u", host_of(&o->control), control_port);
    struct json_object *line = json_object_new_object();
    json_object_object_add(line, "graph_url", json_object_new_string(url));
    json_object_object_add(line, "login_url", json_object_new_string(url));
    json_object_object_add(line, "ca_file", json_object_new_string(ca_file));
    json_object_object_add(line, "control_url", json_object_new_string(control));
    json_object_object_add(line, "tenant_id", json_object_new_string(s->tokens.tenant));
    json_object_object_add(line, "client_id", json_object_new_string(s->tokens.client_id));
    json_object_object_add(line, "client_secret", json_object_new_string(s->tokens.client_secret));
    puts(json_object_to_json_string_ext(line,
                                        JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    fflush(stdout);
    json_object_put(line);
    free(url);
    free(control);
}

static bool serve(struct sandbox *s, const struct options *o, const sigset_t *signals,
                  struct error *e)
{
    struct tls_identity identity;
    struct ca_file ca = {0};
    struct http_server *graph = NULL, *upload = NULL, *control = NULL;
    if (!tls_make_identity(o->tls_fault, &identity, e))
        return false;
    bool ok = write_ca(o->dir, identity.ca_pem, &ca, e);
    if (ok)
        graph = http_start(s, HTTP_GRAPH, (const struct sockaddr *)&o->listen, &identity, e);
    if (graph)
        upload = http_start(s, HTTP_UPLOAD, (const struct sockaddr *)&o->upload, &identity, e);
    if (upload)
        control = http_start(s, HTTP_CONTROL, (const struct sockaddr *)&o->control, NULL, e);
    ok = graph && upload && control;
    if (ok) {
        int signal_number;
        pthread_mutex_lock(&s->lock);
        s->upload_origin = xasprintf("https://%s:%u", host_of(&o->upload), http_port(upload));
        pthread_mutex_unlock(&s->lock);
        announce(s, o, ca.path, http_port(graph), http_port(control));
        sigwait(signals, &signal_number);
    }
    sandbox_stop(s);
    http_stop(control);
    http_stop(upload);
    http_stop(graph);
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
