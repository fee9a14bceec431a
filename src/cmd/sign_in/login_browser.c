#include "login_flow.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "redirect.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_MS (10 * 60 * CLOCK_SECOND)
#define REDEEM_MS   (120 * CLOCK_SECOND)

/* One that the person in front of this terminal can see, and that does not run as root. */
static bool may_open_browser(void)
{
    return geteuid() != 0 && !getenv("SSH_CONNECTION") && !getenv("SSH_TTY") &&
           (getenv("DISPLAY") || getenv("WAYLAND_DISPLAY"));
}

static bool open_browser(const char *url)
{
    extern char **environ;
    char *argv[] = {(char *)"xdg-open", (char *)url, NULL};
    posix_spawn_file_actions_t files;
    pid_t pid;
    if (!may_open_browser() || posix_spawn_file_actions_init(&files) != 0)
        return false;
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    bool ok = posix_spawnp(&pid, argv[0], &files, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&files);
    return ok;
}

static void show(const struct login_target *target, const struct graph_code_flow *flow,
                 unsigned port)
{
    bool opened = open_browser(flow->url);
    printf("Sign in to Microsoft 365 as %s, in a browser on this machine.\n%s\n\n%s\n\n",
           target->account, opened ? "It should be open now; if not, open:" : "Open:", flow->url);
    if (getenv("SSH_CONNECTION"))
        printf("A browser elsewhere needs a way here: ssh -L %u:127.0.0.1:%u THIS-HOST\n"
               "or sign in without one: postern login --device-code\n\n",
               port, port);
}

static bool await_code(struct redirect *redirect, struct wait *w, char **code, struct error *e)
{
    struct login_countdown countdown;
    login_countdown_begin(&countdown, w, w->deadline_ms);
    bool ok = redirect_wait(redirect, code, e);
    login_countdown_end(w);
    if (!ok && e->kind == ERROR_TIMEOUT)
        error_set(e, ERROR_TIMEOUT, "nobody signed in within 10 minutes; start again");
    return ok;
}

static bool redeem(struct asking *a, const struct login_target *target,
                   const struct graph_code_flow *flow, const char *code, struct sign_in *out,
                   struct error *e)
{
    a->wait.deadline_ms = clock_mono_ms() + REDEEM_MS;
    return graph_code_flow_redeem(a->graph, target->tenant->name, target->account, flow, code, out,
                                  &a->wait, e);
}

bool login_by_browser(struct asking *a, const struct login_target *target,
                      bool (*store)(void *arg, const struct sign_in *s, struct error *e), void *arg,
                      struct sign_in *out, struct error *e)
{
    struct graph_code_flow flow = {0};
    char *code = NULL;
    struct redirect *redirect = redirect_open(e);
    if (!redirect)
        return false;
    unsigned port = redirect_port(redirect);
    bool ok =
        graph_code_flow_begin(a->graph, target->tenant->name, target->account, port, &flow, e);
    if (ok) {
        a->wait.deadline_ms = clock_mono_ms() + PATIENCE_MS;
        redirect_expect(redirect, flow.state, &a->wait);
        show(target, &flow, port);
        ok = await_code(redirect, &a->wait, &code, e) && redeem(a, target, &flow, code, out, e) &&
             store(arg, out, e);
    }
    redirect_close(&redirect, out->user, ok ? NULL : e);
    secret_free(code);
    graph_code_flow_free(&flow);
    return ok;
}
