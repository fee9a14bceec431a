#include "device.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEVICE_CODE_BYTES 150
#define VERIFICATION_URI  "https://login.microsoft.com/device"
#define SLOW_DOWN_S       5 /* RFC 8628 section 3.5 */

/* Nine letters and digits that nobody mistakes for one another. */
static void make_user_code(char out[10])
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    uint8_t bytes[9];
    random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        out[i] = letters[bytes[i] % (sizeof letters - 1)];
    out[9] = '\0';
}

static void free_code(struct device_code *code)
{
    secret_free(code->device_code);
    free(code);
}

static void drop(struct device_codes *d, struct device_code *code)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->items[i] != code)
            continue;
        memmove(&d->items[i], &d->items[i + 1], (d->count - i - 1) * sizeof(struct device_code *));
        d->count--;
        free_code(code);
        return;
    }
}

static struct device_code *add(struct sandbox *s, scope_set scopes)
{
    struct device_codes *d = &s->device_codes;
    if (d->count == DEVICE_CODES_MAX)
        drop(d, d->items[0]);
    struct device_code *code = xcalloc(1, sizeof *code);
    struct buf text = BUF_INIT(DEVICE_CODE_BYTES * 2);
    uint8_t bytes[DEVICE_CODE_BYTES];
    random_bytes(bytes, sizeof bytes);
    buf_puts(&text, TOKEN_DEVICE_PREFIX);
    base64url_encode(bytes, sizeof bytes, &text);
    code->device_code = buf_steal(&text);
    make_user_code(code->user_code);
    code->who = (struct sign_in){.scopes = scopes, .public_client = s->settings.public_client};
    code->polled_ms = INT64_MIN / 2;
    code->expires_ms = clock_mono_ms() + s->settings.device_life_s * CLOCK_SECOND;
    code->interval_s = s->settings.device_interval_s;
    d->items = xreallocarray(d->items, d->count + 1, sizeof(struct device_code *));
    d->items[d->count++] = code;
    return code;
}

void device_begin(struct entra_call *c)
{
    scope_set scopes = 0;
    const char *scope = entra_need(c, "scope");
    if (!scope || !entra_scopes(c, scope, &scopes))
        return;
    const struct device_code *code = add(c->s, scopes);
    const char *message =
        arena_printf(c->r->arena,
                     "To sign in, use a web browser to open the page " VERIFICATION_URI
                     " and enter the code %s to authenticate.",
                     code->user_code);
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "user_code", json_object_new_string(code->user_code));
    json_object_object_add(o, "device_code", json_object_new_string(code->device_code));
    json_object_object_add(o, "verification_uri", json_object_new_string(VERIFICATION_URI));
    json_object_object_add(o, "expires_in", json_object_new_int64(c->s->settings.device_life_s));
    json_object_object_add(o, "interval", json_object_new_int64(code->interval_s));
    json_object_object_add(o, "message", json_object_new_string(message));
    answer_header(c->a, "Content-Type", "application/json; charset=utf-8");
    answer_header(c->a, "Cache-Control", "no-store, no-cache");
    answer_json(c->a, 200, o);
}

struct device_code *device_find(struct device_codes *d, const char *user_code)
{
    for (size_t i = d->count; i-- > 0;) {
        struct device_code *code = d->items[i];
        if (user_code ? strcasecmp(code->user_code, user_code) == 0 : code->state == DEVICE_PENDING)
            return code;
    }
    return NULL;
}

static struct device_code *by_device_code(struct device_codes *d, const char *text)
{
    for (size_t i = 0; i < d->count; i++) {
        if (strcmp(d->items[i]->device_code, text) == 0)
            return d->items[i];
    }
    return NULL;
}

/* Polled too soon? Then the interval grows, for this code and for good. */
static bool is_hasty(struct entra_call *c, struct device_code *code)
{
    int64_t now = clock_mono_ms(), since = now - code->polled_ms;
    code->polled_ms = now;
    if (since >= code->interval_s * CLOCK_SECOND)
        return false;
    journal_violation(&c->s->journal, "device-interval",
                      "a device code was polled after %lld ms, its interval is %lld s",
                      (long long)since, (long long)code->interval_s);
    code->interval_s += SLOW_DOWN_S;
    return true;
}

static bool refuse_pending(struct entra_call *c, struct device_code *code)
{
    if (is_hasty(c, code))
        return entra_refuse(c, 400, "slow_down", 70016,
                            "OAuth 2.0 device flow error. Authorization is pending. Poll less "
                            "often.");
    return entra_refuse(c, 400, "authorization_pending", 70016,
                        "OAuth 2.0 device flow error. Authorization is pending. Continue polling.");
}

bool device_grant(struct entra_call *c, struct earned *out)
{
    const char *text = entra_need(c, "device_code");
    if (!text || !entra_client_may_sign_in(c))
        return false;
    struct device_code *code = by_device_code(&c->s->device_codes, text);
    if (!code)
        return entra_refuse(c, 400, "bad_verification_code", 70018,
                            "The provided value for the input parameter 'device_code' is not "
                            "valid.");
    struct account *account = code->who.account;
    if (code->state == DEVICE_EXPIRED || clock_mono_ms() >= code->expires_ms)
        return entra_refuse(c, 400, "expired_token", 70020,
                            "The provided value for the input parameter 'device_code' is not "
                            "valid. This device code has expired.");
    if (code->state == DEVICE_DECLINED)
        return entra_refuse(c, 400, "authorization_declined", 70017,
                            "The end user declined the authorization request.");
    if (code->state == DEVICE_PENDING)
        return refuse_pending(c, code);
    if (account->refusal)
        return entra_refuse_account(c, account, account->refusal);
    out->who = code->who;
    out->scopes = code->who.scopes;
    drop(&c->s->device_codes, code);
    return true;
}

void device_codes_free(struct device_codes *d)
{
    for (size_t i = 0; i < d->count; i++)
        free_code(d->items[i]);
    free(d->items);
    *d = (struct device_codes){0};
}
