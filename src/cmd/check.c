#include "cmd.h"
#include "service/identity.h"
#include "sign_in/login_target.h"
#include "weak.h"

#include "postern/base/alloc.h"
#include "postern/graph/client.h"
#include "postern/session/tls.h"
#include "postern/store/vault.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static const char usage[] =
    "usage: postern check [-c FILE]\n"
    "Reads the configuration and the files that it names, asks nobody, and names each fault\n"
    "with file and line.\n";

static void print_count(size_t count, const char *what, const char *after)
{
    printf("%zu %s%s%s", count, what, count == 1 ? "" : "s", after);
}

/* Certificates and keys as `serve` would take them: all that libraries alone can tell. */
static bool check_listeners(const char *path, const struct config *c)
{
    for (size_t i = 0; i < c->listener_count; i++) {
        const struct config_listener *l = &c->listeners[i];
        struct error e = ERROR_INIT;
        struct session_tls *tls = l->tls == TLS_NONE ? NULL : session_tls_new(&c->tls, l, &e);
        if (l->tls != TLS_NONE && !tls) {
            fprintf(stderr, "%s:%d: listener \"%s\": %s\n", path, l->line, l->name, e.text);
            return false;
        }
        session_tls_unref(&tls);
    }
    return true;
}

static bool check_tenants(const char *path, const struct config *c)
{
    static const struct graph_settings settings = {0};
    struct error e = ERROR_INIT;
    struct graph_client *graph = graph_client_start(&settings, &e);
    bool ok = graph && graph_client_configure(graph, c, &e);
    if (!ok)
        fprintf(stderr, "%s: %s\n", path, e.text);
    if (graph)
        graph_client_stop(&graph);
    return ok;
}

static void print_unreadable(void *arg, const char *file, const char *user)
{
    const struct cmd_arguments *arguments = arg;
    char *text = xasprintf("%s cannot be read by user \"%s\": a reload will fail; give that user "
                           "or its group the right to read it",
                           file, user);
    cmd_print_warning(NULL, arguments->config, 0, text);
    free(text);
}

/* The stored sign-ins as the service would find them. */
struct sign_in_check {
    const char *path;
    struct store_vault *vault;
};

static void check_sign_in(void *arg, const struct login_target *target,
                          const struct config_login *login)
{
    const struct sign_in_check *check = arg;
    const struct sign_in_vault *f = store_vault_functions(check->vault);
    const char *account = target->account;
    struct sign_in s = {0};
    struct error e = ERROR_INIT;
    char *text = NULL;
    if (!f->load(f->arg, target->tenant->name, account, &s, &e))
        text = xstrdup(e.text);
    else if (s.ended)
        text = xasprintf("%s must sign in again (%s); run: postern login %s", account, s.ended,
                         account);
    else if (!s.refresh_token)
        text = xasprintf("%s has not signed in to Microsoft 365 yet; run: postern login %s",
                         account, account);
    if (text)
        cmd_print_warning(NULL, check->path, login->line, text);
    free(text);
    sign_in_clear(&s);
}

/* A key that is missing is made by the first login. */
static void check_sign_ins(const char *path, const struct config *c)
{
    struct error e = ERROR_INIT;
    struct sign_in_check check = {path, NULL};
    check.vault = store_vault_open(c->state_dir, c->key_file, c->path, false, &e);
    if (access(store_vault_key_path(check.vault), F_OK) == 0 &&
        !store_vault_check_key(check.vault, &e))
        cmd_print_warning(NULL, path, 0, e.text);
    else
        login_target_each(c, check_sign_in, &check);
    store_vault_close(&check.vault);
}

/* Whom root's service becomes; what that user can read shows to root only. */
static bool check_identity(const struct cmd_arguments *arguments, const struct config *c)
{
    struct identity id;
    struct error e = ERROR_INIT;
    if (!identity_find(c, &id, &e)) {
        fprintf(stderr, "%s: %s\n", arguments->config, e.text);
        return false;
    }
    identity_each_unreadable(&id, c, print_unreadable, (void *)arguments);
    if (identity_assume(&id, &e)) {
        check_sign_ins(arguments->config, c);
        identity_resume(&id);
    }
    return true;
}

static void print_weakness(void *arg, int line, const char *text)
{
    const struct cmd_arguments *arguments = arg;
    cmd_print_warning(NULL, arguments->config, line, text);
}

int cmd_check(int argc, char **argv)
{
    struct cmd_arguments arguments;
    enum cmd_parsed parsed = cmd_parse(argc, argv, usage, 0, 0, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    struct config *config = cmd_load_config(arguments.config);
    if (!config)
        return EX_CONFIG;
    bool serves = check_listeners(arguments.config, config);
    serves &= check_identity(&arguments, config);
    if (!check_tenants(arguments.config, config) || !serves) {
        config_unref(&config);
        return EX_CONFIG;
    }
    weak_each(config, print_weakness, &arguments);
    printf("%s: good: ", arguments.config);
    print_count(config->tenant_count, "tenant", ", ");
    print_count(config->listener_count, "listener", ", ");
    print_count(config->login_count, "login", "\n");
    config_unref(&config);
    return EX_OK;
}
