/*
 * Signing in to Postern: proofs of who a client is, policy of the login, limits against guessing.
 *
 * Wrong name, wrong proof, wrong network and wrong protocol are answered alike and take the same
 * work. Guesses are slowed per address and per login, and an address that goes on is locked out.
 * Password hashing runs in as few workers as there are cores, its memory on the heap; a recent
 * success is remembered as an HMAC under a key of this process, so that a client that logs in
 * each minute costs no hash. How credentials come over the wire is in sasl.h.
 */
#ifndef POSTERN_SESSION_LOGIN_H
#define POSTERN_SESSION_LOGIN_H

#include "postern/base/config.h"
#include "postern/base/principal.h"
#include "postern/session/conn.h"

struct mailbox_registry;

/* What all logins of a server share: the config in force, delays, the hashing queue, remembered
 * successes, counts of sessions. Any thread. */
struct session_gate;

/* The registry asks Graph about clients' own tokens; it must outlive the gate. */
struct session_gate *session_gate_new(struct mailbox_registry *mailboxes);
/* Every ticket must be released by then. */
void session_gate_free(struct session_gate **g);
/* From now on logins are checked against `config`, of which it takes its own reference; sessions
 * signed in before keep theirs. */
void session_gate_configure(struct session_gate *g, struct config *config);

/* How a client shows who it is. */
enum session_proof {
    SESSION_PROOF_PASSWORD,
    SESSION_PROOF_CRAM_MD5,   /* RFC 2195 */
    SESSION_PROOF_APOP,       /* RFC 1939 section 7 */
    SESSION_PROOF_TOKEN,      /* an access token of the client's own (RFC 6750) */
    SESSION_PROOF_CERTIFICATE /* that of its TLS connection */
};

/* One attempt, as a protocol hands it over. The texts are the caller's, who wipes them. */
struct session_credentials {
    const char *mechanism; /* "PLAIN", "APOP"; static, for the log */
    enum session_proof proof;
    const char *name;      /* "": whoever the token or certificate belongs to */
    const char *secret;    /* password; digest, 32 hexadecimal digits; token; NULL: certificate */
    const char *challenge; /* what the digest answers, else NULL */
};

/* The proofs that a login of the config in force, or a client's own token, could give on this
 * connection, as a set of 1u << enum session_proof: what need not be offered is not. Whether a
 * secret may cross this connection at all is session_conn_login_allowed(). */
unsigned session_login_proofs(struct session_conn *c, enum config_protocol protocol);

enum session_login {
    SESSION_LOGIN_OK,
    SESSION_LOGIN_REFUSED, /* name, proof, network, protocol: never said which */
    SESSION_LOGIN_BUSY,    /* too many sessions of this login, or too many guesses waiting, or the
                              address is locked out */
    SESSION_LOGIN_UNAVAILABLE, /* Graph could not be asked about a token */
    SESSION_LOGIN_ENDED        /* the client is gone or the service stops */
};

struct session_ticket; /* a session's hold on its login: config, counters */

/* Blocks for the delay that is due, 30 s at most, and for Graph's answer about a token. On OK
 * *ticket is set. A password is not kept; a token is, until the ticket is released. The outcome is
 * logged here. */
enum session_login session_login_check(struct session_conn *c, enum config_protocol protocol,
                                       const struct session_credentials *credentials,
                                       struct session_ticket **ticket);
/* The policy of the session. For a client's own token without a login section of that name: the
 * defaults of one, under the name that Graph tells. */
const struct config_login *session_ticket_login(const struct session_ticket *t);
/* Whose mailbox was asked for, and on whose behalf it is opened; good as long as the ticket. */
const char *session_ticket_mailbox(const struct session_ticket *t);
const struct principal *session_ticket_principal(const struct session_ticket *t);
const struct config *session_ticket_config(const struct session_ticket *t);
void session_ticket_release(struct session_ticket **t);

/* A session that was refused this often is not a person who mistyped. */
#define SESSION_REFUSED_MAX 5

#endif
