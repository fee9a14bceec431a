/* What a token says of itself (Microsoft identity platform: access token claims reference). */
#include "internal.h"
#include "json.h"

#include "postern/base/alloc.h"

static char *copy_token(struct graph_client *client, const struct principal *who)
{
    pthread_mutex_lock(&client->lock);
    char *token = xstrdup_null(identity_get(client, who)->token.value);
    pthread_mutex_unlock(&client->lock);
    return token;
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
    struct json_object *roles = NULL;
    char *token = copy_token(client, who);
    struct json_object *root = token ? oauth_token_claims(token) : NULL;
    const char *scope = json_peek_string(root, "scp");
    if (scope)
        buf_puts(out, scope);
    else if (root && json_object_object_get_ex(root, "roles", &roles) &&
             json_object_is_type(roles, json_type_array))
        put_roles(roles, out);
    bool known = root != NULL;
    json_object_put(root);
    secret_free(token);
    return known && !out->overflow;
}
