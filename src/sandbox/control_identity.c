/* The user's part of signing in, what an administrator does to accounts, and other issuers. */
#include "control_mail.h"

#include "device.h"
#include "federation.h"
#include "reports.h"

#include "postern/base/alloc.h"
#include "postern/base/clock.h"

#include <stdio.h>
#include <stdlib.h>

static struct account *account_of(struct control *c)
{
    struct mailbox *b = control_user(c, control_text(c, "user"));
    return b ? accounts_get(&c->s->tokens.accounts, b) : NULL;
}

/* {"name": value} */
static void answer_secret(struct control *c, const char *name, char *value)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, name, json_object_new_string(value));
    answer_json(c->a, 200, o);
    secret_free(value);
}

void control_devices(struct control *c)
{
    static const char *const states[] = {"pending", "signed-in", "declined", "expired"};
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < c->s->device_codes.count; i++) {
        const struct device_code *code = c->s->device_codes.items[i];
        struct buf scopes = BUF_INIT(4096);
        struct json_object *one = json_object_new_object();
        scope_print(code->who.scopes, &scopes);
        json_object_object_add(one, "user_code", json_object_new_string(code->user_code));
        json_object_object_add(one, "state", json_object_new_string(states[code->state]));
        json_object_object_add(one, "scope", json_object_new_string(buf_str(&scopes)));
        json_object_array_add(list, one);
        buf_free(&scopes);
    }
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "devices", list);
    answer_json(c->a, 200, o);
}

void control_device(struct control *c)
{
    struct device_code *code = device_find(&c->s->device_codes, control_text(c, "user_code"));
    struct account *account = account_of(c);
    if (!account)
        return;
    if (!code || code->state != DEVICE_PENDING) {
        control_refuse(c, 404, "no device code waits under this user code");
        return;
    }
    code->state = control_flag(c, "expire")    ? DEVICE_EXPIRED
                  : control_flag(c, "decline") ? DEVICE_DECLINED
                                               : DEVICE_SIGNED_IN;
    code->who.account = account;
    code->who.serial = ++c->s->tokens.serial;
    control_done(c);
}

/* A changed password ends what the old one was typed for, unless a confidential client has it
 * (Entra: refresh-tokens, token revocation). */
void control_account(struct control *c)
{
    struct account *account = account_of(c);
    const char *password = control_text(c, "password");
    if (!account)
        return;
    account->refusal = (int)control_number(c, "refusal", account->refusal);
    if (password) {
        account_set_password(account, password);
        account->revoked_public = ++c->s->tokens.serial;
        account->revoked_at_s = clock_wall_ms() / CLOCK_SECOND;
    }
    control_done(c);
}

void control_revoke(struct control *c)
{
    struct account *account = account_of(c);
    if (!account)
        return;
    account->revoked = ++c->s->tokens.serial;
    account->revoked_at_s = clock_wall_ms() / CLOCK_SECOND;
    control_done(c);
}

/* Each challenge asks for more than the one before it, even within a second; or for an
 * authentication context. */
void control_challenge(struct control *c)
{
    struct account *account =
        control_flag(c, "app") ? accounts_get(&c->s->tokens.accounts, NULL) : account_of(c);
    if (!account)
        return;
    struct claims *wanted = &account->wanted;
    int64_t now = clock_wall_ms() / CLOCK_SECOND;
    const char *acrs = control_text(c, "acrs");
    if (acrs)
        snprintf(wanted->acrs, sizeof wanted->acrs, "%s", acrs);
    else
        wanted->nbf_s = now > wanted->nbf_s ? now : wanted->nbf_s + 1;
    control_done(c);
}

static bool age(void *arg, const char *key, void *value)
{
    (void)key;
    struct refresh_token *token = value;
    if (token->who.account == arg)
        token->issued_ms = INT64_MIN / 2;
    return true;
}

void control_expire_refresh(struct control *c)
{
    struct account *account = account_of(c);
    if (!account)
        return;
    table_each(c->s->tokens.refresh, age, account);
    control_done(c);
}

static const char *text_or(const struct control *c, const char *name, const char *other)
{
    const char *text = control_text(c, name);
    return text ? text : other;
}

void control_federated_token(struct control *c)
{
    const struct settings *s = &c->s->settings;
    const struct federated_claims claims = {
        .issuer = text_or(c, "issuer", s->federated_issuer),
        .subject = text_or(c, "subject", s->federated_subject),
        .audience = text_or(c, "audience", s->federated_audience),
        .life_s = control_number(c, "life", 3600),
        .forged = control_flag(c, "forged"),
    };
    answer_secret(c, "token", federation_mint(c->s, &claims));
}

/* A token that some client of the same tenant got for itself. */
void control_access_token(struct control *c)
{
    struct token_issuer *t = &c->s->tokens;
    struct account *account = account_of(c);
    scope_set scopes = 0;
    const struct claims claims = {.cp1 = control_flag(c, "cp1")};
    if (!account)
        return;
    if (!scope_parse(text_or(c, "scope", "Mail.ReadWrite User.Read"), &scopes)) {
        control_refuse(c, 400, "scope holds a name that is not known");
        return;
    }
    const struct sign_in who = {
        .account = account, .scopes = scopes, .public_client = true, .serial = ++t->serial};
    answer_secret(c, "access_token",
                  token_issue(t, &c->s->settings, &who, scopes, &claims,
                              text_or(c, "app_id", t->client_id),
                              control_number(c, "life", c->s->settings.token_life_s)));
}

/* A line of the usage report; the numbers say how many days before its date a program was used. */
void control_report(struct control *c)
{
    static const char *const apps[REPORT_APPS] = {"pop3", "imap4", "smtp"};
    const char *upn = control_text(c, "user"), *name = control_text(c, "name");
    const char *cell = control_text(c, "cell");
    if (!upn) {
        control_refuse(c, 400, "user is missing");
        return;
    }
    struct report_user *user = reports_user(&c->s->reports, upn);
    for (size_t i = 0; i < REPORT_APPS; i++)
        user->days_ago[i] = control_number(c, apps[i], user->days_ago[i]);
    user->deleted = control_flag(c, "deleted");
    if (name) {
        free(user->name);
        user->name = xstrdup(name);
    }
    if (cell) {
        free(user->cell);
        user->cell = xstrdup(cell);
    }
    control_done(c);
}
