/*
 * Everything that one running sandbox knows, and its one lock. The lock is held while a request
 * is worked on, never while somebody waits or bytes are sent.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "faults.h"
#include "journal.h"
#include "model.h"
#include "settings.h"
#include "throttle.h"
#include "token.h"

#include <openssl/evp.h>
#include <pthread.h>

#define UPLOADS_MAX          256
#define REPORT_DOWNLOADS_MAX 64

struct upload;

/* Upload sessions that are open (upload.h). */
struct uploads {
    struct upload *items[UPLOADS_MAX];
    size_t count;
};

struct device_code;

/* Device codes that nobody has redeemed yet (device.h). */
struct device_codes {
    struct device_code **items;
    size_t count;
};

struct report_user;

struct report_download {
    char *token, *csv;
    int64_t expires_ms; /* monotonic */
};

/* The usage report and the places where it was published, the oldest of which are used anew
 * (reports.h). */
struct reports {
    struct report_user **users;
    size_t count;
    struct report_download downloads[REPORT_DOWNLOADS_MAX];
    size_t next;
    int64_t made_ms; /* wall clock: when the tenant's data was looked at */
};

struct sandbox {
    pthread_mutex_t lock;
    pthread_cond_t stopping; /* signalled when `stop` is set */
    bool stop;
    struct settings settings;
    struct model model;
    struct journal journal;
    struct faults faults;
    struct throttle throttle;
    struct token_issuer tokens;
    struct device_codes device_codes;
    struct table *auth_codes; /* code → struct auth_code (authorize.h) */
    EVP_PKEY *federation_key; /* of the other issuer; NULL: not made yet */
    struct uploads uploads;
    struct reports reports;
    char *graph_origin;   /* "https://127.0.0.1:port", of Graph and the sign-in endpoints */
    char *upload_origin;  /* the same of what goes by URLs that are their own credential */
    uint8_t link_key[16]; /* signs the links of this run */
};

void sandbox_init(struct sandbox *s);
void sandbox_free(struct sandbox *s);
/* Without the lock: waits, less if the sandbox stops meanwhile. */
void sandbox_pause(struct sandbox *s, int64_t ms);
/* The same for a request that hangs; it also ends when its client hangs up. */
void sandbox_stall(struct sandbox *s, int64_t ms, int client_fd);
/* Wakes every pause. */
void sandbox_stop(struct sandbox *s);

#endif
