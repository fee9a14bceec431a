/*
 * What the tenant knows and what it has issued: the app registration, accounts, access tokens and
 * refresh tokens (Entra: access-tokens, refresh-tokens, claims-challenge). Guarded by the
 * sandbox's lock.
 */
#ifndef SANDBOX_TOKEN_H
#define SANDBOX_TOKEN_H

#include "account.h"
#include "caller.h"
#include "settings.h"

#include "postern/base/encode.h"
#include "postern/base/table.h"

#include <openssl/x509.h>
#include <stdint.h>

/* One sign-in, which a code, a refresh token and access tokens may stand for. */
struct sign_in {
    struct account *account;
    scope_set scopes;   /* granted then */
    bool public_client; /* without a credential of the client */
    uint64_t serial;    /* when, in the order of all that happened */
};

struct refresh_token {
    struct sign_in who;
    int64_t issued_ms; /* monotonic */
    bool revoked;      /* used, where that revokes it */
    char *text;        /* the token itself */
};

struct access_token {
    struct sign_in who;
    struct claims claims;
    char *app_id;
    int64_t expires_ms; /* monotonic */
};

struct token_issuer {
    char *tenant; /* domain name */
    char tenant_guid[GUID_SIZE];
    char *client_id;
    char *client_secret;
    X509 *certificate; /* registered for assertions, NULL: none */
    struct table *seen_jti;
    struct accounts accounts;
    struct table *access;  /* token → struct access_token */
    struct table *refresh; /* token → struct refresh_token */
    uint64_t serial;
};

/* What opaque secrets begin with, so that a test finds them where they should not be. */
#define TOKEN_REFRESH_PREFIX "1.ASandboxRefresh"
#define TOKEN_CODE_PREFIX    "1.ASandboxCode"
#define TOKEN_DEVICE_PREFIX  "GSandboxDevice"

enum token_state { TOKEN_GOOD, TOKEN_EXPIRED, TOKEN_CHALLENGED, TOKEN_UNKNOWN };

void token_issuer_init(struct token_issuer *t);
void token_issuer_free(struct token_issuer *t);
/* The tenant's domain; its GUID comes from the name, so that two runs have the same. */
void token_issuer_set_tenant(struct token_issuer *t, const char *domain);

/* An access token for Graph; a user's `scopes` may be fewer than were granted. `app_id` is whom it
 * was given to. The text is malloc'ed. */
char *token_issue(struct token_issuer *t, const struct settings *s, const struct sign_in *who,
                  scope_set scopes, const struct claims *claims, const char *app_id,
                  int64_t life_s);
/* Seconds that such a token is to live. */
int64_t token_life_s(const struct settings *s, const struct claims *claims);
char *token_issue_id(const struct token_issuer *t, const struct sign_in *who, const char *nonce);
/* A new one for the same sign-in. The text stays the table's. */
const char *token_issue_refresh(struct token_issuer *t, const struct sign_in *who);
/* Is what was issued for this sign-in dead by revocation or a changed password? */
bool token_is_revoked(const struct sign_in *who);

/* GOOD: `caller` says for whom. CHALLENGED: `wanted` is what a new one must be asked for with. */
enum token_state token_check(const struct token_issuer *t, const char *token, struct caller *caller,
                             struct claims *wanted);
void token_expire_all(struct token_issuer *t);

/* Checks a client assertion that is signed with the registered certificate. NULL: it is good;
 * else the AADSTS text that refuses it, the number in *code. `audience` is the token endpoint's
 * own URL. */
const char *assertion_verify(struct token_issuer *t, const char *jwt, const char *audience,
                             int *code);

#endif
