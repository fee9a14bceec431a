#include "token.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_BYTES 256
#define TOKENS_MAX      100000
#define OPAQUE_BYTES    768 /* refresh tokens of the real service have about this length */
#define TEXT_MAX        8192

void token_issuer_init(struct token_issuer *t)
{
    memset(t, 0, sizeof *t);
    t->access = table_new();
    t->refresh = table_new();
    t->seen_jti = table_new();
}

static bool free_access(void *arg, const char *key, void *value)
{
    (void)arg;
    (void)key;
    struct access_token *token = value;
    free(token->app_id);
    free(token);
    return true;
}

static bool free_refresh(void *arg, const char *key, void *value)
{
    (void)arg;
    (void)key;
    struct refresh_token *token = value;
    secret_free(token->text);
    free(token);
    return true;
}

static void forget_access(struct token_issuer *t)
{
    table_each(t->access, free_access, NULL);
    table_free(&t->access);
}

static void forget_refresh(struct token_issuer *t)
{
    table_each(t->refresh, free_refresh, NULL);
    table_free(&t->refresh);
}

void token_issuer_free(struct token_issuer *t)
{
    forget_access(t);
    forget_refresh(t);
    table_free(&t->seen_jti);
    accounts_free(&t->accounts);
    X509_free(t->certificate);
    free(t->tenant);
    free(t->client_id);
    secret_free(t->client_secret);
}

void token_issuer_set_tenant(struct token_issuer *t, const char *domain)
{
    free(t->tenant);
    t->tenant = xstrdup(domain);
    model_guid("tenant", domain, t->tenant_guid);
}

static char *encode_part(const void *data, size_t len)
{
    struct buf out = BUF_INIT(TEXT_MAX);
    base64url_encode(data, len, &out);
    return buf_steal(&out);
}

/* Shaped like a signed JWT and as long as real ones; the signature is nobody's, since only the
 * sandbox itself reads it. Releases the claims. */
static char *make_jwt(struct json_object *claims)
{
    static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"x5t\":\"sandbox\"}";
    uint8_t signature[SIGNATURE_BYTES];
    random_bytes(signature, sizeof signature);
    const char *text = json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN);
    char *first = encode_part(head, sizeof head - 1);
    char *second = encode_part(text, strlen(text));
    char *third = encode_part(signature, sizeof signature);
    char *token = xasprintf("%s.%s.%s", first, second, third);
    json_object_put(claims);
    free(first);
    free(second);
    free(third);
    return token;
}

static void add_text(struct json_object *o, const char *name, const char *value)
{
    json_object_object_add(o, name, json_object_new_string(value));
}

static void add_times(struct json_object *o, int64_t life_s)
{
    int64_t now = clock_wall_ms() / CLOCK_SECOND;
    json_object_object_add(o, "iat", json_object_new_int64(now));
    json_object_object_add(o, "nbf", json_object_new_int64(now));
    json_object_object_add(o, "exp", json_object_new_int64(now + life_s));
}

static void add_roles(struct json_object *o, scope_set roles)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    struct json_object *list = json_object_new_array();
    scope_print(roles, &text);
    for (char *p = text.len ? text.data : NULL; p;) {
        char *end = strchr(p, ' ');
        size_t len = end ? (size_t)(end - p) : strlen(p);
        json_object_array_add(list, json_object_new_string_len(p, (int)len));
        p = end ? end + 1 : NULL;
    }
    json_object_object_add(o, "roles", list);
    buf_free(&text);
}

static void add_user(struct json_object *o, const struct mailbox *b, scope_set scopes)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    scope_print(scopes & ~(scope_set)SCOPE_OFFLINE_ACCESS, &text);
    add_text(o, "idtyp", "user");
    add_text(o, "oid", b->guid);
    add_text(o, "scp", buf_str(&text));
    add_text(o, "sub", b->guid);
    add_text(o, "unique_name", b->upn);
    add_text(o, "upn", b->upn);
    buf_free(&text);
}

int64_t token_life_s(const struct settings *s, const struct claims *claims)
{
    return claims->cp1 && s->cae_life_s > 0 ? s->cae_life_s : s->token_life_s;
}

char *token_issue(struct token_issuer *t, const struct settings *s, const struct sign_in *who,
                  scope_set scopes, const struct claims *claims, const char *app_id, int64_t life_s)
{
    if (table_count(t->access) >= TOKENS_MAX)
        token_expire_all(t);
    struct json_object *o = json_object_new_object();
    char id[GUID_SIZE];
    guid_make(id);
    add_text(o, "aud", "https://graph.microsoft.com");
    char *issuer = xasprintf("https://sts.windows.net/%s/", t->tenant_guid);
    add_text(o, "iss", issuer);
    free(issuer);
    add_times(o, life_s);
    add_text(o, "app_displayname", "Postern");
    add_text(o, "appid", app_id);
    if (who->account->mailbox)
        add_user(o, who->account->mailbox, scopes);
    else
        add_text(o, "idtyp", "app");
    /* Roles that Exchange gives (RBAC for Applications) leave no trace in the token. */
    if (!who->account->mailbox && !settings_app_is_scoped(s))
        add_roles(o, scopes);
    add_text(o, "tid", t->tenant_guid);
    add_text(o, "uti", id);
    add_text(o, "ver", "1.0");
    if (claims->cp1) {
        struct json_object *list = json_object_new_array();
        json_object_array_add(list, json_object_new_string("CP1"));
        json_object_object_add(o, "xms_cc", list);
    }
    char *text = make_jwt(o);
    struct access_token *token = xcalloc(1, sizeof *token);
    *token = (struct access_token){.who = *who,
                                   .claims = *claims,
                                   .app_id = xstrdup(app_id),
                                   .expires_ms = clock_mono_ms() + life_s * CLOCK_SECOND};
    token->who.scopes = scopes;
    token->who.serial = ++t->serial;
    table_put(t->access, text, token);
    return text;
}

char *token_issue_id(const struct token_issuer *t, const struct sign_in *who, const char *nonce)
{
    const struct mailbox *b = who->account->mailbox;
    struct json_object *o = json_object_new_object();
    char *issuer = xasprintf("https://login.microsoftonline.com/%s/v2.0", t->tenant_guid);
    add_text(o, "aud", t->client_id);
    add_text(o, "iss", issuer);
    free(issuer);
    add_times(o, 3600);
    add_text(o, "name", b->upn);
    if (nonce)
        add_text(o, "nonce", nonce);
    add_text(o, "oid", b->guid);
    add_text(o, "preferred_username", b->upn);
    add_text(o, "sub", b->guid);
    add_text(o, "tid", t->tenant_guid);
    add_text(o, "ver", "2.0");
    return make_jwt(o);
}

const char *token_issue_refresh(struct token_issuer *t, const struct sign_in *who)
{
    uint8_t bytes[OPAQUE_BYTES];
    if (table_count(t->refresh) >= TOKENS_MAX) {
        forget_refresh(t);
        t->refresh = table_new();
    }
    struct refresh_token *token = xcalloc(1, sizeof *token);
    random_bytes(bytes, sizeof bytes);
    char *tail = encode_part(bytes, sizeof bytes);
    char *text = xasprintf(TOKEN_REFRESH_PREFIX "%s", tail);
    *token = (struct refresh_token){.who = *who, .issued_ms = clock_mono_ms(), .text = text};
    token->who.serial = ++t->serial;
    table_put(t->refresh, text, token);
    free(tail);
    return text;
}

bool token_is_revoked(const struct sign_in *who)
{
    const struct account *a = who->account;
    return who->serial <= a->revoked || (who->public_client && who->serial <= a->revoked_public);
}

static bool claims_suffice(const struct claims *has, const struct claims *wanted)
{
    return has->nbf_s >= wanted->nbf_s &&
           (!wanted->acrs[0] || strcmp(has->acrs, wanted->acrs) == 0);
}

enum token_state token_check(const struct token_issuer *t, const char *token, struct caller *caller,
                             struct claims *wanted)
{
    const struct access_token *found = table_get(t->access, token);
    if (!found)
        return TOKEN_UNKNOWN;
    if (clock_mono_ms() >= found->expires_ms)
        return TOKEN_EXPIRED;
    const struct account *account = found->who.account;
    /* A client that cannot answer a challenge keeps its token until it expires. */
    if (found->claims.cp1 && token_is_revoked(&found->who)) {
        *wanted = (struct claims){.nbf_s = account->revoked_at_s};
        return TOKEN_CHALLENGED;
    }
    if (found->claims.cp1 && !claims_suffice(&found->claims, &account->wanted)) {
        *wanted = account->wanted;
        return TOKEN_CHALLENGED;
    }
    *caller = (struct caller){.kind = account->mailbox ? CALLER_USER : CALLER_APP,
                              .scopes = found->who.scopes,
                              .self = account->mailbox};
    return TOKEN_GOOD;
}

void token_expire_all(struct token_issuer *t)
{
    forget_access(t);
    t->access = table_new();
}
