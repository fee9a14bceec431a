/*
 * What a configuration gives away on purpose, in plain words: `check`, `doctor` and the log at
 * start say it, so that nobody forgets it is there.
 */
#ifndef POSTERN_CMD_WEAK_H
#define POSTERN_CMD_WEAK_H

#include "postern/base/config.h"

/* Calls `fn` for each, in the order of the file's kinds of section; `line` is the section's. */
void weak_each(const struct config *c, void (*fn)(void *arg, int line, const char *text),
               void *arg);

#endif
