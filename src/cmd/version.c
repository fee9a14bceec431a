#include "cmd.h"

#include "config.h"

#include <stdio.h>
#include <sysexits.h>

static const char usage[] = "usage: postern version\n";

int cmd_version(int argc, char **argv)
{
    struct cmd_arguments arguments;
    enum cmd_parsed parsed = cmd_parse(argc, argv, usage, 0, 0, &arguments);
    if (parsed == CMD_GO_ON)
        puts("postern " PACKAGE_VERSION);
    return cmd_exit_code(parsed);
}
