/*
 * Password hashing by crypt(3), few at a time.
 *
 * One check of a yescrypt hash takes some 16 MB and much of a core for a while, so no more run at
 * once than there are cores; the others queue, a bounded number of them. The queue is fair among
 * groups (logins): a group has one check running at most, and a flood against one login (or
 * against names that do not exist, one group together) leaves the other places to the others.
 */
#ifndef SESSION_HASHER_H
#define SESSION_HASHER_H

#include "postern/base/wait.h"

#include <stdbool.h>

enum hasher_result {
    HASHER_MATCH,
    HASHER_MISMATCH,
    HASHER_BUSY, /* too many wait; nothing was computed */
    HASHER_ENDED /* the wait ended first; nothing was computed */
};

struct hasher;

/* `slots`: how many at once, 0: as many as there are cores. */
struct hasher *hasher_new(unsigned slots);
/* Nobody may be waiting. */
void hasher_free(struct hasher **h);
/* Does `password` give `hash`? Waits for its turn with `w`. Any thread. */
enum hasher_result hasher_check(struct hasher *h, const char *group, const char *password,
                                const char *hash, struct wait *w);
/* A setting with random salt to hash passwords of unknown logins with. `like`: a hash whose
 * method and cost it takes on, NULL: the system's best. Never a real password's hash. */
#define HASHER_SETTING_SIZE 192
bool hasher_dummy(const char *like, char out[HASHER_SETTING_SIZE]);

#endif
