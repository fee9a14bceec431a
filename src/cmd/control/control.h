/*
 * How a subcommand talks to the `serve` that runs on its state directory: the Unix socket
 * STATE/control, mode 0600 in a directory of mode 0700, open to the user of the service and to
 * root alone (SO_PEERCRED). A connection is one request and one answer, a line of JSON each:
 *
 *     ["sign-in-changed", "contoso", "alerts@contoso.com"]
 *     {"ok": true}        with what was asked for; or        {"error": "what happened"}
 */
#ifndef POSTERN_CMD_CONTROL_H
#define POSTERN_CMD_CONTROL_H

#include "postern/base/wait.h"

#include <json-c/json.h>
#include <stddef.h>

#define CONTROL_REQUEST_MAX ((size_t)8 << 10)
#define CONTROL_ANSWER_MAX  ((size_t)64 << 20)
#define CONTROL_WORDS_MAX   16

struct control_request {
    char *words[CONTROL_WORDS_MAX]; /* the first is its name */
    size_t count;
};

/* One line without its end. False: `e` says what is wrong with it. */
bool control_request_parse(const char *line, size_t len, struct control_request *out,
                           struct error *e);
void control_request_free(struct control_request *r);

/* ---- In serve ---- */

/* Adds to `answer`, or returns false with `e`. On the thread of the control socket: one request at
 * a time. `words` are those behind the name; waits with `w` if it must. */
struct control_handler {
    const char *name; /* NULL ends the table */
    size_t words;     /* how many belong behind the name */
    bool (*answer)(void *arg, char *const *words, struct json_object *answer, struct wait *w,
                   struct error *e);
};

struct control;

/* Takes over the socket of a `serve` that was killed; so the lock of the state directory must be
 * ours. Table and argument outlive it. */
struct control *control_start(const char *state_dir, const struct control_handler *handlers,
                              void *arg, struct error *e);
/* A handler that waits looks again. Any thread; NULL is fine. */
void control_wake(struct control *c);
/* Ends what is being answered, removes the socket. NULL is fine. */
void control_stop(struct control **c);

/* ---- In other subcommands ---- */

enum control_outcome {
    CONTROL_ANSWERED,
    CONTROL_NO_SERVICE, /* no `serve` runs on this state directory */
    CONTROL_FAILED      /* one runs, but refuses or does not answer; or we may not ask */
};

/* `words` ends with NULL. *answer (NULL: not wanted) is to be put; `e` for the other two. */
enum control_outcome control_ask(const char *state_dir, const char *const *words,
                                 struct json_object **answer, struct error *e);

/* ---- Of both ---- */

enum control_end { CONTROL_BIND, CONTROL_CONNECT };
/* Binds or connects to STATE/control, however long that path is. False with errno. */
bool control_attach(int fd, const char *state_dir, enum control_end end);

#endif
