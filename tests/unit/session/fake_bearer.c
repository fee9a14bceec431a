#include "fake_bearer.h"

#include "postern/base/alloc.h"
#include "postern/mailbox/bearer.h"

#include <string.h>
#include <strings.h>

enum error_kind fake_bearer_failure;
unsigned fake_bearer_asked;

bool mailbox_bearer_prove(struct mailbox_registry *r, const char *tenant, const char *bearer,
                          const char *mailbox, char **subject, char **user, struct wait *w,
                          struct error *e)
{
    (void)r, (void)tenant, (void)w;
    fake_bearer_asked++;
    if (fake_bearer_failure != ERROR_NONE)
        return error_set(e, fake_bearer_failure, "no answer");
    if (strcmp(bearer, FAKE_TOKEN) != 0)
        return error_set(e, ERROR_SIGN_IN, "Graph refuses the token");
    if (mailbox && strcasecmp(mailbox, FAKE_USER) != 0 && strcasecmp(mailbox, FAKE_SHARED) != 0)
        return error_set(e, ERROR_DENIED, "Graph denies access");
    *subject = xstrdup(FAKE_SUBJECT);
    *user = xstrdup(FAKE_USER);
    return true;
}
