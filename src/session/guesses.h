/*
 * What slows guessing down: delays that grow for one address at one login, for one address and for
 * one login; and the lock-out of an address. Fixed memory. Any thread.
 *
 * Loopback addresses are neither delayed as such nor locked out: there an address says nothing of
 * who is who, and one broken script must not keep the others of its host waiting.
 */
#ifndef SESSION_GUESSES_H
#define SESSION_GUESSES_H

#include "postern/base/config.h"

#include <stdbool.h>
#include <stdint.h>

struct guesses;

/* Who guesses, at what. */
struct guess {
    const char *address; /* address_key() */
    const char *name;    /* user_name_key() */
    const char *pair;    /* both together */
    bool loopback;
};

struct guesses *guesses_new(void);
void guesses_free(struct guesses **g);
/* Locked out: nothing is to be looked at. */
bool guesses_locked(struct guesses *g, const struct guess *who);
/* The delay before anything is looked at, in milliseconds; -1: too many guesses of this address
 * wait already. */
int64_t guesses_delay(struct guesses *g, const struct guess *who);
/* The delay that guesses from anywhere have earned this login: only for proofs that can be guessed,
 * and not for one that was remembered. */
int64_t guesses_login_delay(struct guesses *g, const struct guess *who);
/* A refusal, or one too many to be looked at. True: the address is locked out from now on for
 * limits->lockout_ms; it is so for the first time in that while, so it is worth telling. */
bool guesses_failed(struct guesses *g, const struct guess *who, const struct config_limits *limits);
bool guesses_too_many(struct guesses *g, const struct guess *who,
                      const struct config_limits *limits);
/* The pair has proved itself. */
void guesses_forgive(struct guesses *g, const struct guess *who);

#endif
