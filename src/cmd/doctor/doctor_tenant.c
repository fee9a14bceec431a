/* One tenant: the names of its servers, the way to them, the clock, the credential. */
#include "doctor.h"

#include "postern/base/clock.h"
#include "postern/graph/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define RESOLVE_MS ((int64_t)8000)
#define LOOK_MS    ((int64_t)12000)
/* Entra ID takes an assertion whose times are off by about five minutes. */
#define SKEW_MS ((int64_t)5 * 60 * CLOCK_SECOND)
#define URL_MAX ((size_t)2048)

static bool look_at_name(struct doctor *d, const char *url)
{
    struct buf addresses = BUF_INIT(URL_MAX);
    struct error e = ERROR_INIT;
    const char *host = url + strlen("https://");
    int len = (int)(*host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":"));
    bool proxied = doctor_proxy() != NULL; /* a proxy resolves names itself */
    bool ok = graph_route_resolve(url, RESOLVE_MS, &addresses, &e);
    if (ok) {
        steps_add(d->steps, STEP_OK, "dns", "%.*s is %s", len, host, buf_str(&addresses));
    } else {
        steps_add(d->steps, proxied ? STEP_NOTE : STEP_FAIL, "dns", "%.*s has no address here: %s",
                  len, host, e.text);
        steps_fix(d->steps, "%s",
                  proxied ? ""
                          : "check /etc/resolv.conf and the network; where only a proxy knows "
                            "the way out, set HTTPS_PROXY for the service");
    }
    buf_free(&addresses);
    return ok || proxied;
}

static void add_connection(struct doctor *d, const struct config_tenant *t, const char *host,
                           const struct graph_sight *sight, const struct error *failed)
{
    if (failed && sight->distrusted && sight->issuer[0]) {
        steps_add(d->steps, STEP_FAIL, "connection", "%s: the certificate is from \"%s\": %s", host,
                  sight->issuer, failed->text);
        steps_fix(d->steps,
                  "if the clock is right, a proxy inspects TLS: name the file of its CA in "
                  "ca-file of the tenant; if there is none, somebody else listens in");
    } else if (failed) {
        steps_add(d->steps, STEP_FAIL, "connection", "%s: %s", host, failed->text);
    } else {
        steps_add(d->steps, STEP_OK, "connection", "%s: %s, certificate from \"%s\"%s", host,
                  sight->tls[0] ? sight->tls : "TLS", sight->issuer,
                  t->ca_file ? " (ca-file counts beside the system's anchors)" : "");
    }
}

static void look_at_clock(struct doctor *d, const struct config_tenant *t,
                          const struct graph_sight *sight)
{
    if (sight->date_ms == INT64_MIN)
        return;
    int64_t ahead = sight->asked_ms - sight->date_ms;
    long long seconds = (ahead < 0 ? -ahead : ahead) / CLOCK_SECOND;
    if (ahead <= SKEW_MS && ahead >= -SKEW_MS) {
        steps_add(d->steps, STEP_OK, "clock", "%lld seconds off %s", seconds,
                  t->login_url + strlen("https://"));
        return;
    }
    /* A signed assertion bears our time; the other flows live with a wrong clock. */
    steps_add(d->steps, t->certificate ? STEP_FAIL : STEP_WARN, "clock",
              "this machine is %lld minutes %s %s%s", seconds / 60,
              ahead > 0 ? "ahead of" : "behind", t->login_url + strlen("https://"),
              t->certificate ? ": Entra ID refuses what it signs" : "");
    steps_fix(d->steps, "set the clock, best by NTP (timedatectl set-ntp true)");
}

/* The public description of the tenant: the server's clock comes with it, and its absence tells
 * that there is no such tenant here. */
static bool look_at_login_server(struct doctor *d, const struct config_tenant *t)
{
    struct graph_sight sight = {.date_ms = INT64_MIN};
    struct error e = ERROR_INIT;
    struct buf url = BUF_INIT(URL_MAX);
    buf_printf(&url, "%s/%s/v2.0/.well-known/openid-configuration", t->login_url, t->tenant_id);
    bool ok = graph_route_look(d->asking.graph, t->name, buf_str(&url), true, LOOK_MS, &sight, &e);
    add_connection(d, t, t->login_url + strlen("https://"), &sight, ok ? NULL : &e);
    buf_free(&url);
    if (!ok)
        return false;
    look_at_clock(d, t, &sight);
    if (sight.body.kind != ERROR_SIGN_IN)
        return true;
    steps_add(d->steps, STEP_FAIL, "tenant-id", "%s: %s", t->tenant_id, sight.body.text);
    steps_fix(d->steps, "check tenant-id, and cloud: the tenant may live in a national cloud");
    return false;
}

static bool look_at_graph(struct doctor *d, const struct config_tenant *t)
{
    struct graph_sight sight = {.date_ms = INT64_MIN};
    struct error e = ERROR_INIT;
    bool ok = graph_route_look(d->asking.graph, t->name, t->graph_url, false, LOOK_MS, &sight, &e);
    add_connection(d, t, t->graph_url + strlen("https://"), &sight, ok ? NULL : &e);
    return ok;
}

/* The token that another issuer wrote: it is renewed in place, so one that stays old is dead. */
static void look_at_federated_token(struct doctor *d, const struct config_tenant *t)
{
    const char *path =
        t->federated_token_file ? t->federated_token_file : getenv("AZURE_FEDERATED_TOKEN_FILE");
    struct stat st;
    if (!path || !*path) {
        steps_add(d->steps, STEP_FAIL, "credential", "there is no token of the workload");
        steps_fix(d->steps, "name its file in federated-token-file, or in "
                            "AZURE_FEDERATED_TOKEN_FILE of the environment");
    } else if (stat(path, &st) < 0) {
        steps_add(d->steps, STEP_FAIL, "credential", "%s: %s", path, strerror(errno));
        steps_fix(d->steps, "mount the token of the workload there");
    } else {
        steps_add(d->steps, STEP_NOTE, "credential", "the workload's token in %s, %lld minutes old",
                  path, (long long)(clock_wall_ms() / CLOCK_SECOND - st.st_mtime) / 60);
    }
}

static void look_at_credential(struct doctor *d, const struct config_tenant *t)
{
    if (t->flow == FLOW_CLIENT_CREDENTIALS && t->certificate)
        doctor_certificate(d, "credential", t->certificate, false,
                           "make a new one, upload it to the app registration (Certificates & "
                           "secrets), then reload postern");
    else if (t->flow == FLOW_CLIENT_CREDENTIALS)
        steps_add(d->steps, STEP_NOTE, "credential",
                  "a client secret; when it expires is told only in Entra ID (Certificates & "
                  "secrets), and a certificate is never sent");
    else if (t->flow == FLOW_WORKLOAD_IDENTITY)
        look_at_federated_token(d, t);
    else if (t->flow == FLOW_MANAGED_IDENTITY)
        steps_add(d->steps, STEP_NOTE, "credential", "the managed identity of this machine, by %s",
                  t->identity_url);
}

/* Is the permission in what the tenant's sign-ins ask for? */
static void look_at_scope(struct doctor *d, const struct config_tenant *t)
{
    static const char *const all[] = {"Mail.Read", "Mail.ReadWrite", "Mail.Read.Shared",
                                      "Mail.ReadWrite.Shared"};
    size_t count;
    struct need *needs = need_all(d->config, t, &count);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        bool needed = false, asked = need_scope_has(t->scope, all[i]);
        for (size_t k = 0; k < count; k++)
            needed = needed || strcmp(need_permission(&needs[k]), all[i]) == 0;
        if (needed && !asked && !need_scope_has(t->scope, ".default")) {
            steps_add(d->steps, STEP_WARN, "scope", "a login needs %s, but scope = \"%s\"", all[i],
                      t->scope);
            steps_fix(d->steps, "add it to scope, then run postern login again");
        } else if (!needed && asked && count) {
            steps_add(d->steps, STEP_NOTE, "scope", "no login needs %s of scope = \"%s\"", all[i],
                      t->scope);
            steps_fix(d->steps, "leave it out of scope, so that a stolen sign-in opens less");
        }
    }
    free(needs);
}

bool doctor_tenant(struct doctor *d, const struct config_tenant *t)
{
    bool signs_in_there = t->flow != FLOW_MANAGED_IDENTITY;
    bool login = !signs_in_there || (look_at_name(d, t->login_url) && look_at_login_server(d, t));
    bool graph = look_at_name(d, t->graph_url) && look_at_graph(d, t);
    look_at_credential(d, t);
    if (config_flow_is_delegated(t->flow))
        look_at_scope(d, t);
    return login && graph;
}
