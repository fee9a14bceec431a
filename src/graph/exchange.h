/*
 * A single request of a thread that waits for the answer: signing persons in. No slot, no retry.
 */
#ifndef POSTERN_SRC_GRAPH_EXCHANGE_H
#define POSTERN_SRC_GRAPH_EXCHANGE_H

#include "oauth.h"

#include "postern/base/wait.h"
#include "postern/graph/client.h"

#define EXCHANGE_ANSWER_MAX OAUTH_ANSWER_MAX

/* An answer came whole: its head, and its body as text; secret. */
struct exchange_answer {
    struct answer head;
    struct buf body;
};

/* Posts the form to the sign-in server of `tenant`, or with a `bearer` GETs the URL from Graph;
 * the request is freed. False: no whole answer, `e` says why. Free the answer's body. */
bool exchange_run(struct graph_client *client, const char *tenant, struct oauth_request *request,
                  const char *bearer, struct exchange_answer *out, struct wait *w, struct error *e);

#endif
