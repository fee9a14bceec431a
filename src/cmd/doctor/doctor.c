/*
 * postern doctor: every step from the configuration to a fetched message, in order, each with what
 * to do where it fails.
 */
#include "doctor.h"

#include "cmd.h"
#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "powershell.h"
#include "service/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* All of it: what is not done by then is told as not tried. */
#define DOCTOR_MS     (300 * (int64_t)CLOCK_SECOND)
#define SCRIPT_MAX    ((size_t)16 << 20)
#define ARGUMENTS_MAX 10000

static const char usage[] =
    "usage: postern doctor [-c FILE] [--json] [--no-write] [LOGIN ...]\n"
    "       postern doctor [-c FILE] --powershell\n"
    "Takes every step from the configuration to a fetched message, for all logins or those named,\n"
    "and says of each whether it works and what to do if not.\n"
    "\n"
    "  --json        the same as JSON\n"
    "  --no-write    does not try whether mailboxes may be changed (the try sets a property of\n"
    "                Inbox that nobody sees)\n"
    "  --powershell  asks nobody; prints, for each tenant, the PowerShell that gives Postern the\n"
    "                rights which the configuration needs, and takes away those that reach "
    "further\n";

/* Line 0 is the file as a whole. */
static void add_remark(struct steps *s, enum step_state state, const char *file, int line,
                       const char *text)
{
    if (line > 0)
        steps_add(s, state, "config", "%s:%d: %s", file, line, text);
    else
        steps_add(s, state, "config", "%s: %s", file, text);
}

static void add_fault(void *arg, const char *file, int line, const char *text)
{
    struct steps *s = arg;
    add_remark(s, STEP_FAIL, file, line, text);
    steps_fix(s, "correct it; postern check tells when it is good");
}

static void add_warning(void *arg, const char *file, int line, const char *text)
{
    add_remark(arg, STEP_WARN, file, line, text);
}

static struct config *read_config(struct steps *s, const char *path)
{
    struct config *c = config_load(path, add_fault, add_warning, s);
    if (c)
        steps_add(s, STEP_OK, "config", "%s: %zu tenant%s, %zu listener%s, %zu login%s", path,
                  c->tenant_count, c->tenant_count == 1 ? "" : "s", c->listener_count,
                  c->listener_count == 1 ? "" : "s", c->login_count,
                  c->login_count == 1 ? "" : "s");
    return c;
}

static bool is_named(const char *login, char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], login) == 0)
            return true;
    }
    return count == 0;
}

static bool all_exist(struct steps *s, const struct config *c, char *const *names, int count)
{
    bool all = true;
    for (int i = 0; i < count; i++) {
        if (config_find_login(c, names[i]))
            continue;
        steps_add(s, STEP_FAIL, "logins", "there is no login \"%s\" in %s", names[i], c->path);
        all = false;
    }
    return all;
}

static bool is_time_up(const struct doctor *d)
{
    return clock_mono_ms() >= d->asking.end_ms;
}

static void look_at_tenant(struct doctor *d, const struct config_tenant *t, char *const *names,
                           int count)
{
    size_t needed;
    struct need *needs = need_all(d->config, t, &needed);
    bool wanted = false;
    for (size_t i = 0; i < needed; i++)
        wanted = wanted || is_named(needs[i].login->name, names, count);
    if (count > 0 && !wanted) {
        free(needs);
        return;
    }
    steps_subject(d->steps, "tenant \"%s\"", t->name);
    bool good = !is_time_up(d);
    if (good)
        good = doctor_tenant(d, t);
    else
        steps_add(d->steps, STEP_SKIP, "servers", "not tried, the time is up");
    if (!needed)
        steps_add(d->steps, STEP_NOTE, "logins", "no login uses this tenant");
    for (size_t i = 0; i < needed; i++) {
        const struct need *n = &needs[i];
        if (!is_named(n->login->name, names, count))
            continue;
        steps_subject(d->steps, "login \"%s\"", n->login->name);
        if (!good)
            steps_add(d->steps, STEP_SKIP, "mailbox", "%s: not tried, see the tenant above",
                      n->mailbox);
        else if (is_time_up(d))
            steps_add(d->steps, STEP_SKIP, "mailbox",
                      "%s: not tried, the time is up; name the logins that matter", n->mailbox);
        else
            doctor_mailbox(d, n);
    }
    free(needs);
}

static void examine(struct doctor *d, char *const *names, int count)
{
    struct error e = ERROR_INIT;
    doctor_files(d);
    bool served = doctor_state(d);
    doctor_listeners(d, served);
    doctor_proxies(d);
    if (!asking_open(&d->asking, d->config, d->config->limits.max_message_size, &e)) {
        steps_add(d->steps, STEP_FAIL, "credentials", "%s", e.text);
        steps_fix(d->steps, "correct that file, or run this as the user that runs postern serve");
    } else {
        d->asking.end_ms = clock_mono_ms() + DOCTOR_MS;
        for (size_t i = 0; i < d->config->tenant_count; i++)
            look_at_tenant(d, &d->config->tenants[i], names, count);
    }
    asking_close(&d->asking);
    free(d->identities);
    free(d->tried);
}

static int print_powershell(const char *path)
{
    struct config *c = cmd_load_config(path);
    if (!c)
        return EX_CONFIG;
    struct buf script = BUF_INIT(SCRIPT_MAX);
    for (size_t i = 0; i < c->tenant_count; i++) {
        if (i)
            buf_putc(&script, '\n');
        powershell_tenant(c, &c->tenants[i], &script);
    }
    fputs(buf_str(&script), stdout);
    buf_free(&script);
    config_unref(&c);
    return EX_OK;
}

int cmd_doctor(int argc, char **argv)
{
    bool json = false, powershell = false, no_write = false;
    const struct cmd_option options[] = {{"json", &json, NULL},
                                         {"powershell", &powershell, NULL},
                                         {"no-write", &no_write, NULL},
                                         {NULL, NULL, NULL}};
    struct cmd_arguments arguments;
    enum cmd_parsed parsed =
        cmd_parse_options(argc, argv, usage, options, 0, ARGUMENTS_MAX, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    if (powershell)
        return print_powershell(arguments.config);
    process_harden();
    struct doctor d = {.steps = steps_new(json), .try_writing = !no_write};
    struct config *config = read_config(d.steps, arguments.config);
    int code = EX_CONFIG;
    d.config = config;
    if (config && !all_exist(d.steps, config, arguments.rest, arguments.count)) {
        code = EX_USAGE;
    } else if (config) {
        examine(&d, arguments.rest, arguments.count);
        code = steps_count(d.steps, STEP_FAIL) ? EX_UNAVAILABLE : EX_OK;
    }
    steps_end(&d.steps);
    config_unref(&config);
    return code;
}
