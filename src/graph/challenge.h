/*
 * Claims challenges: what an API that evaluates access continuously answers when a token no longer
 * satisfies it. Pure functions; any thread. "Claims challenges, claims requests and client
 * capabilities" (Microsoft identity platform), RFC 9110 section 11.6.1.
 */
#ifndef POSTERN_SRC_GRAPH_CHALLENGE_H
#define POSTERN_SRC_GRAPH_CHALLENGE_H

#include "postern/base/buf.h"

#include <stdbool.h>

#define CHALLENGE_HEADER_MAX ((size_t)16 * 1024) /* of all WWW-Authenticate lines together */
#define CHALLENGE_MAX        ((size_t)8 * 1024)  /* of the claims in it, decoded */

/* Finds the claims in the values of WWW-Authenticate, joined by commas. True: a Bearer challenge
 * says insufficient_claims and brings a JSON object, which is now in `out` (of CHALLENGE_MAX). */
bool challenge_find(const char *header, struct buf *out);

/* The claims parameter of a token request, to free(): that we answer challenges (cp1), merged into
 * what one asks for (from challenge_find(); NULL: none). */
char *challenge_claims(const char *asked);

#endif
