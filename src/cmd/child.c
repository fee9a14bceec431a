#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

_Noreturn static void become(const char *path, char *const *argv, int output, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int null = open("/dev/null", O_RDONLY);
    if (getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
        dup2(output, STDOUT_FILENO) >= 0)
        execvp(path, argv);
    fprintf(stderr, "postern demo: cannot run %s: %s\n", path, strerror(errno));
    _exit(EX_UNAVAILABLE);
}

bool child_start(struct child *c, const char *path, char *const *argv, struct error *e)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(e, ERROR_LOCAL, "cannot make a pipe: %s", strerror(errno));
    fflush(NULL);
    c->pid = fork();
    if (c->pid == 0)
        become(path, argv, ends[1], parent);
    close(ends[1]);
    c->output = ends[0];
    if (c->pid > 0)
        return true;
    c->pid = 0;
    close(c->output);
    return error_set(e, ERROR_LOCAL, "cannot start a process: %s", strerror(errno));
}

void child_end(struct child *c)
{
    if (!c->pid)
        return;
    kill(c->pid, SIGTERM);
    while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(c->output);
    c->pid = 0;
}
