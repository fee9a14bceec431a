#include "login_flow.h"

#include "postern/base/clock.h"
#include "postern/base/text.h"
#include "qr.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ASK_MS    (60 * CLOCK_SECOND) /* for the code that is to be shown */
#define SHOWN_MAX 512

#define LINES_BESIDE 5 /* the QR code: what is above and below it, and the command itself */

#define COLUMNS 48 /* that hold the whole countdown; a wrapped line could not be written over */

static bool is_narrow(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_col < COLUMNS;
}

static bool tell_time(void *arg)
{
    const struct login_countdown *c = arg;
    int64_t left = (c->until_ms - clock_mono_ms()) / CLOCK_SECOND;
    left = left < 0 ? 0 : left;
    printf("\rWaiting; %" PRId64 ":%02" PRId64 " are left. %s", left / 60, left % 60,
           is_narrow() ? "" : "Ctrl-C gives up. ");
    fflush(stdout);
    return true;
}

void login_countdown_begin(struct login_countdown *c, struct wait *w, int64_t until_ms)
{
    c->until_ms = until_ms;
    fflush(stdout);
    if (!isatty(STDOUT_FILENO))
        return;
    w->tick = tell_time;
    w->tick_arg = c;
    tell_time(c);
}

void login_countdown_end(struct wait *w)
{
    if (w->tick)
        fputs("\r\033[K", stdout);
    fflush(stdout); /* before what goes to standard error */
    w->tick = NULL;
}

static void show(const struct login_target *target, const struct graph_device_code *code)
{
    char url[SHOWN_MAX], user_code[SHOWN_MAX];
    text_clean(code->verification_url, url, sizeof url);
    text_clean(code->user_code, user_code, sizeof user_code);
    printf("Sign in to Microsoft 365 as %s, on any device:\n"
           "    open    %s\n"
           "    enter   %s\n",
           target->account, url, user_code);
    qr_print(stdout, code->verification_url, LINES_BESIDE);
}

bool login_by_device_code(struct asking *a, const struct login_target *target, struct sign_in *out,
                          struct error *e)
{
    struct graph_device_code code = {0};
    struct login_countdown countdown;
    a->wait.deadline_ms = clock_mono_ms() + ASK_MS;
    bool ok = graph_device_code_ask(a->graph, target->tenant->name, &code, &a->wait, e);
    if (ok) {
        show(target, &code);
        a->wait.deadline_ms = CLOCK_NEVER; /* the code has one of its own */
        login_countdown_begin(&countdown, &a->wait, code.expires_ms);
        ok = graph_device_code_wait(a->graph, target->tenant->name, target->account, &code, out,
                                    &a->wait, e);
        login_countdown_end(&a->wait);
    }
    graph_device_code_free(&code);
    return ok;
}
