/*
 * SASL exchanges (AUTH of POP3, RFC 5034; AUTHENTICATE of IMAP, RFC 3501 and 4959), from the name
 * of a mechanism to credentials:
 *
 *   PLAIN        RFC 4616
 *   LOGIN        draft-murchison-sasl-login
 *   CRAM-MD5     RFC 2195
 *   XOAUTH2      "user=" NAME ^A "auth=Bearer " TOKEN ^A ^A, as Microsoft and Google document it
 *   OAUTHBEARER  RFC 7628
 *   EXTERNAL     RFC 4422 appendix A
 *
 * and the challenge of APOP. A mechanism that no login could use here is neither announced nor
 * known.
 */
#ifndef POSTERN_SESSION_SASL_H
#define POSTERN_SESSION_SASL_H

#include "postern/base/buf.h"
#include "postern/session/login.h"

enum session_sasl {
    SESSION_SASL_OK,
    SESSION_SASL_UNKNOWN,    /* no such mechanism, or not here */
    SESSION_SASL_CANCELLED,  /* the client said "*" */
    SESSION_SASL_NOT_BASE64, /* nor was an answer that is too long or holds a NUL byte */
    SESSION_SASL_MALFORMED,  /* not what the mechanism asks for */
    SESSION_SASL_STOP,       /* the service stops */
    SESSION_SASL_ENDED       /* the client is gone or said nothing until the deadline */
};

#define SESSION_CHALLENGE_SIZE 128

struct session_exchange {
    struct session_credentials credentials; /* once it is SESSION_SASL_OK; they point into: */
    struct buf texts[2];
    char challenge[SESSION_CHALLENGE_SIZE];
};

/* Asks with "+ " lines. `initial`: the response that came with the command ("=": empty), NULL:
 * none; not needed any more once a line was read. Monotonic deadline. Free the result whatever the
 * outcome. Whether a login is allowed on the connection at all is for the caller to ask. */
enum session_sasl session_sasl_ask(struct session_conn *c, enum config_protocol protocol,
                                   const char *mechanism, const char *initial, int64_t deadline_ms,
                                   struct session_exchange *out);
/* The login was refused: the mechanisms that say so inside the exchange do (RFC 7628 section
 * 3.2.3: an error as JSON, which the client acknowledges), before the protocol's own answer. OK,
 * STOP or ENDED. */
enum session_sasl session_sasl_refused(struct session_conn *c,
                                       const struct session_exchange *exchange,
                                       int64_t deadline_ms);
void session_exchange_free(struct session_exchange *exchange);

/* Appends the mechanisms to be announced, each between `before` and `after`; nothing where no
 * login is allowed. Over IMAP without TLS PLAIN and LOGIN are taken, but not announced: c-client
 * takes them for a security problem. */
void session_sasl_list(struct session_conn *c, enum config_protocol protocol, const char *before,
                       const char *after, struct buf *out);

/* A text that nobody can foretell and that is never the same again, in the form of a message id:
 * "<RANDOM@HOST>" (RFC 1939 section 7, RFC 2195 section 2). */
void session_challenge(char out[SESSION_CHALLENGE_SIZE]);

#endif
