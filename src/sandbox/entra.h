/*
 * The sign-in endpoints of Entra ID, /{tenant}/oauth2/v2.0/{token,devicecode,authorize}: what they
 * have in common. The caller holds the sandbox's lock.
 */
#ifndef SANDBOX_ENTRA_H
#define SANDBOX_ENTRA_H

#include "sandbox.h"

/* One request while it is worked on. */
struct entra_call {
    struct sandbox *s;
    const struct request *r;
    struct request form; /* its fields as query options: of the body, or of the URL for GET */
    struct answer *a;
    struct claims claims;
    /* For the log of sign-ins. */
    struct account *account; /* whom it was about, NULL: not known, or the application */
    const char *error;       /* NULL: a success */
    const char *description;
    int number; /* AADSTS, 0: a success */
};

/* What a request for a token has earned. */
struct earned {
    struct sign_in who;
    scope_set scopes; /* asked for now, of those granted */
    const char *nonce;
};

bool entra_is_endpoint(const struct request *r);
/* The one that gives tokens? */
bool entra_is_token_endpoint(const struct request *r);
/* Fills the answer and writes the log of sign-ins. */
void entra_handle(struct sandbox *s, const struct request *r, struct answer *a);

/* A field of the form, NULL: missing or empty. */
const char *entra_field(struct entra_call *c, const char *name);
/* The same, but a missing one is refused (AADSTS900144). */
const char *entra_need(struct entra_call *c, const char *name);
/* The error object of the endpoints (Entra: reference-error-codes). Returns false. */
bool entra_refuse(struct entra_call *c, int status, const char *word, int number, const char *fmt,
                  ...) __attribute__((format(printf, 5, 6)));
/* An account that is disabled, needs a second factor and the like; the word and the text come from
 * the number (entra_refusals.c). Returns false. */
bool entra_refuse_account(struct entra_call *c, struct account *account, int number);
/* Is this ("https://host:port") Graph's address: the real one, or, where the settings have it so,
 * one of this machine's, since a proxy of a test may stand before the sandbox? */
bool entra_is_graph(const struct settings *s, const char *origin, size_t len);
/* The field "scope": names with or without Graph's host before them, or "…/.default" for all that
 * was consented to. False: refused. */
bool entra_scopes(struct entra_call *c, const char *text, scope_set *out);
/* Either kind of client credential, for the application itself. */
bool entra_client_is_known(struct entra_call *c);
/* The credential that goes with a user's sign-in: none for a public client. */
bool entra_client_may_sign_in(struct entra_call *c);

/* grants.c: POST …/token, once client and tenant are known. */
void grants_handle(struct entra_call *c);

#endif
