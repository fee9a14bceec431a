/*
 * Signing in: what a way of getting tokens (a flow) must offer, and how the answers of the token
 * endpoint are read. Microsoft identity platform, OAuth 2.0 (RFC 6749).
 */
#ifndef POSTERN_SRC_GRAPH_OAUTH_H
#define POSTERN_SRC_GRAPH_OAUTH_H

#include "error.h"

#include "postern/base/buf.h"
#include "postern/base/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OAUTH_FORM_MAX   ((size_t)64 * 1024)
#define OAUTH_TOKEN_MAX  ((size_t)64 * 1024) /* a longer token of any kind is refused */
#define OAUTH_ANSWER_MAX ((size_t)256 * 1024)
/* Lifetimes outside these are cut to them. */
#define OAUTH_LIFETIME_MIN_MS ((int64_t)1000)
#define OAUTH_LIFETIME_MAX_MS ((int64_t)28 * 3600 * 1000)
/* Of a token whose lifetime is not told (RFC 6749 section 5.1 lets it be left out): the least that
 * Entra ID gives by itself. */
#define OAUTH_LIFETIME_UNTOLD_MS ((int64_t)3600 * 1000)

/* A request for a token: POST of a form, or GET at the machine's metadata service. */
struct oauth_request {
    char *url;
    bool metadata;   /* GET: plain http, never through a proxy */
    struct buf form; /* holds secrets */
};
void oauth_request_free(struct oauth_request *r);
/* Readies an empty request for its form. */
void oauth_request_init(struct oauth_request *r, const char *url);
/* Appends "name=value", escaped. */
void oauth_put(struct oauth_request *r, const char *name, const char *value);

/* What an answer that holds a token, or refuses one, says. */
struct oauth_grant {
    char *access; /* secret */
    int64_t lifetime_ms;
    char *refresh;  /* NULL: none came; secret */
    char *scope;    /* as granted, NULL: not told */
    char *id_token; /* NULL: none came; secret */
    /* Of a refusal: */
    char word[32];    /* OAuth's own, such as "authorization_pending" */
    char *reason;     /* in short, beginning with a code: "AADSTS700082: …" */
    bool ended;       /* what was shown (refresh token, code, password) serves no more */
    int64_t retry_ms; /* not sooner again; 0: nothing said */
    bool patient;     /* mends itself in a minute or so: more tries than usual */
    bool nameless;    /* Entra ID does not know the API by the name that we gave it */
};
/* Wipes and empties. */
void oauth_grant_clear(struct oauth_grant *g);

/* A token goes into a header: visible ASCII, no space (RFC 6750 section 2.1), not too long. */
bool oauth_token_is_plain(const char *token);

/* Reads an answer of the token endpoint. False: `e`, of kind ERROR_SIGN_IN if a person must act,
 * ERROR_TEMPORARY or ERROR_THROTTLED if time may mend it, ERROR_ANSWER if it is no token. Always
 * oauth_grant_clear() it. */
typedef bool oauth_decode_fn(const struct answer *a, const char *body, size_t len,
                             struct oauth_grant *out, struct error *e);
oauth_decode_fn oauth_grant_decode;
/* A refusal of the token endpoint, and of what else of Entra ID answers in its way. */
void oauth_refusal_decode(const struct answer *a, const char *body, size_t len,
                          struct oauth_grant *out, struct error *e);

/* By which names Entra ID may know Graph, the likelier one first: that of the cloud, or graph-url
 * where it is a service's name. An address, a port or a bare host is a gateway's, of which Entra ID
 * knows nothing most likely. */
struct oauth_names {
    const char *first;
    const char *second; /* NULL: there is none */
};
struct oauth_names oauth_names_of_graph(const struct config_tenant *t);

/* Who signed in, from a token that came from the token endpoint itself over TLS, which is why its
 * signature needs no look (OpenID Connect Core section 3.1.3.7). NULL: not told. */
struct oauth_person {
    char *user; /* UPN, or what stands in its place: an alternate login, a guest's own address */
    char *object_id;
};
void oauth_person_decode(const char *token, struct oauth_person *out);
void oauth_person_clear(struct oauth_person *p);
/* What a signed token says of itself, to put; NULL: it is none (access tokens may be of any form).
 * Nothing is verified here. */
struct json_object *oauth_token_claims(const char *token);
/* Which directory (its GUID) an access token says it was given by; free() it. NULL: it does not
 * say. Who cares asks Graph too, which takes no forged one. */
char *oauth_token_tenant(const char *access);

/* What one request is made of, beside the settings. */
struct oauth_ask {
    const char *account;       /* who; NULL: the application itself */
    const char *refresh_token; /* NULL: none; secret */
    const char *assertion;     /* content of the provider's `file`; secret */
    const char *challenge;     /* claims that Graph wants (JSON), NULL: none */
};

/* Where what is shown to the token endpoint comes from, beside the settings. */
enum oauth_source {
    OAUTH_FROM_SETTINGS,
    OAUTH_FROM_FILE,  /* read anew each time */
    OAUTH_FROM_VAULT, /* a person's stored sign-in */
    OAUTH_FROM_MEMORY /* a refresh token that only this process knows, or the settings */
};

/* One tenant's way to a token. Called by one thread at a time, under the client's lock: no I/O
 * here, only the making of requests. */
struct oauth_provider {
    enum oauth_source source;
    const char *file; /* path, for OAUTH_FROM_FILE */
    /* Fills `out` (the caller frees it). False: `e` (ERROR_SIGN_IN) says what the administrator
     * must do. */
    bool (*request)(struct oauth_provider *p, const struct oauth_ask *ask,
                    struct oauth_request *out, struct error *e);
    oauth_decode_fn *decode;
    /* A request was refused. True: the next one will be another, so it is worth sending at once. */
    bool (*refused)(struct oauth_provider *p, const struct oauth_grant *refusal);
    void (*free)(struct oauth_provider *p);
};

/* As the tenant is set up. Reads certificate and key now. NULL: `e` names the file. */
struct oauth_provider *oauth_provider_new(const struct config_tenant *t, struct error *e);
/* The machine's own identity (managed_identity.c). */
struct oauth_provider *oauth_managed_identity_new(const struct config_tenant *t);

/* What an AADSTS number means to the administrator. */
struct aadsts {
    int number;
    enum error_kind kind;
    const char *advice;
    bool keeps; /* refuses for now: a person's sign-in may serve again once it is mended */
};
/* NULL: not in the table. */
const struct aadsts *aadsts_find(int number);

#endif
