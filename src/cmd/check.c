#include "cmd.h"

#include <stdio.h>
#include <sysexits.h>

static const char usage[] =
    "usage: postern check [-c FILE]\n"
    "Reads the configuration and the files that it names, asks nobody, and names each fault\n"
    "with file and line.\n";

static void print_count(size_t count, const char *what, const char *after)
{
    printf("%zu %s%s%s", count, what, count == 1 ? "" : "s", after);
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
    printf("%s: good: ", arguments.config);
    print_count(config->tenant_count, "tenant", ", ");
    print_count(config->listener_count, "listener", ", ");
    print_count(config->login_count, "login", "\n");
    config_unref(&config);
    return EX_OK;
}
