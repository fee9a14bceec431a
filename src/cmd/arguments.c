#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define OPTION_FIRST 256 /* beyond the characters of short options */

/* The common ones, then those of the subcommand, as getopt_long() wants them. */
static void list_options(const struct cmd_option *more, struct option *out)
{
    static const struct option common[] = {{"config", required_argument, NULL, 'c'},
                                           {"help", no_argument, NULL, 'h'}};
    size_t n = sizeof common / sizeof *common;
    memcpy(out, common, sizeof common);
    for (size_t i = 0; more && more[i].name && i < CMD_OPTIONS_MAX; i++)
        out[n++] = (struct option){more[i].name, more[i].value ? required_argument : no_argument,
                                   NULL, OPTION_FIRST + (int)i};
    out[n] = (struct option){NULL, 0, NULL, 0};
}

enum cmd_parsed cmd_parse_options(int argc, char **argv, const char *usage,
                                  const struct cmd_option *more, int least, int most,
                                  struct cmd_arguments *out)
{
    struct option options[CMD_OPTIONS_MAX + 3];
    int option;
    list_options(more, options);
    *out = (struct cmd_arguments){.config = CMD_CONFIG_DEFAULT};
    optind = 1;
    opterr = 0; /* its message would name the program "check" */
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (option == 'c') {
            out->config = optarg;
        } else if (option == 'h') {
            fputs(usage, stdout);
            return CMD_DONE;
        } else if (option < OPTION_FIRST || !more) {
            fprintf(stderr, "postern %s: '%s' is unknown, or lacks its argument\n", argv[0],
                    argv[optind - 1]);
            fputs(usage, stderr);
            return CMD_USAGE;
        } else if (more[option - OPTION_FIRST].value) {
            *more[option - OPTION_FIRST].value = optarg;
        } else {
            *more[option - OPTION_FIRST].given = true;
        }
    }
    out->rest = argv + optind;
    out->count = argc - optind;
    if (out->count < least || out->count > most) {
        fprintf(stderr, "postern %s: too %s arguments\n", argv[0],
                out->count < least ? "few" : "many");
        fputs(usage, stderr);
        return CMD_USAGE;
    }
    return CMD_GO_ON;
}

enum cmd_parsed cmd_parse(int argc, char **argv, const char *usage, int least, int most,
                          struct cmd_arguments *out)
{
    return cmd_parse_options(argc, argv, usage, NULL, least, most, out);
}

int cmd_exit_code(enum cmd_parsed parsed)
{
    return parsed == CMD_USAGE ? EX_USAGE : EX_OK;
}

static void print_remark(const char *file, int line, const char *kind, const char *text)
{
    if (line > 0)
        fprintf(stderr, "%s:%d: %s%s\n", file, line, kind, text);
    else
        fprintf(stderr, "%s: %s%s\n", file, kind, text);
}

void cmd_print_fault(void *arg, const char *file, int line, const char *text)
{
    (void)arg;
    print_remark(file, line, "", text);
}

void cmd_print_warning(void *arg, const char *file, int line, const char *text)
{
    (void)arg;
    print_remark(file, line, "warning: ", text);
}

struct config *cmd_load_config(const char *path)
{
    struct config *config = config_load(path, cmd_print_fault, cmd_print_warning, NULL);
    if (!config && access(path, R_OK) < 0)
        fputs(errno == EACCES ? "run this as root, or as the user that postern serve runs as\n"
                              : "write it, beginning with a copy of postern.conf.sample, or name "
                                "another with -c FILE\n",
              stderr);
    return config;
}
