/*
 * What `postern doctor` found, told as it is found: one line a step, or JSON at the end. One
 * thread.
 */
#ifndef POSTERN_CMD_STEPS_H
#define POSTERN_CMD_STEPS_H

#include <stdbool.h>
#include <stddef.h>

enum step_state {
    STEP_OK,
    STEP_NOTE, /* nothing to do, but worth knowing */
    STEP_WARN, /* works, but should be mended */
    STEP_FAIL,
    STEP_SKIP /* not tried, since something before it failed or nobody asked */
};

struct steps;

/* `json`: everything is kept until steps_end(). */
struct steps *steps_new(bool json);
/* What the following steps are about: "tenant \"contoso\"", "login \"nagios\"", "" for the
 * machine. */
void steps_subject(struct steps *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One step: its name ("dns", "mailbox"), and what was found. */
void steps_add(struct steps *s, enum step_state state, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* What to do about the step added last; ends its line; "" only that. */
void steps_fix(struct steps *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* How many so far. */
size_t steps_count(const struct steps *s, enum step_state state);
/* Prints what is left and the sum. Frees. */
void steps_end(struct steps **s);

#endif
