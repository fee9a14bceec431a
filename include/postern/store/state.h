/*
 * The state directory as a whole: made with mode 0700, locked against a second `serve`.
 */
#ifndef POSTERN_STORE_STATE_H
#define POSTERN_STORE_STATE_H

#include "postern/base/error.h"

struct store_lock;

/* Makes the directory if needed and takes STATE/lock. Failing says which pid holds it. */
struct store_lock *store_state_lock(const char *state_dir, struct error *e);
void store_state_unlock(struct store_lock **l);
/* Does a process hold it? *pid is which, 0: unknown. Changes nothing. */
bool store_state_is_locked(const char *state_dir, long *pid);

#endif
