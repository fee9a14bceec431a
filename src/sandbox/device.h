/*
 * Device codes (Entra: v2-oauth2-device-code; RFC 8628). The user's part, on another device, is
 * played by the control port. Guarded by the sandbox's lock.
 */
#ifndef SANDBOX_DEVICE_H
#define SANDBOX_DEVICE_H

#include "entra.h"

#define DEVICE_CODES_MAX 1000

enum device_state { DEVICE_PENDING, DEVICE_SIGNED_IN, DEVICE_DECLINED, DEVICE_EXPIRED };

struct device_code {
    char *device_code;
    char user_code[10];
    enum device_state state;
    struct sign_in who; /* its scopes are those that were asked for; the account, once known */
    int64_t expires_ms; /* monotonic, as the next … */
    int64_t polled_ms;  /* … the last poll, long ago if there was none */
    int64_t interval_s; /* grows with each slow_down */
};

/* POST …/devicecode. */
void device_begin(struct entra_call *c);
/* The grant at …/token. False: refused. */
bool device_grant(struct entra_call *c, struct earned *out);
/* By user code; with NULL the newest that waits for its user. NULL: there is none. */
struct device_code *device_find(struct device_codes *d, const char *user_code);
void device_codes_free(struct device_codes *d);

#endif
