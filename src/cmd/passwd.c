/*
 * Makes the password line of a login. The password comes from the terminal, asked twice, or as
 * one line from a pipe; never from the command line, where every user of the machine could read it.
 */
#include "cmd.h"

#include "postern/base/alloc.h"

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
    "usage: postern passwd LOGIN\n"
    "Asks for a password, twice on a terminal, and prints the line with its hash that belongs\n"
    "into the section of that login. Without a terminal it reads one line.\n";

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

int cmd_passwd(int argc, char **argv)
{
    char password[PASSWORD_MAX + 2];
    struct cmd_arguments arguments;
    enum cmd_parsed parsed = cmd_parse(argc, argv, usage, 1, 1, &arguments);
    if (parsed != CMD_GO_ON)
        return cmd_exit_code(parsed);
    bool ok = ask_twice(arguments.rest[0], password);
    char *hash = ok ? cmd_hash_password(password) : NULL;
    int code = EX_OK;
    if (hash)
        printf("    password = '%s'\n", hash);
    else if (ok)
        fprintf(stderr, "postern passwd: cannot hash: %s\n", strerror(errno));
    if (!hash)
        code = ok ? EX_OSERR : EX_DATAERR;
    explicit_bzero(password, sizeof password);
    free(hash);
    return code;
}
