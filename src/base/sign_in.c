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
