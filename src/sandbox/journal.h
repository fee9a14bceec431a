/*
 * What was asked, and what a careful client would not have asked: the request log and the
 * violations that the control port tells. Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_JOURNAL_H
#define SANDBOX_JOURNAL_H

#include "request.h"

#include <stdint.h>

/* Above these, older requests are dropped, and newer entries of the other lists. */
#define JOURNAL_REQUESTS_MAX   200000
#define JOURNAL_VIOLATIONS_MAX 1000
#define JOURNAL_SIGN_INS_MAX   10000

struct journal_entry {
    uint64_t n;
    char *method, *path, *query, *user, *client_request_id;
    struct json_object *items; /* of a $batch, NULL */
    int status;                /* 0: still under way, or the connection was cut */
    int64_t start_ms, end_ms;  /* monotonic since the start of the program; end -1: under way */
};

/* One request for a token or a code, as it ended. */
struct sign_in_entry {
    const char *endpoint;
    const char *grant, *user, *error; /* NULL: none */
    int number;                       /* AADSTS, 0: a success */
    int status;
};

struct journal {
    struct journal_entry *entries; /* a ring */
    size_t first, count, cap;
    uint64_t next_n;
    uint64_t tokens;
    struct json_object *sign_ins;
    struct json_object *violations;
    int64_t epoch_ms;
};

void journal_init(struct journal *j);
void journal_free(struct journal *j);
/* Returns the entry's number. */
uint64_t journal_begin(struct journal *j, const struct request *r);
/* NULL once it was dropped or cleared. */
struct journal_entry *journal_find(struct journal *j, uint64_t n);
void journal_set_user(struct journal *j, uint64_t n, const char *user);
void journal_end(struct journal *j, uint64_t n, int status);
void journal_violation(struct journal *j, const char *rule, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void journal_sign_in(struct journal *j, const struct sign_in_entry *entry);
void journal_clear_requests(struct journal *j);
void journal_clear_violations(struct journal *j);
struct json_object *journal_requests_json(const struct journal *j);

#endif
