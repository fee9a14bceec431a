/*
 * postern clients: who still comes by which means, as the inventory has it (store/client_db.h).
 */
#include "clients.h"

#include "cmd.h"
#include "control/control.h"

#include "postern/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static const char usage[] =
    "usage: postern clients [-c FILE] [--csv | --json] [FILTER ...]\n"
    "Lists every client that was seen, the one seen last first. Filters, of which all must hold:\n"
    "  --below-tls VERSION  with a lower version of TLS: 1.1, 1.2 or 1.3\n"
    "  --plaintext          without TLS; with --below-tls: one of the two\n"
    "  --unused-for TIME    not seen for so long: 12h, 30d\n"
    "  --since DAY          seen since then: 2026-11-21\n"
    "  --login NAME         of that login\n"
    "  --address NETWORK    from there: 192.0.2.7, 2001:db8::/32; local: by a Unix socket\n"
    "  --protocol NAME      pop3 or imap\n"
    "  --mechanism NAME     logging in that way: PLAIN, CRAM-MD5, PASS, ...\n"
    "  --failed             with refused logins or handshakes; tells why\n";

/* Sessions under way are written down first, if there is somebody to do so. */
static void note_sessions(const char *state_dir)
{
    static const char *const words[] = {"note-clients", NULL};
    struct error e = ERROR_INIT;
    if (control_ask(state_dir, words, NULL, &e) == CONTROL_FAILED)
        fprintf(stderr, "postern clients: sessions under way are not in the list: %s\n", e.text);
}

static size_t choose(const struct clients_filter *f, struct client_row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (clients_match(f, &rows[i]))
            rows[kept++] = rows[i];
    }
    return kept;
}

static int read_code(enum client_db_read result, const struct error *e)
{
    switch (result) {
    case CLIENT_DB_READ:
        return EX_OK;
    case CLIENT_DB_NONE:
        fprintf(stderr,
                "postern clients: %s; nobody was written down yet: `postern serve` does that\n",
                e->text);
        return EX_NOINPUT;
    case CLIENT_DB_DENIED:
        fprintf(stderr, "postern clients: %s; be root or the user that runs `postern serve`\n",
                e->text);
        return EX_NOPERM;
    case CLIENT_DB_FAILED:
        break;
    }
    fprintf(stderr, "postern clients: %s\n", e->text);
    return EX_DATAERR;
}

static int list(const struct config *config, const struct clients_options *o,
                const struct clients_filter *f)
{
    struct error e = ERROR_INIT;
    struct client_row *rows;
    size_t count;
    note_sessions(config->state_dir);
    int code = read_code(client_db_read(config->state_dir, &rows, &count, &e), &e);
    if (code == EX_OK) {
        count = choose(f, rows, count);
        if (o->csv)
            clients_print_csv(rows, count);
        else if (o->json)
            clients_print_json(rows, count);
        else
            clients_print_table(rows, count, o->failed);
    }
    free(rows);
    if (code == EX_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        perror("postern clients: cannot write the list");
        code = EX_IOERR;
    }
    return code;
}

int cmd_clients(int argc, char **argv)
{
    struct clients_options o = {0};
    const struct cmd_option options[] = {{"below-tls", NULL, &o.below_tls},
                                         {"plaintext", &o.plaintext, NULL},
                                         {"unused-for", NULL, &o.unused_for},
                                         {"since", NULL, &o.since},
                                         {"login", NULL, &o.login},
                                         {"address", NULL, &o.address},
                                         {"protocol", NULL, &o.protocol},
                                         {"mechanism", NULL, &o.mechanism},
                                         {"failed", &o.failed, NULL},
                                         {"csv", &o.csv, NULL},
                                         {"json", &o.json, NULL},
                                         {NULL, NULL, NULL}};
    struct cmd_arguments arguments;
    struct clients_filter filter;
    struct error e = ERROR_INIT;
    enum cmd_parsed parsed = cmd_parse_options(argc, argv, usage, options, 0, 0, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    if (o.csv && o.json) {
        fputs("postern clients: --csv and --json are two formats, choose one\n", stderr);
        return EX_USAGE;
    }
    if (!clients_filter_make(&o, clock_wall_ms(), &filter, &e)) {
        fprintf(stderr, "postern clients: %s\n", e.text);
        return EX_USAGE;
    }
    struct config *config = cmd_load_config(arguments.config);
    if (!config)
        return EX_CONFIG;
    int code = list(config, &o, &filter);
    config_unref(&config);
    return code;
}
