#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

enum cmd_parsed cmd_parse(int argc, char **argv, const char *usage, int least, int most,
                          struct cmd_arguments *out)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;
    *out = (struct cmd_arguments){.config = CMD_CONFIG_DEFAULT};
    optind = 1;
    opterr = 0; /* its message would name the program "check" */
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            out->config = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            return CMD_DONE;
        default:
            fprintf(stderr, "postern %s: '%s' is unknown, or lacks its argument\n", argv[0],
                    argv[optind - 1]);
            fputs(usage, stderr);
            return CMD_USAGE;
        }
    }
    out->rest = argv + optind;
    out->count = argc - optind;
    if (out->count < least || out->count > most) {
        fputs(usage, stderr);
        return CMD_USAGE;
    }
    return CMD_GO_ON;
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

static void print_fault(void *arg, const char *file, int line, const char *text)
{
    (void)arg;
    print_remark(file, line, "", text);
}

static void print_warning(void *arg, const char *file, int line, const char *text)
{
    (void)arg;
    print_remark(file, line, "warning: ", text);
}

struct config *cmd_load_config(const char *path)
{
    struct config *config = config_load(path, print_fault, print_warning, NULL);
    if (!config && access(path, F_OK) < 0)
        fputs("write it, beginning with a copy of postern.conf.sample, or name another with -c "
              "FILE\n",
              stderr);
    return config;
}
