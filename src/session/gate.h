/*
 * The gate from the inside: what logins of all connections share. Any thread.
 */
#ifndef SESSION_GATE_H
#define SESSION_GATE_H

#include "guesses.h"
#include "hasher.h"
#include "success.h"

#include "postern/session/login.h"

/* These four never change, and lock for themselves where they must. */
struct mailbox_registry *gate_mailboxes(const struct session_gate *g);
struct guesses *gate_guesses(const struct session_gate *g);
struct hasher *gate_hasher(const struct session_gate *g);
const struct success_cache *gate_successes(const struct session_gate *g); /* for success_mac() */

/* The config in force; the caller unrefs it. */
struct config *gate_config(struct session_gate *g);
/* What to hash guesses at nobody's password with: as hard as the real ones. */
void gate_dummy(struct session_gate *g, char out[HASHER_SETTING_SIZE]);
/* Has this login succeeded a while ago? */
bool gate_remembers(struct session_gate *g, const uint8_t mac[SUCCESS_MAC]);
void gate_remember(struct session_gate *g, const uint8_t mac[SUCCESS_MAC]);
/* A request to Graph about a token begins, unless too many are under way. */
bool gate_begin_token_check(struct session_gate *g);
void gate_end_token_check(struct session_gate *g);
/* Counts a session in, unless there are `max` (0: no limit) of the same already. */
bool gate_count_in(struct session_gate *g, const char *who, unsigned max);
void gate_count_out(struct session_gate *g, const char *who);

#endif
