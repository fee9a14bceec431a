/*
 * A vault in memory, for one sign-in: locks, versions and failures as the real one has them.
 */
#ifndef POSTERN_TESTS_GRAPH_FAKE_VAULT_H
#define POSTERN_TESTS_GRAPH_FAKE_VAULT_H

#include "postern/base/sign_in.h"

#include <pthread.h>

struct fake_vault {
    struct sign_in_vault functions;
    pthread_mutex_t mutex;
    struct sign_in stored;
    uint64_t version;
    bool locked;
    unsigned loads, saves, busy; /* `busy`: locks that found it locked */
    bool refuse_saves, refuse_loads;
};

void fake_vault_open(struct fake_vault *v);
void fake_vault_close(struct fake_vault *v);
/* Somebody signs in: a refresh token, and an access token that lives so long (NULL: none). */
void fake_vault_sign_in(struct fake_vault *v, const char *refresh, const char *access,
                        int64_t life_ms);
/* A copy of what is stored; sign_in_clear() it. */
struct sign_in fake_vault_look(struct fake_vault *v);

#endif
