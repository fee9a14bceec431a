/*
 * The IMAP4rev1 door (RFC 3501 and the extensions of its CAPABILITY line), for
 * session_server_new().
 */
#ifndef POSTERN_IMAP_IMAP_H
#define POSTERN_IMAP_IMAP_H

#include "postern/session/server.h"

extern const struct session_protocol imap_protocol;

#endif
