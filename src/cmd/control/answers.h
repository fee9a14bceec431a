/*
 * What the running service answers on its control socket (control.h).
 *
 *     status                            version, pid, uptime_seconds, sessions, key_file,
 *                                       identities: tenant, account (null: the application), state
 *                                       (unused, good, failing, needs-login), reason,
 *                                       token_seconds (what is left of its token's life)
 *     sign-in-changed TENANT ACCOUNT    it is taken from the vault at once
 *     note-clients                      the clients of the sessions under way are in clients.db
 *     reload                            what SIGHUP does; answers when it is done
 */
#ifndef POSTERN_CMD_ANSWERS_H
#define POSTERN_CMD_ANSWERS_H

#include "control.h"
#include "postern/admin/snapshot.h"
#include "postern/store/vault.h"

/* What they are about; one for the process. */
struct answers {
    struct admin_sources sources;
    struct store_vault *vault;
    /* How many reloads began and ended, and whether the last one did what it should. */
    atomic_uint reloads_begun, reloads_ended;
    atomic_bool reload_worked;
};

/* For control_start(); its argument is a struct answers. */
extern const struct control_handler answers_table[];

#endif
