/*
 * Whose is what was made? Nothing tells the copy that one command made from that of another: both
 * are new in the folder and bear the same Message-ID. So the commands of an account that make
 * messages claim what their answers name, and one whose answer was lost takes only what nobody
 * has claimed once all requests that were under way have had their answers. What other programs
 * make nobody can claim: hence what was only found is never removed. Any thread; the lock inside
 * is the innermost.
 */
#ifndef POSTERN_MAILBOX_CLAIMS_H
#define POSTERN_MAILBOX_CLAIMS_H

#include "postern/base/wait.h"

struct claims; /* those of an account */
struct claims *claims_new(void);
void claims_free(struct claims **c);

/* A command that makes messages, from before it looks at what is there until its end. What is
 * claimed meanwhile stays so. The caller's memory. */
struct claims_command {
    int64_t began_ms;
    struct claims_command *next;
};
void claims_begin(struct claims *c, struct claims_command *command);
void claims_end(struct claims *c, struct claims_command *command);

/* A request that makes a message, from before it is sent until its answer is there or is known to
 * be lost. The caller's memory, zeroed, and good for one request after the other. */
struct claims_request {
    const char *folder_id; /* NULL: not under way */
    uint64_t number;
    struct claims_request *next;
};
void claims_sent(struct claims *c, struct claims_request *r, const char *folder_id);
/* Claims the message it made; `id` NULL: none, or nobody knows. */
void claims_answered(struct claims *c, struct claims_request *r, const char *id);

/* Waits until all requests are answered or lost that are under way now and make messages in the
 * folder. */
bool claims_settle(struct claims *c, const char *folder_id, struct wait *w, struct error *e);
bool claims_has(struct claims *c, const char *id);
/* True: it is the caller's now. False: it was claimed before. */
bool claims_take(struct claims *c, const char *id);

#endif
