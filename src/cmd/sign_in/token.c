/* postern token: the stored sign-ins, looked at, taken away, encrypted anew. */
#include "cmd.h"
#include "control/control.h"
#include "doctor/powershell.h"
#include "login_target.h"
#include "service/process.h"
#include "token_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>

#define SCRIPT_MAX 2048

static const char usage[] =
    "usage: postern token [-c FILE] list [--json]\n"
    "       postern token [-c FILE] revoke [--tenant NAME] MAILBOX\n"
    "       postern token [-c FILE] rotate-key\n"
    "The sign-ins that postern login stored: shows them without their secrets; removes one;\n"
    "encrypts all with a new key.\n";

struct token {
    const struct config *config;
    struct store_vault *vault;
    const char *tenant; /* of --tenant; NULL */
    const char *name;   /* whose is to be revoked */
    bool json;
};

static int fail(const struct error *e, int code)
{
    fprintf(stderr, "postern token: %s\n", e->text);
    return code;
}

static int list(struct token *t)
{
    struct error e = ERROR_INIT;
    struct token_list found = {0};
    int code = EX_OK;
    if (!token_list_read(t->config, t->vault, &found, &e))
        code = fail(&e, EX_NOINPUT);
    else if (t->json)
        token_list_print_json(&found, stdout);
    else
        token_list_print(&found, stdout);
    token_list_free(&found);
    return code;
}

/* One stored under this name, whether the configuration still has it or not. */
static bool find_stored(const struct token *t, const struct token_list *all,
                        const struct token_row **out, struct error *e)
{
    *out = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct token_row *row = &all->rows[i];
        if (strcasecmp(row->account, t->name) != 0 ||
            (t->tenant && strcmp(row->tenant, t->tenant) != 0))
            continue;
        if (*out)
            return error_set(e, ERROR_REQUEST,
                             "%s is signed in for tenant \"%s\" and for tenant \"%s\"; say which: "
                             "--tenant NAME",
                             t->name, (*out)->tenant, row->tenant);
        *out = row;
    }
    return true;
}

static void tell_service(const struct token *t, const char *tenant, const char *account)
{
    const char *request[] = {"sign-in-changed", tenant, account, NULL};
    struct error e = ERROR_INIT;
    switch (control_ask(t->config->state_dir, request, NULL, &e)) {
    case CONTROL_ANSWERED:
        puts("The running postern serve has forgotten its token too.");
        break;
    case CONTROL_NO_SERVICE:
        break;
    case CONTROL_FAILED:
        fprintf(stderr, "postern token: it is removed, but %s\n", e.text);
        break;
    }
}

static void tell_what_is_left(const char *user)
{
    struct buf script = BUF_INIT(SCRIPT_MAX);
    buf_puts(&script, "    Connect-MgGraph -Scopes User.RevokeSessions.All\n"
                      "    Revoke-MgUserSignInSession -UserId ");
    powershell_quote(&script, user);
    printf("A copy that somebody took before still works at Microsoft. To end that too, for all "
           "apps\nof this person: Microsoft Entra admin center, Users, Revoke sessions; or in "
           "PowerShell:\n%s\n",
           buf_str(&script));
    buf_free(&script);
}

static int revoke(struct token *t)
{
    struct error e = ERROR_INIT;
    struct token_list all = {0};
    const struct token_row *row = NULL;
    struct login_target target;
    int code = EX_NOUSER;
    bool known = token_list_read(t->config, t->vault, &all, &e) && find_stored(t, &all, &row, &e);
    const char *tenant = row ? row->tenant : NULL, *account = row ? row->account : NULL;
    if (known && !row && login_target_find(t->config, t->name, t->tenant, &target, &e)) {
        tenant = target.tenant->name;
        account = target.account;
    }
    if (!account) {
        fail(&e, code);
    } else if (!store_vault_remove(t->vault, tenant, account, &e)) {
        code = fail(&e, e.kind == ERROR_GONE ? EX_NOUSER : EX_CANTCREAT);
    } else {
        printf("The sign-in of %s for tenant \"%s\" is removed from this machine.\n", account,
               tenant);
        tell_service(t, tenant, account);
        tell_what_is_left(row && row->user ? row->user : account);
        code = EX_OK;
    }
    token_list_free(&all);
    return code;
}

static bool same_file(const char *a, const char *b)
{
    struct stat one, two;
    return strcmp(a, b) == 0 || (stat(a, &one) == 0 && stat(b, &two) == 0 &&
                                 one.st_dev == two.st_dev && one.st_ino == two.st_ino);
}

/* A running service that reads its key elsewhere would not see the new one. */
static bool service_sees_key(const struct token *t, struct error *e)
{
    const char *request[] = {"status", NULL}, *ours = store_vault_key_path(t->vault);
    struct json_object *status = NULL, *key;
    enum control_outcome outcome = control_ask(t->config->state_dir, request, &status, e);
    bool ok = outcome == CONTROL_NO_SERVICE;
    if (outcome == CONTROL_ANSWERED) {
        json_object_object_get_ex(status, "key_file", &key);
        const char *theirs = key ? json_object_get_string(key) : "";
        ok = same_file(ours, theirs) ||
             error_set(e, ERROR_CONFLICT,
                       "the running postern serve reads its key from %s, not from %s, and would "
                       "not see the new one; stop it, change the key, start it again",
                       theirs, ours);
    }
    json_object_put(status);
    return ok;
}

static int rotate_key(struct token *t)
{
    struct error e = ERROR_INIT;
    if (!service_sees_key(t, &e))
        return fail(&e, EX_UNAVAILABLE);
    if (!store_vault_rotate_key(t->vault, &e))
        return fail(&e, EX_CANTCREAT);
    printf("%s holds a new key, and every stored sign-in is encrypted with it.\n"
           "Backups of the old key open backups of the old sign-ins; remove both.\n",
           store_vault_key_path(t->vault));
    return EX_OK;
}

/* The action, and whether it has what it needs. */
static int (*choose(const struct cmd_arguments *a, const struct token *t))(struct token *)
{
    static const struct {
        const char *name;
        int names;
        int (*run)(struct token *t);
    } actions[] = {{"list", 0, list}, {"revoke", 1, revoke}, {"rotate-key", 0, rotate_key}};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(actions[i].name, a->rest[0]) != 0)
            continue;
        bool fits = a->count - 1 == actions[i].names && (!t->tenant || actions[i].run == revoke) &&
                    (!t->json || actions[i].run == list);
        return fits ? actions[i].run : NULL;
    }
    return NULL;
}

int cmd_token(int argc, char **argv)
{
    struct cmd_arguments arguments;
    struct error e = ERROR_INIT;
    struct token t = {0};
    const struct cmd_option options[] = {
        {"json", &t.json, NULL}, {"tenant", NULL, &t.tenant}, {NULL, NULL, NULL}};
    enum cmd_parsed parsed = cmd_parse_options(argc, argv, usage, options, 1, 2, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    int (*run)(struct token *) = choose(&arguments, &t);
    if (!run) {
        fprintf(stderr, "postern token: '%s' is unknown, or its arguments do not fit\n",
                arguments.rest[0]);
        fputs(usage, stderr);
        return EX_USAGE;
    }
    process_harden();
    struct config *config = cmd_load_config(arguments.config);
    if (!config)
        return EX_CONFIG;
    t.config = config;
    t.name = arguments.count > 1 ? arguments.rest[1] : NULL;
    t.vault = store_vault_open(config->state_dir, config->key_file, config->path, false, &e);
    int code = t.vault ? run(&t) : fail(&e, EX_NOINPUT);
    store_vault_close(&t.vault);
    config_unref(&config);
    return code;
}
