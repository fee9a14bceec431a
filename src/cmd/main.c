/*
 * postern: finds the subcommand and runs it.
 */
#include "cmd.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *what;
};

static const struct command commands[] = {
    {"serve", cmd_serve, "serve POP3 and IMAP4 clients, in the foreground"},
    {"check", cmd_check, "read the configuration and name each fault with its line"},
    {"login", cmd_login, "sign in to Microsoft 365 on behalf of a person"},
    {"token", cmd_token, "list, revoke or encrypt anew the sign-ins that login stored"},
    {"passwd", cmd_passwd, "change a password in logins-file, or make the line for a login"},
    {"doctor", cmd_doctor, "take every step from the configuration to a fetched message"},
    {"discover", cmd_discover,
     "list the mailboxes that still use POP3, IMAP4 or SMTP at Microsoft 365"},
    {"clients", cmd_clients, "list who came, by which means, and when last"},
    {"demo", cmd_demo, "try it all without an account and without a network"},
    {"version", cmd_version, "tell the version"},
};

static void usage(FILE *out)
{
    fputs("usage: postern COMMAND [-c FILE] [argument]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s  %s\n", commands[i].name, commands[i].what);
    fputs("\nThe configuration is " CMD_CONFIG_DEFAULT " unless -c names another file.\n"
          "See postern(1) and postern.conf(5).\n",
          out);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        usage(stdout);
        return EX_OK;
    }
    if (strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    if (*name)
        fprintf(stderr, "postern: there is no command '%s'\n", name);
    usage(stderr);
    return EX_USAGE;
}
