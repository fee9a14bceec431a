/*
 * postern discover: which mailboxes still use POP3, IMAP4 or SMTP at Microsoft 365 itself, and
 * which of them Postern serves already.
 */
#include "asking.h"
#include "cmd.h"
#include "doctor/need.h"
#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/csv.h"
#include "postern/base/text.h"
#include "postern/graph/report.h"
#include "service/process.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#define REPORT_MAX ((size_t)128 << 20)
#define LINE_BYTES ((size_t)64 * 1024)
/* The whole of a report, from the question to its last byte. */
#define REPORT_MS ((int64_t)5 * 60 * CLOCK_SECOND)

static const char usage[] =
    "usage: postern discover [-c FILE] [--period 7|30|90|180] [--tenant NAME]\n"
    "                        [--json | --csv | --print-logins]\n"
    "Lists the mailboxes that used POP3, IMAP4 or SMTP at Microsoft 365 in so many days (30), by\n"
    "the usage report of each tenant, and says which of them a login serves already.\n"
    "\n"
    "  --json, --csv   the list for programs\n"
    "  --print-logins  login sections for those that no login serves yet\n"
    "\n"
    "Needs the permission Reports.Read.All of Microsoft Graph.\n";

struct output {
    bool json, csv, logins;
    struct json_object *list; /* of --json */
};

/* What of one mailbox is shown. */
struct finding {
    const struct config_tenant *tenant;
    const struct graph_report_row *row;
    const struct config_login *login;    /* which serves it, NULL: none */
    const char *user, *last, *refreshed; /* what comes from outside, as it may be shown */
};

/* --- which login serves a mailbox --- */

/* The mailboxes of a tenant's logins. */
struct served {
    struct need *needs;
    size_t count;
};

static const struct config_login *served_by(const struct served *s, const char *mailbox)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcasecmp(s->needs[i].mailbox, mailbox) == 0)
            return s->needs[i].login;
    }
    return NULL;
}

/* Reports have names, so a login that names its mailbox by object id cannot be found in them. */
static void warn_of_ids(const struct served *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (!strchr(s->needs[i].mailbox, '@'))
            fprintf(stderr,
                    "postern discover: login \"%s\" names its mailbox by object id, so it is not "
                    "recognised in the report\n",
                    s->needs[i].login->name);
    }
}

/* --- showing it --- */

/* "POP3, IMAP4" */
static const char *programs(const struct graph_report_row *row)
{
    static const char *const names[] = {"",     "POP3",       "IMAP4",       "POP3, IMAP4",
                                        "SMTP", "POP3, SMTP", "IMAP4, SMTP", "POP3, IMAP4, SMTP"};
    return names[(unsigned)row->pop3 + 2u * row->imap4 + 4u * row->smtp];
}

/* What comes from outside must not steer a terminal. */
static char *shown(const char *text)
{
    size_t size = strlen(text) + 1;
    char *clean = xmalloc(size);
    text_clean(text, clean, size);
    return clean;
}

static void print_row(const struct finding *f)
{
    printf("%-40s  %-17s  %-10s  ", f->user, programs(f->row), *f->last ? f->last : "-");
    if (f->login)
        printf("login \"%s\"\n", f->login->name);
    else
        puts(f->row->deleted ? "not served; the account is deleted" : "not served");
}

static void print_csv(const struct finding *f)
{
    struct buf line = BUF_INIT(LINE_BYTES);
    const char *const fields[] = {f->tenant->name,
                                  f->user,
                                  f->row->pop3 ? "yes" : "no",
                                  f->row->imap4 ? "yes" : "no",
                                  f->row->smtp ? "yes" : "no",
                                  f->last,
                                  f->row->deleted ? "yes" : "no",
                                  f->login ? f->login->name : "",
                                  f->refreshed};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (i)
            buf_putc(&line, ',');
        csv_put(&line, fields[i]);
    }
    printf("%s\r\n", buf_str(&line));
    buf_free(&line);
}

static void add_json(struct json_object *list, const struct finding *f)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "tenant", json_object_new_string(f->tenant->name));
    json_object_object_add(o, "mailbox", json_object_new_string(f->user));
    json_object_object_add(o, "pop3", json_object_new_boolean(f->row->pop3));
    json_object_object_add(o, "imap4", json_object_new_boolean(f->row->imap4));
    json_object_object_add(o, "smtp", json_object_new_boolean(f->row->smtp));
    json_object_object_add(o, "last_activity", json_object_new_string(f->last));
    json_object_object_add(o, "deleted", json_object_new_boolean(f->row->deleted));
    json_object_object_add(o, "login", f->login ? json_object_new_string(f->login->name) : NULL);
    json_object_object_add(o, "report_date", json_object_new_string(f->refreshed));
    json_object_array_add(list, o);
}

/* --- login sections --- */

/* In double quotes, where a backslash takes the meaning from what follows. */
static void put_quoted(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (; *text; text++) {
        if (strchr("\\\"$", *text))
            buf_putc(out, '\\');
        buf_putc(out, *text);
    }
    buf_putc(out, '"');
}

/* A section that lacks only its password. The client keeps the user name that it has. */
static void print_login(const struct config *c, const struct finding *f)
{
    const struct graph_report_row *row = f->row;
    struct buf out = BUF_INIT(LINE_BYTES);
    if (f->login || row->deleted || strcmp(f->user, row->user) != 0 || !strchr(row->user, '@') ||
        config_find_login(c, row->user))
        return;
    if (!row->pop3 && !row->imap4) {
        printf("# %s only sent by SMTP\n\n", row->user);
        return;
    }
    buf_puts(&out, "login ");
    put_quoted(&out, row->user);
    buf_puts(&out, " {\n    mailbox   = ");
    put_quoted(&out, row->user);
    buf_puts(&out, "\n    tenant    = ");
    put_quoted(&out, f->tenant->name);
    buf_printf(&out,
               "\n    protocols = { %s%s%s }\n"
               "    # password = …   made by: postern passwd\n"
               "}\n\n",
               row->pop3 ? "pop3" : "", row->pop3 && row->imap4 ? ", " : "",
               row->imap4 ? "imap" : "");
    fputs(buf_str(&out), stdout);
    buf_free(&out);
}

static void show(struct output *o, const struct config *c, const struct finding *f)
{
    if (o->json)
        add_json(o->list, f);
    else if (o->csv)
        print_csv(f);
    else if (o->logins)
        print_login(c, f);
    else
        print_row(f);
}

static void show_report(struct output *o, const struct config *c, const struct config_tenant *t,
                        const struct served *s, const struct graph_report *report, unsigned days)
{
    bool table = !o->json && !o->csv && !o->logins;
    size_t served = 0;
    warn_of_ids(s);
    if (report->concealed)
        fprintf(
            stderr,
            "postern discover: tenant \"%s\" conceals the names in its reports, so what follows "
            "are digests and no login can be matched; an administrator shows them in the "
            "Microsoft 365 admin center: Settings, Org settings, Services, Reports, \"Display "
            "concealed user, group, and site names in all reports\" off\n",
            t->name);
    char *refreshed = shown(report->refreshed);
    if (table)
        printf("Tenant \"%s\": %u days up to %s; the day is that of the last activity by any "
               "program.\n\n",
               t->name, days, *refreshed ? refreshed : "now");
    for (size_t i = 0; i < report->count; i++) {
        const struct graph_report_row *row = &report->rows[i];
        char *user = shown(row->user), *last = shown(row->last);
        const struct finding f = {t, row, served_by(s, row->user), user, last, refreshed};
        served += f.login != NULL;
        show(o, c, &f);
        free(user);
        free(last);
    }
    if (table)
        printf("%s%zu of %zu mailboxes used POP3, IMAP4 or SMTP; logins serve %zu of them.\n",
               report->count ? "\n" : "", report->count, report->users, served);
    free(refreshed);
}

/* --- fetching it --- */

static void print_failure(const struct config_tenant *t, const struct error *e)
{
    fprintf(stderr, "postern discover: tenant \"%s\": ", t->name);
    if (e->kind != ERROR_DENIED && e->status != 401) {
        fprintf(stderr, "%s\n", e->text);
        return;
    }
    fprintf(
        stderr,
        "Graph denies the report (%d %s). It needs Reports.Read.All: App registrations, API "
        "permissions, Microsoft Graph, %s permissions, then admin consent%s\n",
        e->status, e->code, config_flow_is_delegated(t->flow) ? "Delegated" : "Application",
        config_flow_is_delegated(t->flow)
            ? "; scope of the tenant must name it, and the account needs the role Reports Reader"
            : "");
}

static bool look_at_tenant(struct asking *a, struct output *o, const struct config *c,
                           const struct config_tenant *t, unsigned days)
{
    struct served s;
    s.needs = need_all(c, t, &s.count);
    /* Any sign-in of the tenant will do; one without logins has only its own. */
    const struct principal who =
        s.count ? s.needs[0].who : (struct principal){.tenant = t->name, .account = t->account};
    struct graph_user *u = graph_user_get(a->graph, &who, "");
    struct buf text = BUF_INIT(REPORT_MAX);
    struct graph_report report;
    struct error e = ERROR_INIT;
    a->wait.deadline_ms = clock_mono_ms() + REPORT_MS;
    bool ok =
        graph_report_email_apps(u, (struct graph_as){NULL, false}, days, &text, &a->wait, &e) &&
        graph_report_decode(buf_str(&text), text.len, &report, &e);
    if (ok) {
        show_report(o, c, t, &s, &report, days);
        graph_report_free(&report);
    } else {
        print_failure(t, &e);
    }
    buf_free(&text);
    graph_user_unref(&u);
    free(s.needs);
    return ok;
}

static int look_at_all(struct output *o, const struct config *c, const char *tenant, unsigned days)
{
    struct asking asking;
    struct error e = ERROR_INIT;
    bool ok = asking_open(&asking, c, REPORT_MAX, &e);
    if (!ok)
        fprintf(stderr, "postern discover: %s\n", e.text);
    if (ok && o->csv)
        fputs("tenant,mailbox,pop3,imap4,smtp,last_activity,deleted,login,report_date\r\n", stdout);
    o->list = o->json ? json_object_new_array() : NULL;
    size_t failed = 0;
    for (size_t i = 0; ok && i < c->tenant_count; i++) {
        const struct config_tenant *t = &c->tenants[i];
        if (!tenant || strcmp(t->name, tenant) == 0)
            failed += !look_at_tenant(&asking, o, c, t, days);
    }
    asking_close(&asking);
    if (ok && o->json)
        puts(json_object_to_json_string_ext(o->list, JSON_C_TO_STRING_PRETTY |
                                                         JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(o->list);
    return ok && !failed ? EX_OK : EX_UNAVAILABLE;
}

/* 0: none that Graph knows. */
static unsigned parse_period(const char *text)
{
    for (size_t i = 0; i < sizeof graph_report_periods / sizeof *graph_report_periods; i++) {
        char known[8];
        snprintf(known, sizeof known, "%u", graph_report_periods[i]);
        if (strcmp(text, known) == 0)
            return graph_report_periods[i];
    }
    return 0;
}

static bool has_tenant(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->tenant_count; i++) {
        if (strcmp(c->tenants[i].name, name) == 0)
            return true;
    }
    return false;
}

int cmd_discover(int argc, char **argv)
{
    struct output o = {.json = false};
    const char *period = "30", *tenant = NULL;
    const struct cmd_option options[] = {
        {"period", NULL, &period}, {"tenant", NULL, &tenant},         {"json", &o.json, NULL},
        {"csv", &o.csv, NULL},     {"print-logins", &o.logins, NULL}, {NULL, NULL, NULL}};
    struct cmd_arguments arguments;
    enum cmd_parsed parsed = cmd_parse_options(argc, argv, usage, options, 0, 0, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    unsigned days = parse_period(period);
    if (!days || o.json + o.csv + o.logins > 1) {
        fputs(days ? "postern discover: --json, --csv and --print-logins exclude each other\n"
                   : "postern discover: --period is 7, 30, 90 or 180 days\n",
              stderr);
        return EX_USAGE;
    }
    process_harden();
    struct config *config = cmd_load_config(arguments.config);
    if (!config)
        return EX_CONFIG;
    int code = EX_USAGE;
    if (tenant && !has_tenant(config, tenant))
        fprintf(stderr, "postern discover: there is no tenant \"%s\" in %s\n", tenant,
                arguments.config);
    else
        code = look_at_all(&o, config, tenant, days);
    config_unref(&config);
    return code;
}
