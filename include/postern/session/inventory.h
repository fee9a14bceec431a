/*
 * The client inventory: who came, how they signed in and what they did, for those who must retire
 * old devices. What is learnt of a client on its way through a session is gathered in memory and
 * written to store/client_db.h at the latest when the session ends, before its socket closes.
 *
 * Every text that came from a client is cleaned and cut here, once (base/text.h). Neither passwords
 * nor names that are no login's come here. A database that cannot be opened or written costs the
 * log a line and no client its session; it is tried again once a minute.
 */
#ifndef POSTERN_SESSION_INVENTORY_H
#define POSTERN_SESSION_INVENTORY_H

#include "postern/base/config.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct inventory;
struct inventory_client; /* one connection's */

/* ---- the whole; any thread ---- */

struct inventory *inventory_new(const char *state_dir, int64_t retention_ms);
/* Every client's must be gone. NULL is fine; clears the caller's pointer. */
void inventory_free(struct inventory **i);
void inventory_set_retention(struct inventory *i, int64_t retention_ms);
/* For the housekeeper, about once a second: writes what was left over, and once a day forgets
 * clients that were not seen for the retention. */
void inventory_tick(struct inventory *i);
/* A connection that was turned away at the door. Does not wait for the disk. */
void inventory_turned_away(struct inventory *i, const struct config_listener *listener,
                           const struct sockaddr *peer, const char *reason);

/* ---- one connection; NULL is fine everywhere ---- */

/* NULL if there is no inventory. */
struct inventory_client *inventory_client_new(struct inventory *i,
                                              const struct config_listener *listener,
                                              const struct sockaddr *peer);
/* Writes what is not written yet and waits for it; clears the caller's pointer. */
void inventory_client_end(struct inventory_client **c, uint64_t bytes_in, uint64_t bytes_out);
/* The same in the middle of a session that has logged in, without waiting: from another thread, as
 * long as it knows that the session is there. inventory_flush() then waits. */
void inventory_client_leave(struct inventory_client *c, uint64_t bytes_in, uint64_t bytes_out);
void inventory_flush(struct inventory *i);

/* The address behind a proxy. */
void inventory_peer(struct inventory_client *c, const struct sockaddr *peer);
/* The handshake succeeded: "TLSv1.2"'s number, OpenSSL's name of the cipher. */
void inventory_tls(struct inventory_client *c, int version, const char *cipher);
/* It did not. `offered`: the highest version the client offered, 0: that was not understood, -1: it
 * said nothing, which is no failure. */
void inventory_tls_failed(struct inventory_client *c, int offered, const char *reason);
/* A login attempt. `login`: NULL if none has the name. A client that was not even let in is refused
 * by the mechanism "". */
void inventory_accepted(struct inventory_client *c, const char *mechanism, const char *login);
void inventory_refused(struct inventory_client *c, const char *mechanism, const char *login,
                       const char *reason);
/* What the client says it is (RFC 2971); what was told first counts. */
void inventory_told(struct inventory_client *c, const char *text);
/* A command by its name in upper case, which is not a text of the client's. The first
 * INVENTORY_COMMANDS are what tells programs apart that do not say what they are; one that is
 * repeated counts once, and how a session ends not at all. */
#define INVENTORY_COMMANDS 8
#define INVENTORY_UNKNOWN  "?" /* what is no command */
void inventory_command(struct inventory_client *c, const char *name);
void inventory_fetched(struct inventory_client *c, uint64_t messages);
void inventory_appended(struct inventory_client *c, uint64_t messages);

#endif
