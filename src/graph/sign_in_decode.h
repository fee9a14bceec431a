/*
 * Reading what begins the device code flow, for sign_in.c and its tests. Pure; any thread.
 */
#ifndef POSTERN_SRC_GRAPH_SIGN_IN_DECODE_H
#define POSTERN_SRC_GRAPH_SIGN_IN_DECODE_H

#include "postern/graph/sign_in.h"

/* The answer of the devicecode endpoint (v2-oauth2-device-code, RFC 8628 section 3.2). On false
 * `e` is ERROR_ANSWER and `out` empty. */
bool sign_in_device_decode(const char *body, size_t len, struct graph_device_code *out,
                           struct error *e);

#endif
