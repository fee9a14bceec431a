/*
 * Sets the password of a login that stands in the logins-file, or makes the line for its section.
 * The password comes from the terminal, asked twice, or as one line from a pipe; never from
 * the command line, where every user of the machine could read it.
 */
#include "cmd.h"

#include "postern/base/alloc.h"
#include "postern/base/logins_file.h"

#include <crypt.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_MAX 255 /* what a POP3 PASS line holds with ease */

static const char usage[] =
    "usage: postern passwd [-c FILE] [--print] LOGIN\n"
    "Asks for a password, twice on a terminal; without one it reads a line. If the configuration\n"
    "has a logins-file and the login stands there, its hash is replaced in it; otherwise, and "
    "with\n"
    "--print, the line that belongs into the section of that login is printed.\n";

/* One line from stdin without its end, at most PASSWORD_MAX bytes. */
static bool read_line(char out[PASSWORD_MAX + 2])
{
    if (!fgets(out, PASSWORD_MAX + 2, stdin)) {
        fputs("postern passwd: no password was given\n", stderr);
        return false;
    }
    size_t len = strcspn(out, "\r\n");
    if (len > PASSWORD_MAX) {
        fprintf(stderr, "postern passwd: a password has at most %d bytes\n", PASSWORD_MAX);
        return false;
    }
    out[len] = '\0';
    return true;
}

/* The terminal as it was. Set before echo is taken away, so that the handler may read it. */
static struct termios terminal;

/* Ctrl-C and its like must not leave a terminal behind that shows nothing. */
static void end_by_signal(int number)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
    raise(number); /* SA_RESETHAND: this time it ends us */
}

static void watch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = end_by_signal, .sa_flags = SA_RESETHAND};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

static bool ask(const char *prompt, char out[PASSWORD_MAX + 2])
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal) < 0)
        return read_line(out);
    struct termios silent = terminal;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    watch_signals();
    fputs(prompt, stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    bool ok = read_line(out);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal);
    fputc('\n', stderr);
    return ok;
}

static bool ask_twice(const char *login, char password[PASSWORD_MAX + 2])
{
    char again[PASSWORD_MAX + 2];
    char *prompt = xasprintf("New password of login %s: ", login);
    bool ok = ask(prompt, password);
    free(prompt);
    if (ok && !*password) {
        fputs("postern passwd: an empty password is none\n", stderr);
        ok = false;
    }
    if (!ok || !isatty(STDIN_FILENO))
        return ok;
    ok = ask("Again: ", again);
    if (ok && strcmp(password, again) != 0) {
        fputs("postern passwd: the two are not the same\n", stderr);
        ok = false;
    }
    explicit_bzero(again, sizeof again);
    return ok;
}

char *cmd_hash_password(const char *password)
{
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data = xcalloc(1, sizeof *data);
    char *hash = NULL;
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof salt)) {
        const char *made = crypt_rn(password, salt, data, sizeof *data);
        hash = xstrdup_null(made);
    }
    explicit_bzero(data, sizeof *data);
    free(data);
    return hash;
}

static int print_line(const char *hash)
{
    printf("    password = '%s'\n", hash);
    return EX_OK;
}

static int store(const char *path, const char *login, const char *hash)
{
    struct error e = ERROR_INIT;
    switch (logins_file_set_password(path, login, hash, &e)) {
    case LOGINS_CHANGED:
        printf("The password of login %s was changed in %s; a running service notices by itself.\n",
               login, path);
        return EX_OK;
    case LOGINS_NOT_THERE:
        fprintf(stderr, "%s has no login \"%s\"; this belongs into the section of it:\n", path,
                login);
        return print_line(hash);
    case LOGINS_FAILED:
        break;
    }
    fprintf(stderr, "postern passwd: nothing was changed: %s\n", e.text);
    return e.kind == ERROR_CANNOT ? EX_CONFIG : EX_OSERR;
}

int cmd_passwd(int argc, char **argv)
{
    char password[PASSWORD_MAX + 2];
    struct cmd_arguments arguments;
    bool print = false;
    const struct cmd_option options[] = {{.name = "print", .given = &print}, {.name = NULL}};
    enum cmd_parsed parsed = cmd_parse_options(argc, argv, usage, options, 1, 1, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    const char *login = arguments.rest[0];
    bool ok = ask_twice(login, password);
    char *hash = ok ? cmd_hash_password(password) : NULL;
    char *path = hash && !print ? logins_file_of(arguments.config) : NULL;
    int code = ok ? EX_OSERR : EX_DATAERR;
    if (hash)
        code = path ? store(path, login, hash) : print_line(hash);
    else if (ok)
        fprintf(stderr, "postern passwd: cannot hash: %s\n", strerror(errno));
    explicit_bzero(password, sizeof password);
    free(path);
    free(hash);
    return code;
}
