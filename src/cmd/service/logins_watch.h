/*
 * Watches the logins-file of a running serve: a descriptor to poll that is readable for a signal,
 * and every other second while there is a file to look at. The look is a stat(), which network file
 * systems, links and replaced files do not deceive. Main thread.
 */
#ifndef POSTERN_CMD_LOGINS_WATCH_H
#define POSTERN_CMD_LOGINS_WATCH_H

#include "postern/base/error.h"

#include <stdbool.h>

struct logins_watch;

/* NULL: `e` says why. */
struct logins_watch *logins_watch_new(int signal_fd, struct error *e);
void logins_watch_free(struct logins_watch **w);
int logins_watch_fd(const struct logins_watch *w);
/* What stands in the file at `path` (NULL: there is none) was read just now. One that was written
 * just before counts as changed once more: that may have been behind the reader's back. */
void logins_watch_begin(struct logins_watch *w, const char *path);
/* Has the file changed since it was last asked? Once for each change. */
bool logins_watch_changed(struct logins_watch *w);

#endif
