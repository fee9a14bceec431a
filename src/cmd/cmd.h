/*
 * The subcommands of postern. Each takes what stands behind `postern`, its own name first, and
 * returns an exit code of sysexits(3).
 */
#ifndef POSTERN_CMD_CMD_H
#define POSTERN_CMD_CMD_H

#include "postern/base/config.h"

#define CMD_CONFIG_DEFAULT POSTERN_SYSCONFDIR "/postern.conf"

int cmd_serve(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_discover(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_clients(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_login(int argc, char **argv);
int cmd_passwd(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_version(int argc, char **argv);

/* What every subcommand understands: -c FILE, --config FILE, --help. */
struct cmd_arguments {
    const char *config;
    char **rest; /* what is no option */
    int count;
};

enum cmd_parsed { CMD_GO_ON, CMD_DONE, CMD_USAGE };

/* `usage` is the whole help text; printed on --help (CMD_DONE), and on stderr if an option is
 * unknown or there are not `least` to `most` further arguments (CMD_USAGE). */
enum cmd_parsed cmd_parse(int argc, char **argv, const char *usage, int least, int most,
                          struct cmd_arguments *out);
/* The same with further options: "--NAME", which sets *given, or "--NAME VALUE", which sets *value.
 */
struct cmd_option {
    const char *name; /* NULL ends the list; at most CMD_OPTIONS_MAX */
    bool *given;      /* one of the two */
    const char **value;
};
#define CMD_OPTIONS_MAX 16
enum cmd_parsed cmd_parse_options(int argc, char **argv, const char *usage,
                                  const struct cmd_option *more, int least, int most,
                                  struct cmd_arguments *out);
/* EX_OK or EX_USAGE, for what is not CMD_GO_ON. */
int cmd_exit_code(enum cmd_parsed parsed);

/* Faults and warnings on stderr, "FILE:LINE: TEXT", "FILE:LINE: warning: TEXT". */
void cmd_print_fault(void *arg, const char *file, int line, const char *text);
void cmd_print_warning(void *arg, const char *file, int line, const char *text);
/* config_load() with faults and warnings to stderr: "FILE:LINE: TEXT". */
struct config *cmd_load_config(const char *path);

/* A crypt(3) hash by the system's preferred strong method, to free(); NULL with errno set. */
char *cmd_hash_password(const char *password);

#endif
