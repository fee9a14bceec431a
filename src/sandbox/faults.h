/*
 * Faults on demand: what the control port asked to go wrong with the next requests that match.
 * Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include "request.h"

#include <regex.h>
#include <stdint.h>

#define FAULTS_MAX       256
#define FAULT_STALL_MAX  ((int64_t)3600 * 1000)
#define FAULT_STATUS_MIN 200
#define FAULT_STATUS_MAX 599

struct fault {
    char *method; /* NULL: any */
    regex_t regex;
    bool on_token; /* for the token endpoint, otherwise for Graph */
    int64_t skip;  /* matches that pass untouched first */
    int64_t count; /* matches that fail, 0: all from then on */
    int status;    /* 0: the real answer, with what else is asked for here */
    char *retry_after, *body, *content_type, *redirect, *next_link;
    bool reset;       /* TCP reset instead of an answer */
    bool after;       /* do the work first: the answer is lost, not the request */
    int64_t truncate; /* bytes of body before the connection is cut, -1: none */
    int64_t stall_ms; /* wait before anything else */
};

/* What applies to one request, copied out. free with fault_effect_free(). */
struct fault_effect {
    bool active;
    int status;
    char *retry_after, *body, *content_type, *redirect, *next_link;
    bool reset, after;
    int64_t truncate, stall_ms;
};

struct faults {
    struct fault items[FAULTS_MAX];
    size_t count;
};

/* False: `why` (at most `size` bytes) says what is wrong with the description. */
bool faults_add(struct faults *f, struct json_object *spec, char *why, size_t size);
void faults_clear(struct faults *f);
/* The first fault that matches takes effect and is counted. */
void faults_match(struct faults *f, const struct request *r, bool is_token,
                  struct fault_effect *out);
void fault_effect_free(struct fault_effect *e);

#endif
