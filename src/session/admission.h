/*
 * Whom a listener lets in, before the first byte of a protocol: its networks, its proxies, the
 * limits of connections. Who is turned away is in the log and in the inventory.
 */
#ifndef SESSION_ADMISSION_H
#define SESSION_ADMISSION_H

#include "address.h"
#include "counts.h"

#include "postern/base/config.h"
#include "postern/session/conn.h"

#include <stdbool.h>
#include <sys/socket.h>

/* What decides; all of it belongs to others. */
struct admission {
    const struct config_listener *listener;
    const struct config_limits *limits;
    struct counts *counts;
    const char *too_many; /* the protocol's line for those over a limit */
};

/* Why nobody may connect from there, neither a client nor a proxy, which will tell who its client
 * is; NULL: he may. */
const char *admission_refusal(const struct config_listener *l, const struct sockaddr *peer);
/* Before TLS a password is taken from this machine only, unless the listener says otherwise. */
bool admission_plaintext(const struct config_listener *l, const struct sockaddr *client);
/* Counts a connection in, for counts_leave(); NULL, or the limit that is reached. A proxy is no
 * client: only those that it speaks for are counted by address. */
const char *admission_count(const struct admission *a, const char *key);
/* Hears from the proxy who the client is, which from then on is all that counts: for networks,
 * limits, delays, passwords in the clear, the log. On the session's thread. `key` is set only if it
 * is true: to what the client was counted by. */
bool admission_by_proxy(const struct admission *a, struct session_conn *conn,
                        char key[ADDRESS_SIZE]);

#endif
