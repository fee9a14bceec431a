#include "postern/mailbox/bearer.h"

#include "internal.h"

#include "postern/base/arena.h"
#include "postern/base/encode.h"
#include "postern/graph/sign_in.h"

#include <stdlib.h>
#include <string.h>

/* Reading the inbox takes the least permission of all that Postern does. It is done under a name of
 * the token's own: its owner's other sessions do not get this token before it has proved itself,
 * nor does theirs, which may be allowed more, prove it. */
static bool opens(struct mailbox_registry *r, const char *tenant, const char *bearer,
                  const char *mailbox, struct wait *w, struct error *e)
{
    const struct graph_as as = {.background = false};
    uint8_t digest[SHA256_SIZE];
    char alone[2 * SHA256_SIZE + 1];
    sha256(bearer, strlen(bearer), digest);
    hex_encode(digest, sizeof digest, alone);
    const struct principal who = {.tenant = tenant, .subject = alone, .bearer = bearer};
    struct graph_user *user = graph_user_get(r->graph, &who, mailbox);
    struct graph_call *call = graph_folder_start(user, as, "inbox", false);
    struct arena *arena = arena_new();
    struct graph_folder inbox;
    bool ok = graph_call_wait(call, w, e) && graph_folder_decode(call, arena, &inbox, e);
    arena_free(&arena);
    graph_call_free(&call);
    graph_user_unref(&user);
    return ok;
}

/* From now on the token is that of all sessions of its owner that are open. */
static void bring(struct mailbox_registry *r, const struct principal *who, const char *mailbox)
{
    struct graph_user *user = graph_user_get(r->graph, who, mailbox);
    graph_user_unref(&user);
}

bool mailbox_bearer_prove(struct mailbox_registry *r, const char *tenant, const char *bearer,
                          const char *mailbox, char **subject, char **user, struct wait *w,
                          struct error *e)
{
    if (!graph_bearer_subject(r->graph, tenant, bearer, subject, user, w, e))
        return false;
    if (!mailbox)
        mailbox = *user;
    if (opens(r, tenant, bearer, mailbox, w, e)) {
        const struct principal who = {.tenant = tenant, .subject = *subject, .bearer = bearer};
        bring(r, &who, mailbox);
        return true;
    }
    free(*subject);
    free(*user);
    *subject = *user = NULL;
    return false;
}
