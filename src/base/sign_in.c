#include "postern/base/sign_in.h"

#include "postern/base/alloc.h"

#include <stdlib.h>
#include <string.h>

void sign_in_clear(struct sign_in *s)
{
    secret_free(s->refresh_token);
    secret_free(s->access_token);
    free(s->scope);
    free(s->user);
    free(s->ended);
    memset(s, 0, sizeof *s);
}

void sign_in_copy(struct sign_in *to, const struct sign_in *from)
{
    *to = *from;
    to->refresh_token = xstrdup_null(from->refresh_token);
    to->access_token = xstrdup_null(from->access_token);
    to->scope = xstrdup_null(from->scope);
    to->user = xstrdup_null(from->user);
    to->ended = xstrdup_null(from->ended);
}
