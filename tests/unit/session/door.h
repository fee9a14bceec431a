/*
 * A door for tests: a socket pair with a connection of the session layer at one end and the
 * test, playing the client, at the other. No port, no network.
 */
#ifndef TESTS_SESSION_DOOR_H
#define TESTS_SESSION_DOOR_H

#include "postern/base/buf.h"
#include "postern/base/config.h"
#include "postern/session/conn.h"
#include "postern/session/login.h"
#include "postern/session/server.h"
#include "postern/session/tls.h"

#include <pthread.h>
#include <stdbool.h>

/* The password of every login in these configs is "secret". */
#define DOOR_HASH "$5$rounds=1000$postern$L6QlxBnV6R19/0/aHUK/uhXb2DjbKOduARYp6Sq77o3"
#define DOOR_TENANT                                                                                \
    "tenant \"contoso\" { tenant-id = \"contoso.onmicrosoft.com\" "                                \
    "client-id = \"6731de76-14a6-49ae-97bc-6eba6914391e\" client-secret = 'x' }\n"
/* `settings`: further lines, "" for none. */
#define DOOR_LOGIN(name, settings)                                                                 \
    "login \"" name "\" {\n mailbox = \"alerts@contoso.com\"\n tenant = \"contoso\"\n"             \
    " password = '" DOOR_HASH "'\n " settings "\n}\n"
#define DOOR_LISTENER "listener \"pop\" {\n protocol = pop3\n address = \"127.0.0.1:1110\"\n}\n"

/* A config with logins for whoever has no password: an old device, and clients with a token. */
#define DOOR_WITH_MORE                                                                             \
    "state-dir = \"/nonexistent\"\n"                                                               \
    "tenant \"contoso\" { tenant-id = \"11111111-2222-3333-4444-555555555555\" client-secret = "   \
    "'x' "                                                                                         \
    "client-id = \"6731de76-14a6-49ae-97bc-6eba6914391e\" allow-client-tokens = yes "              \
    "}\n" DOOR_LISTENER DOOR_LOGIN(                                                                \
        "alice", "") "login \"scanner\" {\n mailbox = \"alerts@contoso.com\"\n"                    \
                     " tenant = \"contoso\"\n device-secret = 'tanstaaftanstaaf'\n}\n"

struct door {
    struct config *config;
    struct session_gate *gate; /* owned unless it was given */
    bool own_gate;
    struct session_stop stop;
    struct session_conn *conn;
    int client;           /* the test's end */
    pthread_mutex_t lock; /* the session's thread frees `conn` under it */
    pthread_t thread;
    session_run_fn *run;
};

struct door_options {
    const char *config;          /* text; NULL: one login "alice" */
    const char *address;         /* of the client, NULL: 127.0.0.1 */
    struct session_tls *tls;     /* NULL: none */
    struct session_gate *gate;   /* shared by several doors; NULL: one of its own */
    struct inventory *inventory; /* NULL: none */
    bool no_plaintext_login;
    int64_t timeout_ms; /* handshake and write; 0: 5 s */
};

/* Parses a config that must be right. */
struct config *door_config(const char *text);
void door_open(struct door *d, const struct door_options *options);
/* Runs `run` with the connection on a thread of its own. */
void door_start(struct door *d, session_run_fn *run);
/* Asks the session to stop, as a server does. */
void door_stop(struct door *d);
void door_close(struct door *d);

/* The client's side. */
void door_send(struct door *d, const char *text, size_t len);
void door_say(struct door *d, const char *text);
/* Reads until the text ends with `end`, until EOF or for 10 s; the result is good until the next
 * call. */
const char *door_hear(struct door *d, const char *end, struct buf *heard);

/* A self-signed certificate for "localhost" with its key, in files of a new directory. */
struct door_certificate {
    char dir[64];
    char certificate[96];
    char key[96];
};
void door_certificate_make(struct door_certificate *c);
void door_certificate_remove(struct door_certificate *c);
struct session_tls *door_tls(const struct door_certificate *c);

#endif
