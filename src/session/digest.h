/*
 * Digests by which old devices show that they know a secret without sending it. Pure.
 */
#ifndef SESSION_DIGEST_H
#define SESSION_DIGEST_H

#include "postern/session/login.h"

#include <stdbool.h>

/* Does the secret give the digest of the credentials, which are of CRAM-MD5 or APOP? In a time that
 * does not tell how much of it was right. False too where OpenSSL has no MD5 (FIPS). */
bool digest_matches(const struct session_credentials *c, const char *secret);

#endif
