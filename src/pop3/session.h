/*
 * One POP3 session: its state, and who does what with it.
 *
 * session.c greets, reads commands and dispatches them; auth.c signs in; maildrop.c is the
 * snapshot; transaction.c answers from it; retrieve.c sends messages; quit.c deletes.
 */
#ifndef POP3_SESSION_H
#define POP3_SESSION_H

#include "maildrop.h"
#include "parse.h"

#include "postern/base/config.h"
#include "postern/mailbox/account.h"
#include "postern/session/conn.h"
#include "postern/session/sasl.h"

#include <stdbool.h>
#include <stdint.h>

struct pop3_session {
    struct session_conn *conn;
    struct mailbox_registry *mailboxes;
    const struct config *config; /* of the connection; the login's own is in the ticket */

    char timestamp[SESSION_CHALLENGE_SIZE]; /* of the greeting, for APOP; empty: not here */
    char *user;                             /* from USER, until PASS; NULL: none */
    unsigned refused;                       /* logins in this session */
    int64_t login_deadline_ms;              /* monotonic */

    struct session_ticket *ticket; /* NULL: AUTHORIZATION state, as all that follows */
    const struct config_login *login;
    struct mailbox_account *account;
    struct mailbox_folder *folder;
    struct pop3_maildrop *drop;

    unsigned bad_commands; /* in a row */
    unsigned retrieved;
    unsigned deleted;
    int64_t began_ms; /* monotonic */
    const char *over; /* why nothing more is read, for the log; NULL: it goes on */
};

/* auth.c */
void pop3_user(struct pop3_session *s, const struct pop3_command *c);
void pop3_pass(struct pop3_session *s, const struct pop3_command *c);
void pop3_apop(struct pop3_session *s, const struct pop3_command *c);
void pop3_auth(struct pop3_session *s, const struct pop3_command *c);
/* Octets of a list of mechanisms. */
#define POP3_MECHANISMS_MAX 256
/* Lets go of the maildrop and the login. */
void pop3_sign_out(struct pop3_session *s);

/* transaction.c */
void pop3_stat(struct pop3_session *s, const struct pop3_command *c);
void pop3_list(struct pop3_session *s, const struct pop3_command *c);
void pop3_uidl(struct pop3_session *s, const struct pop3_command *c);
void pop3_dele(struct pop3_session *s, const struct pop3_command *c);
void pop3_rset(struct pop3_session *s, const struct pop3_command *c);
void pop3_noop(struct pop3_session *s, const struct pop3_command *c);
/* The message a command names. False: it does not exist or is marked, which has been answered. */
bool pop3_named_message(struct pop3_session *s, const struct pop3_command *c, size_t *index);

/* retrieve.c */
void pop3_retr(struct pop3_session *s, const struct pop3_command *c);
void pop3_top(struct pop3_session *s, const struct pop3_command *c);

/* quit.c */
void pop3_quit(struct pop3_session *s, const struct pop3_command *c);

#endif
