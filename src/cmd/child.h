/*
 * A child process of the demo: in a process group of its own, so that Ctrl-C reaches the demo
 * alone and it can end its children in order; ended by the system if the demo dies first.
 */
#ifndef POSTERN_CMD_CHILD_H
#define POSTERN_CMD_CHILD_H

#include "postern/base/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
    pid_t pid;  /* 0: not running */
    int output; /* its standard output; its end is the end of the child */
};

/* Starts `path` (looked up in PATH if it has no '/') with stdin from /dev/null and stderr shared.
 * `argv` ends with NULL. A program that cannot be started shows as a child that ends at once. */
bool child_start(struct child *c, const char *path, char *const *argv, struct error *e);
/* SIGTERM, then waits for its end; nothing if it is not running. */
void child_end(struct child *c);

#endif
