/*
 * A person's stored sign-in: what the vault keeps (store/vault.h) and what tokens are made of
 * (graph/sign_in.h). Plain data, owned by whoever holds it; all of it secret.
 */
#ifndef POSTERN_BASE_SIGN_IN_H
#define POSTERN_BASE_SIGN_IN_H

#include "postern/base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Empty: no refresh_token and no `ended`. */
struct sign_in {
    char *refresh_token;       /* NULL: none */
    char *access_token;        /* the newest, NULL: none; shared by the processes of one machine */
    int64_t access_expires_ms; /* wall clock */
    char *scope;               /* as granted */
    char *user;                /* who signed in, as Entra ID tells it (UPN) */
    int64_t since_ms;          /* wall clock: when the person signed in */
    int64_t renewed_ms;        /* when the refresh token came */
    char *ended; /* why it has ended ("AADSTS700082: …"); NULL: it serves. "Needs login"
                    until a person signs in again */
};

/* Wipes and empties. */
void sign_in_clear(struct sign_in *s);

/* Where sign-ins are kept, as a table of functions, since graph/ and store/ do not know each
 * other: store/vault.h has it made. `tenant` and `account` name one; the account has no case.
 *
 * Between lock and unlock no other thread or process changes that sign-in: whoever renews it locks,
 * loads (another may have renewed meanwhile), asks, saves, unlocks. */
struct sign_in_vault {
    void *arg;
    /* Never waits. False without `e` set: another holds it, try again soon. */
    bool (*lock)(void *arg, const char *tenant, const char *account, void **hold, struct error *e);
    void (*unlock)(void *arg, void **hold);
    /* An empty one if there is none. False: it cannot be read (no key, the wrong key, damaged). */
    bool (*load)(void *arg, const char *tenant, const char *account, struct sign_in *out,
                 struct error *e);
    /* On disk when it returns true; the old one is intact until then. */
    bool (*save)(void *arg, const char *tenant, const char *account, const struct sign_in *s,
                 struct error *e);
    /* Changes whenever any process saved or removed it; 0: there is none. A look at the disk. */
    uint64_t (*version)(void *arg, const char *tenant, const char *account);
};

#endif
