#include "postern/mailbox/bearer.h"

#include "internal.h"

#include "postern/base/arena.h"
#include "postern/graph/sign_in.h"

#include <stdlib.h>

/* Reading the inbox takes the least permission of all that Postern does. The token is from now on that
 * of all sessions of its owner. */
static bool opens(struct mailbox_registry *r, const struct principal *who, const char *mailbox,
                  struct wait *w, struct error *e)
{
    const struct graph_as as = {.background = false};
    struct graph_user *user = graph_user_get(r->graph, who, mailbox);
    struct graph_call *call = graph_folder_start(user, as, "inbox", false);
    struct arena *arena = arena_new();
    struct graph_folder inbox;
    bool ok = graph_call_wait(call, w, e) && graph_folder_decode(call, arena, &inbox, e);
    arena_free(&arena);
    graph_call_free(&call);
    graph_user_unref(&user);
    return ok;
}

bool mailbox_bearer_prove(struct mailbox_registry *r, const char *tenant, const char *bearer,
                          const char *mailbox, char **subject, char **user, struct wait *w,
                          struct error *e)
{
    if (!graph_bearer_subject(r->graph, tenant, bearer, subject, user, w, e))
        return false;
    const struct principal who = {.tenant = tenant, .subject = *subject, .bearer = bearer};
    if (opens(r, &who, mailbox ? mailbox : *user, w, e))
        return true;
    free(*subject);
    free(*user);
    *subject = *user = NULL;
    return false;
}
