/*
 * The two ways of signing in, as `postern login` shows them on the terminal. Both block until the
 * person has signed in, has declined, or has taken too long.
 */
#ifndef POSTERN_CMD_LOGIN_FLOW_H
#define POSTERN_CMD_LOGIN_FLOW_H

#include "asking.h"
#include "login_target.h"

#include "postern/graph/sign_in.h"

bool login_by_device_code(struct asking *a, const struct login_target *target, struct sign_in *out,
                          struct error *e);

/* The browser shows how it ended, so storing is a part of it. */
bool login_by_browser(struct asking *a, const struct login_target *target,
                      bool (*store)(void *arg, const struct sign_in *s, struct error *e), void *arg,
                      struct sign_in *out, struct error *e);

/* How long there is still time, on the last line of a terminal; nothing elsewhere. */
struct login_countdown {
    int64_t until_ms; /* monotonic */
};
void login_countdown_begin(struct login_countdown *c, struct wait *w, int64_t until_ms);
void login_countdown_end(struct wait *w);

#endif
