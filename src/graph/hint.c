/* What a token says of itself (Microsoft identity platform: access token claims reference). */
#include "internal.h"
#include "json.h"

#include "postern/base/alloc.h"
#include "postern/base/encode.h"

#include <string.h>

static char *copy_token(struct graph_client *client, const struct principal *who)
{
    pthread_mutex_lock(&client->lock);
    char *token = xstrdup_null(identity_get(client, who)->token.value);
    pthread_mutex_unlock(&client->lock);
    return token;
}

/* The middle one of the three parts of a JWT. */
static bool decode_claims(const char *token, struct buf *out)
{
    const char *begin = strchr(token, '.');
    const char *end = begin ? strchr(begin + 1, '.') : NULL;
    return end && base64url_decode(begin + 1, (size_t)(end - begin - 1), out);
}

static void put_roles(struct json_object *roles, struct buf *out)
{
    for (size_t i = 0; i < json_object_array_length(roles); i++) {
        struct json_object *role = json_object_array_get_idx(roles, i);
        if (json_object_is_type(role, json_type_string))
            buf_printf(out, "%s%s", i ? " " : "", json_object_get_string(role));
    }
}

bool graph_client_token_hint(struct graph_client *client, const struct principal *who,
                             struct buf *out)
{
    struct error ignored = ERROR_INIT;
    struct buf claims = BUF_INIT(OAUTH_TOKEN_MAX);
    struct json_object *roles = NULL;
    char *token = copy_token(client, who);
    struct json_object *root = token && decode_claims(token, &claims)
                                   ? json_read(buf_str(&claims), claims.len, &ignored)
                                   : NULL;
    const char *scope = root ? json_peek_string(root, "scp") : NULL;
    if (scope)
        buf_puts(out, scope);
    else if (root && json_object_object_get_ex(root, "roles", &roles) &&
             json_object_is_type(roles, json_type_array))
        put_roles(roles, out);
    bool known = root != NULL;
    json_object_put(root);
    buf_free_secret(&claims);
    secret_free(token);
    return known && !out->overflow;
}
