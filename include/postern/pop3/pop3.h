/*
 * The POP3 door: RFC 1939, RFC 2449 (CAPA), RFC 2595 (STLS), RFC 5034 (AUTH), RFC 3206
 * (response codes).
 */
#ifndef POSTERN_POP3_POP3_H
#define POSTERN_POP3_POP3_H

#include "postern/session/server.h"

extern const struct session_protocol pop3_protocol;

#endif
