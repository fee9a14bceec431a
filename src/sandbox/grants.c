/*
 * POST …/token: the grants (Entra: v2-oauth2-client-creds-grant-flow, v2-oauth2-device-code,
 * v2-oauth2-auth-code-flow, v2-oauth-ropc).
 */
#include "authorize.h"
#include "device.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SCOPE "/.default"

/* "https://{host}/.default", the host being Graph's. */
static bool is_app_scope(const struct settings *s, const char *scope)
{
    size_t len = strlen(scope), tail = sizeof DEFAULT_SCOPE - 1;
    return len > tail && strcmp(scope + len - tail, DEFAULT_SCOPE) == 0 &&
           entra_is_graph(s, scope, len - tail);
}

static bool grant_client_credentials(struct entra_call *c, struct earned *out)
{
    const char *scope = entra_need(c, "scope");
    if (!scope)
        return false;
    if (!is_app_scope(&c->s->settings, scope))
        return entra_refuse(c, 400, "invalid_scope", 70011,
                            "The provided value for the input parameter 'scope' is not valid. The "
                            "scope %s is not valid.",
                            scope);
    if (!entra_client_is_known(c))
        return false;
    out->who = (struct sign_in){.account = accounts_get(&c->s->tokens.accounts, NULL),
                                .scopes = c->s->settings.app_roles};
    out->scopes = c->s->settings.app_roles;
    return true;
}

/* Passwords that begin or end with white space are not supported by this flow. */
static bool is_password_of(const char *password, const struct account *account)
{
    size_t len = strlen(password);
    return !isspace((unsigned char)password[0]) && !isspace((unsigned char)password[len - 1]) &&
           secret_equal(password, len, account->password, strlen(account->password));
}

static bool grant_password(struct entra_call *c, struct earned *out)
{
    const char *user = entra_need(c, "username");
    const char *password = user ? entra_need(c, "password") : NULL;
    const char *scope = password ? entra_need(c, "scope") : NULL;
    if (!scope || !entra_client_may_sign_in(c) || !entra_scopes(c, scope, &out->scopes))
        return false;
    struct mailbox *b = model_find(&c->s->model, user);
    if (!b)
        return entra_refuse_account(c, NULL, 50034);
    struct account *account = accounts_get(&c->s->tokens.accounts, b);
    if (!is_password_of(password, account))
        return entra_refuse_account(c, account, 50126);
    if (account->refusal)
        return entra_refuse_account(c, account, account->refusal);
    out->who = (struct sign_in){
        .account = account, .scopes = out->scopes, .public_client = c->s->settings.public_client};
    return true;
}

static bool grant_refresh_token(struct entra_call *c, struct earned *out)
{
    const struct settings *s = &c->s->settings;
    const char *text = entra_need(c, "refresh_token");
    if (!text || !entra_client_may_sign_in(c))
        return false;
    struct refresh_token *token = table_get(c->s->tokens.refresh, text);
    if (!token)
        return entra_refuse_account(c, NULL, 70000);
    struct account *account = token->who.account;
    if (token->revoked)
        return entra_refuse_account(c, account, 70000);
    if (token_is_revoked(&token->who))
        return entra_refuse_account(c, account, 50173);
    if (clock_mono_ms() - token->issued_ms >= s->refresh_life_s * CLOCK_SECOND)
        return entra_refuse_account(c, account, 700082);
    if (account->refusal)
        return entra_refuse_account(c, account, account->refusal);
    const char *scope = entra_field(c, "scope");
    out->who = token->who;
    out->scopes = token->who.scopes;
    if (scope && !entra_scopes(c, scope, &out->scopes))
        return false;
    token->revoked = s->refresh_reuse == REFRESH_REVOKED;
    return true;
}

static void add_secret(struct json_object *o, const char *name, char *value)
{
    json_object_object_add(o, name, json_object_new_string(value));
    secret_free(value);
}

/* A user's token comes with what its scopes ask for beside it. */
static void add_for_user(struct entra_call *c, const struct earned *e, struct json_object *o)
{
    struct token_issuer *t = &c->s->tokens;
    struct buf names = BUF_INIT(4096);
    scope_print(e->scopes & ~(scope_set)SCOPE_OFFLINE_ACCESS, &names);
    json_object_object_add(o, "scope", json_object_new_string(buf_str(&names)));
    buf_free(&names);
    if (e->scopes & SCOPE_OFFLINE_ACCESS)
        json_object_object_add(o, "refresh_token",
                               json_object_new_string(token_issue_refresh(t, &e->who)));
    if (e->scopes & SCOPE_OPENID)
        add_secret(o, "id_token", token_issue_id(t, &e->who, e->nonce));
}

static void answer_tokens(struct entra_call *c, const struct earned *e)
{
    const struct settings *s = &c->s->settings;
    struct token_issuer *t = &c->s->tokens;
    int64_t life_s = token_life_s(s, &c->claims);
    struct json_object *o = json_object_new_object();
    c->account = e->who.account;
    json_object_object_add(o, "token_type", json_object_new_string("Bearer"));
    json_object_object_add(o, "expires_in", json_object_new_int64(life_s));
    json_object_object_add(o, "ext_expires_in", json_object_new_int64(life_s));
    add_secret(o, "access_token",
               token_issue(t, s, &e->who, e->scopes, &c->claims, t->client_id, life_s));
    if (e->who.account->mailbox)
        add_for_user(c, e, o);
    answer_header(c->a, "Content-Type", "application/json; charset=utf-8");
    answer_header(c->a, "Cache-Control", "no-store, no-cache");
    answer_json(c->a, 200, o);
}

static const struct {
    const char *name;
    bool (*fn)(struct entra_call *c, struct earned *out);
} grants[] = {
    {"client_credentials", grant_client_credentials},
    {"urn:ietf:params:oauth:grant-type:device_code", device_grant},
    {"authorization_code", authorize_grant},
    {"refresh_token", grant_refresh_token},
    {"password", grant_password},
};

void grants_handle(struct entra_call *c)
{
    const char *wanted = entra_need(c, "grant_type");
    if (!wanted)
        return;
    for (size_t i = 0; i < sizeof grants / sizeof grants[0]; i++) {
        struct earned earned = {.scopes = 0};
        if (strcmp(grants[i].name, wanted) != 0)
            continue;
        if (grants[i].fn(c, &earned))
            answer_tokens(c, &earned);
        return;
    }
    entra_refuse(c, 400, "unsupported_grant_type", 70003,
                 "The app requested an unsupported grant type '%s'.", wanted);
}
