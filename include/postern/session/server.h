/*
 * The server: listeners, accept, one thread per connection, limits, reload, stop.
 * A protocol gives it a function that runs a whole session.
 */
#ifndef POSTERN_SESSION_SERVER_H
#define POSTERN_SESSION_SERVER_H

#include "postern/base/config.h"
#include "postern/base/error.h"
#include "postern/mailbox/account.h"
#include "postern/session/conn.h"

struct inventory;
struct session_server;

/* Runs one session from greeting to goodbye, on its own thread. The server closes `conn`. */
typedef void session_run_fn(struct session_conn *conn, struct mailbox_registry *mailboxes,
                            const struct config *config);
/* What to say to a connection over a limit, a whole line: "-ERR …\r\n". */
struct session_protocol {
    enum config_protocol protocol;
    session_run_fn *run;
    const char *too_many;
};

/* The table, the registry and the inventory (NULL: none) must outlive the server. */
struct session_server *session_server_new(const struct session_protocol *protocols, size_t count,
                                          struct mailbox_registry *mailboxes,
                                          struct inventory *inventory);
/* Binds the listeners of the config (first call), or takes over logins, TLS certificates and
 * limits and opens and closes listeners that changed (reload). On false the old state stays. */
bool session_server_configure(struct session_server *s, struct config *config, struct error *e);
/* Takes over the logins of a config that differs from the one in force in nothing else. */
void session_server_set_logins(struct session_server *s, struct config *config);
/* The address of the i-th listener of the config as it is bound (port 0 has become a port). */
bool session_server_bound(const struct session_server *s, size_t index,
                          struct sockaddr_storage *address);
/* Accepts until `stop_fd` is readable; main thread. Returns false only if it cannot go on. */
bool session_server_accept(struct session_server *s, int stop_fd, struct error *e);
/* Closes the listeners, lets what is being answered finish within the grace time, then cancels
 * what is left and joins every session thread. */
void session_server_stop(struct session_server *s);
void session_server_free(struct session_server **s);
unsigned session_server_count(struct session_server *s);
/* Any thread: writes down the clients of the sessions under way. */
void session_server_note_clients(struct session_server *s);

#endif
