/*
 * Signing in to Postern: passwords by crypt(3), policy of the login, limits against guessing.
 *
 * Wrong name, wrong password, wrong network and wrong protocol are answered alike and take the
 * same work. Guesses are slowed per address and per login; hashing runs in as few workers as
 * there are cores, its memory on the heap; a recent success is remembered as an HMAC under a key
 * of this process, so that a client that logs in each minute costs no hash.
 */
#ifndef POSTERN_SESSION_LOGIN_H
#define POSTERN_SESSION_LOGIN_H

#include "postern/base/buf.h"
#include "postern/base/config.h"
#include "postern/session/conn.h"

/* What all logins of a server share: the config in force, delays, the hashing queue, remembered
 * successes, counts of sessions. Any thread. */
struct session_gate;

struct session_gate *session_gate_new(void);
/* Every ticket must be released by then. */
void session_gate_free(struct session_gate **g);
/* From now on logins are checked against `config`, of which it takes its own reference; sessions
 * signed in before keep theirs. */
void session_gate_configure(struct session_gate *g, struct config *config);

enum session_login {
    SESSION_LOGIN_OK,
    SESSION_LOGIN_REFUSED, /* name, password, network, protocol: never said which */
    SESSION_LOGIN_BUSY,    /* too many sessions of this login, or too many guesses waiting */
    SESSION_LOGIN_ENDED    /* the client is gone or the service stops */
};

struct session_ticket; /* a session's hold on its login: config, counters */

/* Blocks for the delay that is due, 30 s at most. On OK *ticket is set. The password is not kept;
 * the caller wipes its own copy. The outcome is logged here. */
enum session_login session_login_check(struct session_conn *c, enum config_protocol protocol,
                                       const char *name, const char *password,
                                       struct session_ticket **ticket);
const struct config_login *session_ticket_login(const struct session_ticket *t);
/* Whose mailbox was asked for, and on whose behalf it is opened; good as long as the ticket. */
const char *session_ticket_mailbox(const struct session_ticket *t);
const struct principal *session_ticket_principal(const struct session_ticket *t);
const struct config *session_ticket_config(const struct session_ticket *t);
void session_ticket_release(struct session_ticket **t);

/* SASL PLAIN (RFC 4616): splits authzid NUL authcid NUL password; false if malformed. An authzid
 * other than authcid is refused. Pointers go into `data`, which must be NUL-terminated. */
bool session_sasl_plain(char *data, size_t len, const char **name, const char **password);

/* A session that was refused this often is not a person who mistyped. */
#define SESSION_REFUSED_MAX 5

/* ---- SASL exchanges (AUTH of POP3, AUTHENTICATE of IMAP): PLAIN and LOGIN ---- */

enum session_sasl {
    SESSION_SASL_OK,
    SESSION_SASL_UNKNOWN,    /* no such mechanism */
    SESSION_SASL_CANCELLED,  /* the client said "*" */
    SESSION_SASL_NOT_BASE64, /* nor was an answer that is too long or holds a NUL byte */
    SESSION_SASL_MALFORMED,  /* not what the mechanism asks for */
    SESSION_SASL_STOP,       /* the service stops */
    SESSION_SASL_ENDED       /* the client is gone or said nothing until the deadline */
};

struct session_credentials {
    const char *name;
    const char *password;
    struct buf texts[2]; /* private: what they point into */
};

/* Asks for name and password with "+ " lines. `initial`: the response that came with the command
 * ("=": empty), NULL: none; not needed any more once a line was read. Monotonic deadline. Free the
 * result whatever the outcome. */
enum session_sasl session_sasl_ask(struct session_conn *c, const char *mechanism,
                                   const char *initial, int64_t deadline_ms,
                                   struct session_credentials *out);
void session_credentials_free(struct session_credentials *credentials);

#endif
