/*
 * What the tests of identities stand on: the rig with a tenant of some flow, a vault in memory, and
 * a server that is Entra ID and Graph by script.
 */
#ifndef POSTERN_TESTS_GRAPH_STAGE_H
#define POSTERN_TESTS_GRAPH_STAGE_H

#include "fake_vault.h"
#include "rig.h"

#include <stdatomic.h>

#define GOOD(access, refresh)                                                                      \
    {                                                                                              \
        .status = 200, .type = "application/json",                                                 \
        .body = "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"" access        \
                "\",\"refresh_token\":\"" refresh "\"}"                                            \
    }
#define BAD(status_, word, number)                                                                 \
    {                                                                                              \
        .status = (status_), .type = "application/json",                                           \
        .body = "{\"error\":\"" word "\",\"error_description\":\"AADSTS" number                    \
                ": no\",\"error_codes\":[" number "]}"                                             \
    }

#define CHALLENGE                                                                                  \
    "WWW-Authenticate: Bearer realm=\"\", authorization_uri=\"https://l.example/authorize\", "     \
    "error=\"insufficient_claims\", "                                                              \
    "claims="                                                                                      \
    "\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNjA0MTA2NjUxIn19"       \
    "fQ==\"\r\n"

#define STAGE_PATIENCE_MS 10000
#define STAGE_OWNER       "0a0b0c0d-1111-2222-3333-44445555aaaa"

/* The n-th token request gets the n-th reply, later ones the last; Graph takes `taken` only, if it
 * is set, and refuses the rest with the header `challenge`. stage_open() clears it all. */
extern struct server_reply replies[4];
extern atomic_uint asked;
extern char forms[4][40000]; /* the requests, head and form */
extern const char *taken, *challenge;
/* Whose every token is, says Graph: its object id. stage_open() sets STAGE_OWNER. */
extern const char *owner;
/* So many requests to Graph must be there at one time before the first is answered; 0: none. */
extern atomic_uint wanted;

extern struct graph_settings stage_settings;
extern char account[];             /* "ann@c.example" … */
extern const struct principal ann; /* … and her principal */

/* The rig with a tenant of this flow, and a mailbox opened for `who`. */
struct stage {
    struct rig rig;
    struct fake_vault vault;
    struct graph_user *user;
};

void stage_open(struct stage *s, enum config_flow flow, const struct principal *who);
void stage_close(struct stage *s);
bool one_call(struct stage *s, struct error *e);
/* Until what was refused is looked at again. */
bool call_until_served(struct stage *s, struct error *e);

#endif
