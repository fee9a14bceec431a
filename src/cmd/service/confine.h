/*
 * What the process may change on disk, and that it may run no other program: Landlock, where the
 * kernel has it.
 */
#ifndef POSTERN_CMD_CONFINE_H
#define POSTERN_CMD_CONFINE_H

#include "postern/base/config.h"

/* From now on, for this and all later threads and whoever the process becomes: files are made,
 * changed and removed in the state directory only, and where the log's file and Unix sockets of the
 * config are; nothing is executed. Reading is left to the rights of files. Where the kernel cannot,
 * all stays as it was. The log tells. The state directory must be there; before any thread is
 * started. */
void confine_writes(const struct config *c);

#endif
