/*
 * The insides of `postern doctor`: the groups of steps, in the order in which they are taken. Each
 * adds what it found to the steps; nothing of it changes anything but doctor_mailbox() with
 * `try_writing`.
 */
#ifndef POSTERN_CMD_DOCTOR_H
#define POSTERN_CMD_DOCTOR_H

#include "asking.h"
#include "certificate.h"
#include "need.h"
#include "steps.h"

#define DOCTOR_WARN_DAYS 30 /* a certificate that ends sooner is worth a word */

/* Whose token has been asked for. */
struct doctor_identity {
    struct principal who;
    bool good;
};

/* A mailbox that was tried for one login need not be tried for the next. */
struct doctor_tried {
    struct need need; /* its strings are the configuration's */
    bool good;
};

struct doctor {
    struct steps *steps;
    const struct config *config;
    struct asking asking;
    bool try_writing;
    struct doctor_identity *identities;
    size_t identity_count;
    struct doctor_tried *tried;
    size_t tried_count;
};

/* What the user of the service cannot read, though it will have to. */
void doctor_files(struct doctor *d);
/* State directory, lock, free space; true: a `serve` runs on it. */
bool doctor_state(struct doctor *d);
/* Certificates for clients, listeners, what is weakened. */
void doctor_listeners(struct doctor *d, bool served);
/* The variable of the environment that names the proxy in force, NULL: there is none. */
const char *doctor_proxy(void);
void doctor_proxies(struct doctor *d);
/* Names, connections, clock and credential of one tenant; false: there is no use in asking it. */
bool doctor_tenant(struct doctor *d, const struct config_tenant *t);
/* Whether and how one mailbox of a login opens. */
void doctor_mailbox(struct doctor *d, const struct need *n);

/* Tells of a certificate: dates, key. `names`: those for which clients ask. */
void doctor_certificate(struct doctor *d, const char *step, const char *path, bool names,
                        const char *renew);

#endif
