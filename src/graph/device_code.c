/* The device code flow. */
#include "entra.h"
#include "exchange.h"
#include "json.h"
#include "retry.h"
#include "sign_in_parts.h"
#include "url.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"
#include "postern/base/text.h"

#include <stdlib.h>
#include <string.h>

/* RFC 8628 section 3.2 and 3.5: what to do where the answer says nothing, and on slow_down. */
#define INTERVAL_MS  5000
#define SLOW_DOWN_MS 5000
/* Limits on what comes from outside. */
#define INTERVAL_MAX_MS ((int64_t)60 * 1000)
#define EXPIRES_MAX_MS  ((int64_t)24 * 3600 * 1000)
#define CODE_MAX        4096

static int64_t bounded(int64_t seconds, int64_t max_ms)
{
    return seconds < 1 ? 1000 : seconds > max_ms / 1000 ? max_ms : seconds * 1000;
}

static bool plain_code(const char *code)
{
    size_t n = 0;
    for (; code && code[n]; n++) {
        if (code[n] <= ' ' || code[n] >= 0x7f || n >= CODE_MAX)
            return false;
    }
    return n > 0;
}

bool sign_in_device_decode(const char *body, size_t len, struct graph_device_code *out,
                           struct error *e)
{
    int64_t expires, interval;
    bool has_expires = false, has_interval = false;
    memset(out, 0, sizeof *out);
    struct json_object *root = json_read(body, len, e);
    const char *device = json_peek_string(root, "device_code");
    const char *user = json_peek_string(root, "user_code");
    const char *url = json_peek_string(root, "verification_uri");
    if (!url)
        url = json_peek_string(root, "verification_url"); /* as older endpoints spell it */
    bool ok = root && json_get_int(root, "expires_in", &expires, &has_expires, e) &&
              json_get_int(root, "interval", &interval, &has_interval, e);
    if (ok && (!plain_code(device) || !plain_code(user) || !has_expires))
        ok = error_set(e, ERROR_ANSWER, "the sign-in server's answer holds no usable device code");
    if (ok && (!url || !url_is_https(url)))
        ok = error_set(e, ERROR_ANSWER,
                       "the sign-in server's answer names no https address to go to");
    if (ok) {
        *out = (struct graph_device_code){
            .user_code = xstrdup(user),
            .verification_url = xstrdup(url),
            .device_code = xstrdup(device),
            .interval_ms = has_interval ? bounded(interval, INTERVAL_MAX_MS) : INTERVAL_MS,
            .expires_ms = clock_mono_ms() + bounded(expires, EXPIRES_MAX_MS)};
    }
    json_object_put(root);
    return ok;
}

/* True: the provider has another way of asking, which is worth a try at once. */
static bool try_another(struct graph_client *c, const char *tenant,
                        const struct oauth_grant *refusal)
{
    struct error ignored = ERROR_INIT;
    struct oauth_provider *p = sign_in_lock(c, tenant, &ignored);
    if (!p)
        return false;
    bool another = p->refused(p, refusal);
    sign_in_unlock(c);
    return another;
}

bool graph_device_code_ask(struct graph_client *client, const char *tenant,
                           struct graph_device_code *out, struct wait *w, struct error *e)
{
    for (;;) {
        struct oauth_request request;
        struct exchange_answer answer;
        struct oauth_grant refusal = {0};
        struct oauth_provider *p = sign_in_lock(client, tenant, e);
        if (!p)
            return false;
        entra_device_code(p, &request);
        sign_in_unlock(client);
        if (!exchange_run(client, tenant, &request, NULL, &answer, w, e))
            return false;
        bool came = answer.head.status == 200;
        bool ok = came && sign_in_device_decode(buf_str(&answer.body), answer.body.len, out, e);
        if (!came)
            oauth_refusal_decode(&answer.head, buf_str(&answer.body), answer.body.len, &refusal, e);
        buf_free_secret(&answer.body);
        bool again = !came && try_another(client, tenant, &refusal);
        oauth_grant_clear(&refusal);
        if (!again)
            return ok;
    }
}

/* Sleeps; false if the wait itself ends before. */
static bool sleep_until(int64_t until_ms, struct wait *w, struct error *e)
{
    int64_t deadline = w->deadline_ms;
    w->deadline_ms = until_ms < deadline ? until_ms : deadline;
    while (wait_sleep(w, e))
        continue;
    w->deadline_ms = deadline;
    if (e->kind != ERROR_TIMEOUT || clock_mono_ms() < until_ms)
        return false;
    error_clear(e);
    return true;
}

enum poll { POLL_DONE, POLL_AGAIN, POLL_SLOWER, POLL_END };

static bool too_late(struct error *e)
{
    return error_set(e, ERROR_TIMEOUT, "nobody entered the code in time; ask for another one");
}

/* What a person did, or did not do, is no fault of the tenant's settings. */
static void explain_end(const char *word, struct error *e)
{
    if (strcmp(word, "authorization_declined") == 0)
        error_set(e, ERROR_SIGN_IN,
                  "the sign-in was declined where the code was entered; if that was a mistake, "
                  "ask for another code");
    else if (strcmp(word, "expired_token") == 0)
        too_late(e);
}

/* *pause_ms: for how long the server wants to be left alone, if it says so. */
static enum poll poll_once(struct graph_client *c, const char *tenant,
                           const struct graph_device_code *code, struct oauth_grant *grant,
                           int64_t *pause_ms, struct wait *w, struct error *e)
{
    struct oauth_request request;
    struct exchange_answer answer;
    struct oauth_provider *p = sign_in_lock(c, tenant, e);
    if (!p)
        return POLL_END;
    bool ok = entra_device_poll(p, code->device_code, &request, e);
    sign_in_unlock(c);
    if (!ok) {
        oauth_request_free(&request);
        return POLL_END;
    }
    if (!exchange_run(c, tenant, &request, NULL, &answer, w, e))
        return e->kind == ERROR_TEMPORARY || e->kind == ERROR_TIMEOUT ? POLL_AGAIN : POLL_END;
    ok = oauth_grant_decode(&answer.head, buf_str(&answer.body), answer.body.len, grant, e);
    buf_free_secret(&answer.body);
    if (ok)
        return POLL_DONE;
    retry_after_parse(answer.head.retry_after, clock_wall_ms(), pause_ms);
    if (strcmp(grant->word, "authorization_pending") == 0)
        return POLL_AGAIN;
    if (strcmp(grant->word, "slow_down") == 0 || e->kind == ERROR_THROTTLED)
        return POLL_SLOWER;
    explain_end(grant->word, e);
    return e->kind == ERROR_TEMPORARY ? POLL_AGAIN : POLL_END;
}

/* Until the code may be asked for again, if it still serves then. */
static bool wait_for_turn(const struct graph_device_code *code, int64_t interval, struct wait *w,
                          struct error *e)
{
    if (!sleep_until(clock_mono_ms() + interval, w, e))
        return false;
    return clock_mono_ms() < code->expires_ms || too_late(e);
}

bool graph_device_code_wait(struct graph_client *client, const char *tenant, const char *account,
                            const struct graph_device_code *code, struct sign_in *out,
                            struct wait *w, struct error *e)
{
    int64_t interval = code->interval_ms, pause = 0;
    struct oauth_grant grant = {0};
    enum poll poll = POLL_AGAIN;
    while (poll == POLL_AGAIN || poll == POLL_SLOWER) {
        int64_t rest = pause > interval ? pause : interval;
        oauth_grant_clear(&grant);
        error_clear(e);
        pause = 0;
        poll = wait_for_turn(code, rest, w, e)
                   ? poll_once(client, tenant, code, &grant, &pause, w, e)
                   : POLL_END;
        interval += poll == POLL_SLOWER ? SLOW_DOWN_MS : 0;
    }
    bool ok = poll == POLL_DONE && sign_in_take(client, tenant, account, &grant, out, w, e);
    oauth_grant_clear(&grant);
    return ok;
}

void graph_device_code_free(struct graph_device_code *code)
{
    free(code->user_code);
    free(code->verification_url);
    secret_free(code->device_code);
    memset(code, 0, sizeof *code);
}
