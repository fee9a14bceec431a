#include "authorize.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CODE_BYTES   300
#define VERIFIER_MIN 43 /* RFC 7636 section 4.1 */
#define VERIFIER_MAX 128
#define CODES_MAX    10000

/* http://localhost or http://127.0.0.1 with any port and any path: what a native application
 * registers (Entra: reply-url, localhost exceptions). */
static bool is_registered(const char *uri)
{
    static const char *const hosts[] = {"http://localhost", "http://127.0.0.1"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        size_t len = strlen(hosts[i]);
        if (strncmp(uri, hosts[i], len) != 0)
            continue;
        const char *p = uri + len;
        if (*p == ':')
            for (p++; isdigit((unsigned char)*p); p++)
                ;
        return (*p == '/' || *p == '\0') && !strpbrk(p, "#\r\n ");
    }
    return false;
}

/* A way back that is not registered gets no code: the browser stays here. */
static bool check_way_back(struct entra_call *c)
{
    const char *uri = entra_field(c, "redirect_uri");
    const char *mode = entra_field(c, "response_mode");
    if (!uri)
        return entra_refuse(c, 400, "invalid_request", 900971, "No reply address provided.");
    if (!is_registered(uri))
        return entra_refuse(c, 400, "invalid_request", 50011,
                            "The redirect URI '%s' specified in the request does not match the "
                            "redirect URIs configured for the application '%s'.",
                            uri, c->s->tokens.client_id);
    if (mode && strcmp(mode, "query") != 0)
        return entra_refuse(c, 400, "unsupported_response_mode", 70007,
                            "'%s' is not a supported value of 'response_mode'.", mode);
    return true;
}

static bool is_challenge(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("-._~", text[i]))
            return false;
    }
    return len >= VERIFIER_MIN && len <= VERIFIER_MAX;
}

static bool check_request(struct entra_call *c, scope_set *scopes)
{
    const char *type = entra_need(c, "response_type");
    const char *scope = type ? entra_need(c, "scope") : NULL;
    const char *challenge = entra_field(c, "code_challenge");
    const char *method = entra_field(c, "code_challenge_method");
    if (!scope)
        return false;
    if (strcmp(type, "code") != 0)
        return entra_refuse(c, 400, "unsupported_response_type", 70005,
                            "The app requested an unsupported response type '%s'.", type);
    if (method && !challenge)
        return entra_need(c, "code_challenge") != NULL;
    if (challenge && (!is_challenge(challenge) ||
                      (method && strcmp(method, "S256") != 0 && strcmp(method, "plain") != 0)))
        return entra_refuse(c, 400, "invalid_request", 501491,
                            "The code challenge, or its method, is not valid.");
    if (!challenge)
        journal_violation(&c->s->journal, "pkce", "a code was asked for without code_challenge");
    if (!entra_field(c, "state"))
        journal_violation(&c->s->journal, "pkce", "a code was asked for without state");
    return entra_scopes(c, scope, scopes);
}

/* 302 to redirect_uri with one of the two and the state. */
static void send_back(struct entra_call *c, const char *query)
{
    struct arena *arena = c->r->arena;
    const char *uri = entra_field(c, "redirect_uri"), *state = entra_field(c, "state");
    const char *location =
        arena_printf(arena, "%s%s%s%s%s", uri, strchr(uri, '?') ? "&" : "?", query,
                     state ? "&state=" : "", state ? request_escape(arena, state, "") : "");
    answer_free(c->a);
    answer_init(c->a);
    answer_header(c->a, "Location", location);
    answer_header(c->a, "Cache-Control", "no-store, no-cache");
    c->a->status = 302;
}

/* A refusal goes to the client instead of the browser. */
static void send_error(struct entra_call *c)
{
    send_back(c, arena_printf(c->r->arena, "error=%s&error_description=%s", c->error,
                              request_escape(c->r->arena, c->description, "")));
}

/* Who sits at the browser. NULL: refused. */
static struct account *signed_in(struct entra_call *c)
{
    const char *hint = entra_field(c, "login_hint");
    const char *user = c->s->settings.sign_in_as[0] ? c->s->settings.sign_in_as : hint;
    struct mailbox *b = user ? model_find(&c->s->model, user) : c->s->model.mailboxes[0];
    struct account *account = b ? accounts_get(&c->s->tokens.accounts, b) : NULL;
    if (!account)
        entra_refuse_account(c, NULL, 50034);
    else if (account->refusal)
        entra_refuse_account(c, account, account->refusal);
    else
        return account;
    return NULL;
}

static const char *issue(struct entra_call *c, struct account *account, scope_set scopes)
{
    const char *method = entra_field(c, "code_challenge_method");
    struct table *codes = c->s->auth_codes;
    struct buf text = BUF_INIT(CODE_BYTES * 2);
    uint8_t bytes[CODE_BYTES];
    struct auth_code *code = xcalloc(1, sizeof *code);
    *code = (struct auth_code){
        .who = {.account = account,
                .scopes = scopes,
                .public_client = c->s->settings.public_client,
                .serial = ++c->s->tokens.serial},
        .claims = c->claims,
        .redirect_uri = xstrdup(entra_field(c, "redirect_uri")),
        .challenge = xstrdup_null(entra_field(c, "code_challenge")),
        .nonce = xstrdup_null(entra_field(c, "nonce")),
        .hashed = method && strcmp(method, "S256") == 0,
        .issued_ms = clock_mono_ms(),
    };
    random_bytes(bytes, sizeof bytes);
    buf_puts(&text, TOKEN_CODE_PREFIX);
    base64url_encode(bytes, sizeof bytes, &text);
    const char *name = arena_strdup(c->r->arena, buf_str(&text));
    table_put(codes, name, code);
    buf_free_secret(&text);
    return name;
}

void authorize_handle(struct entra_call *c)
{
    scope_set scopes = 0;
    if (!check_way_back(c))
        return;
    if (table_count(c->s->auth_codes) >= CODES_MAX) {
        entra_refuse(c, 503, "temporarily_unavailable", 90033, "A transient error has occurred.");
        return;
    }
    struct account *account = check_request(c, &scopes) ? signed_in(c) : NULL;
    if (!account) {
        send_error(c);
    } else if (c->s->settings.sign_in == SIGN_IN_DECLINE) {
        c->account = account;
        entra_refuse(c, 400, "access_denied", 65004, "User declined to consent to access the app.");
        send_error(c);
    } else {
        c->account = account;
        send_back(c, arena_printf(c->r->arena, "code=%s", issue(c, account, scopes)));
    }
}

static bool verifier_fits(const struct auth_code *code, const char *verifier)
{
    uint8_t digest[SHA256_SIZE];
    if (!is_challenge(verifier))
        return false;
    if (!code->hashed)
        return strcmp(code->challenge, verifier) == 0;
    struct buf text = BUF_INIT(SHA256_SIZE * 2);
    sha256(verifier, strlen(verifier), digest);
    base64url_encode(digest, sizeof digest, &text);
    bool same = strcmp(buf_str(&text), code->challenge) == 0;
    buf_free(&text);
    return same;
}

static bool check_code(struct entra_call *c, const struct auth_code *code, const char *redirect_uri)
{
    const char *verifier = entra_field(c, "code_verifier");
    if (code->redeemed)
        return entra_refuse(c, 400, "invalid_grant", 54005,
                            "OAuth2 Authorization code was already redeemed, please retry with a "
                            "new valid code or use an existing refresh token.");
    if (clock_mono_ms() - code->issued_ms >= c->s->settings.code_life_s * CLOCK_SECOND)
        return entra_refuse_account(c, code->who.account, 70008);
    if (strcmp(redirect_uri, code->redirect_uri) != 0)
        return entra_refuse(c, 400, "invalid_grant", 500112,
                            "The reply address '%s' does not match the reply address '%s' provided "
                            "when requesting Authorization code.",
                            redirect_uri, code->redirect_uri);
    if (code->challenge && (!verifier || !verifier_fits(code, verifier)))
        return entra_refuse(c, 400, "invalid_grant", 501481,
                            "The Code_Verifier does not match the code_challenge supplied in the "
                            "authorization request.");
    return true;
}

bool authorize_grant(struct entra_call *c, struct earned *out)
{
    const char *text = entra_need(c, "code");
    const char *redirect_uri = text ? entra_need(c, "redirect_uri") : NULL;
    if (!redirect_uri || !entra_client_may_sign_in(c))
        return false;
    struct auth_code *code = table_get(c->s->auth_codes, text);
    if (!code)
        return entra_refuse(c, 400, "invalid_grant", 70000,
                            "The provided value for the 'code' parameter is not valid.");
    const char *scope = entra_field(c, "scope");
    out->scopes = code->who.scopes;
    if (!check_code(c, code, redirect_uri) || (scope && !entra_scopes(c, scope, &out->scopes)))
        return false;
    if (token_is_revoked(&code->who))
        return entra_refuse_account(c, code->who.account, 50173);
    code->redeemed = true;
    out->who = code->who;
    out->nonce = code->nonce;
    c->claims.cp1 = c->claims.cp1 || code->claims.cp1;
    if (c->claims.nbf_s < code->claims.nbf_s)
        c->claims.nbf_s = code->claims.nbf_s;
    if (!c->claims.acrs[0])
        memcpy(c->claims.acrs, code->claims.acrs, sizeof c->claims.acrs);
    return true;
}

static bool free_code(void *arg, const char *key, void *value)
{
    (void)arg;
    (void)key;
    struct auth_code *code = value;
    free(code->redirect_uri);
    free(code->challenge);
    free(code->nonce);
    free(code);
    return true;
}

void auth_codes_free(struct table **codes)
{
    table_each(*codes, free_code, NULL);
    table_free(codes);
}
