/* postern login: a person signs in to Microsoft 365, and the sign-in is stored for the service. */
#include "cmd.h"
#include "control/control.h"
#include "login_flow.h"
#include "service/identity.h"
#include "service/process.h"

#include "postern/base/file.h"
#include "postern/base/text.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define SHOWN_MAX 512

static const char usage[] =
    "usage: postern login [-c FILE] [--browser | --device-code] [--tenant NAME] MAILBOX\n"
    "Signs in to Microsoft 365 for MAILBOX (or an account, or the name of a login) and stores the\n"
    "sign-in, encrypted, for postern serve. It prints an address and a code, to be opened on any\n"
    "device; with --browser, a browser on this machine does it.\n"
    "  --browser       the default of tenants with flow = authorization-code\n"
    "  --device-code   the default of the others\n"
    "  --tenant NAME   where several tenants have such a login\n";

struct login {
    const struct config *config;
    struct login_target target;
    struct asking asking;
    bool by_browser;
};

/* sysexits(3): may it work when tried again, or must something be mended first? */
static int exit_code(const struct error *e)
{
    switch (e->kind) {
    case ERROR_SIGN_IN:
    case ERROR_DENIED:
        return EX_NOPERM;
    case ERROR_LOCAL:
    case ERROR_TOO_BIG:
        return EX_CANTCREAT;
    case ERROR_TIMEOUT:
    case ERROR_TEMPORARY:
    case ERROR_THROTTLED:
    case ERROR_CANCELED:
        return EX_TEMPFAIL;
    default:
        return EX_UNAVAILABLE;
    }
}

static bool store(void *arg, const struct sign_in *s, struct error *e)
{
    const struct login *l = arg;
    return store_vault_put(l->asking.vault, l->target.tenant->name, l->target.account, s, e);
}

/* What root makes here belongs to whom the service will be. */
static bool make_key(const struct config *c, struct error *e)
{
    struct identity id;
    if (!identity_find(c, &id, e) || !identity_give(&id, c, e))
        return false;
    struct store_vault *v = store_vault_open(c->state_dir, c->key_file, c->path, true, e);
    bool ok = v && store_vault_check_key(v, e);
    store_vault_close(&v);
    return ok;
}

/* Before anybody is asked to do anything: can it be stored? What is there already must be
 * readable, or it would not be replaced. */
static bool prepare(struct login *l, struct error *e)
{
    struct sign_in old = {0};
    if (!make_key(l->config, e) || !asking_open(&l->asking, l->config, 0, e))
        return false;
    const struct sign_in_vault *f = store_vault_functions(l->asking.vault);
    bool ok = f->load(f->arg, l->target.tenant->name, l->target.account, &old, e);
    sign_in_clear(&old);
    return ok;
}

static bool sign_in(struct login *l, struct sign_in *out, struct error *e)
{
    if (l->by_browser)
        return login_by_browser(&l->asking, &l->target, store, l, out, e);
    return login_by_device_code(&l->asking, &l->target, out, e) && store(l, out, e);
}

/* The state directory is not there before the first serve of a fresh installation. */
static void tell_owner(const struct login *l)
{
    struct file_owner owner;
    if (geteuid() == 0 && !l->config->user && file_owner_of(l->config->state_dir, &owner) &&
        owner.uid == 0)
        printf("Both belong to root. If postern serve runs as another user, give them to it:\n"
               "    chown -R USER: %s %s\n",
               l->config->state_dir, store_vault_key_path(l->asking.vault));
}

static void tell_service(const struct login *l)
{
    const char *request[] = {"sign-in-changed", l->target.tenant->name, l->target.account, NULL};
    struct error e = ERROR_INIT;
    switch (control_ask(l->config->state_dir, request, NULL, &e)) {
    case CONTROL_ANSWERED:
        puts("The running postern serve uses it from now on.");
        break;
    case CONTROL_NO_SERVICE:
        puts("No postern serve runs now; it will be used by the next one.");
        tell_owner(l);
        break;
    case CONTROL_FAILED:
        fprintf(stderr, "postern login: it is stored, but %s\n", e.text);
        break;
    }
}

static void tell_end(const struct login *l, const struct sign_in *s)
{
    char user[SHOWN_MAX];
    text_clean(s->user ? s->user : l->target.account, user, sizeof user);
    printf("%s is signed in for tenant \"%s\". Stored in %s, encrypted with the key in %s.\n", user,
           l->target.tenant->name, l->config->state_dir, store_vault_key_path(l->asking.vault));
    tell_service(l);
}

static int run(struct login *l)
{
    struct error e = ERROR_INIT;
    struct sign_in fresh = {0};
    bool ok = prepare(l, &e) && sign_in(l, &fresh, &e);
    if (ok)
        tell_end(l, &fresh);
    else
        fprintf(stderr, "postern login: %s\n", e.text);
    sign_in_clear(&fresh);
    asking_close(&l->asking);
    return ok ? EX_OK : exit_code(&e);
}

int cmd_login(int argc, char **argv)
{
    struct cmd_arguments arguments;
    struct error e = ERROR_INIT;
    bool browser = false, device_code = false;
    const char *tenant = NULL;
    const struct cmd_option options[] = {{"browser", &browser, NULL},
                                         {"device-code", &device_code, NULL},
                                         {"tenant", NULL, &tenant},
                                         {NULL, NULL, NULL}};
    enum cmd_parsed parsed = cmd_parse_options(argc, argv, usage, options, 1, 1, &arguments);
    if (parsed == CMD_GO_ON && browser && device_code) {
        fputs(usage, stderr);
        parsed = CMD_USAGE;
    }
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    process_harden();
    struct config *config = cmd_load_config(arguments.config);
    if (!config)
        return EX_CONFIG;
    struct login login = {.config = config, .asking.wait.event_fd = -1};
    int code = EX_NOUSER;
    if (login_target_find(config, arguments.rest[0], tenant, &login.target, &e)) {
        login.by_browser =
            browser || (!device_code && login.target.tenant->flow == FLOW_AUTHORIZATION_CODE);
        code = run(&login);
    } else {
        fprintf(stderr, "postern login: %s\n", e.text);
    }
    config_unref(&config);
    return code;
}
