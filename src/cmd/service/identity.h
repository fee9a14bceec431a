/*
 * Whom the service is, where root starts it: binding ports and reading keys is root's, everything
 * else the user's that the setting `user` names. Main thread, before clients are served. Without
 * that setting, and for a service that is that user already, all of it does nothing.
 */
#ifndef POSTERN_CMD_IDENTITY_H
#define POSTERN_CMD_IDENTITY_H

#include "postern/base/config.h"

#include <sys/types.h>

struct identity {
    bool change;      /* root is to become another */
    const char *name; /* of the user; inside the config */
    uid_t uid;
    gid_t gid;
};

/* Reads `user` and `group`. False: there are none such. */
bool identity_find(const struct config *c, struct identity *out, struct error *e);
/* Makes the state directory and the log's file if needed, and gives them to the user, as long as
 * they are root's. False also if this process may not become that user. */
bool identity_give(const struct identity *id, const struct config *c, struct error *e);
/* Acts as the user, and as root again: what is made between is the user's. */
bool identity_assume(const struct identity *id, struct error *e);
void identity_resume(const struct identity *id);
/* Becomes the user for good, all rights of root gone; Unix sockets go along. */
bool identity_drop(const struct identity *id, const struct config *c, struct error *e);

/* Calls `fn` for each file that the user cannot read, though a reload will have to. */
void identity_each_unreadable(const struct identity *id, const struct config *c,
                              void (*fn)(void *arg, const char *path, const char *user), void *arg);

#endif
